#include "train/plan_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "base/text.h"
#include "model/model.h"
#include "model/preparation_json.h"
#include "registry/manifest.h"
#include "train/model_choice.h"
#include "train/row_intake.h"
#include "train/split_totals.h"

namespace weir::train {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kLineVersion = 2;
constexpr const char* kModel = "model";
constexpr const char* kProfile = "profile";

Json options_json(const TrainingOptions& options) {
  return {{"target", options.target},
          {"drop_columns", options.drop_columns},
          {"test_fraction", options.test_fraction},
          {"seed", options.seed},
          {"bad_rows_max", options.bad_rows_max},
          {"sample_rows_max", options.sample_rows_max},
          {"row_bytes_max", options.record_bytes_max},
          {"intercept", options.intercept},
          {"ridge", options.ridge ? Json(*options.ridge) : Json("auto")},
          {"algorithm", options.algorithm},
          {"boosted", registry::boosted_to_json(options.boosted)},
          {"features", registry::features_to_json(options.features)},
          {"split_bytes", options.split_bytes}};
}

std::uint64_t whole(const Json& json, const char* name) {
  const Json& value = json.at(name);
  if (!value.is_number_unsigned()) throw std::invalid_argument(std::string(name) + " is no count");
  return value.get<std::uint64_t>();
}

TrainingOptions read_options(const Json& json) {
  TrainingOptions options;
  options.target = json.at("target").get<std::string>();
  options.drop_columns = json.at("drop_columns").get<std::vector<std::string>>();
  options.test_fraction = json.at("test_fraction").get<double>();
  options.seed = whole(json, "seed");
  options.bad_rows_max = whole(json, "bad_rows_max");
  options.sample_rows_max = whole(json, "sample_rows_max");
  options.record_bytes_max = whole(json, "row_bytes_max");
  options.intercept = json.at("intercept").get<bool>();
  options.ridge = std::nullopt;
  if (json.at("ridge") != "auto") options.ridge = json.at("ridge").get<double>();
  options.algorithm = json.at("algorithm").get<std::string>();
  options.boosted = registry::boosted_from_json(json.at("boosted"));
  options.features = registry::features_from_json(json.at("features"));
  options.split_bytes = whole(json, "split_bytes");
  return options;
}

Json columns_json(const ColumnPlan& columns) {
  Json json = {{"ignored", columns.ignored},
               {"notes", columns.notes},
               {"from_all_rows", columns.from_all_rows},
               {"preparation", nullptr}};
  if (!columns.preparation) return json;
  const record::Schema& schema = columns.preparation->schema();
  Json preparation = {{"target", schema.target}, {"features", schema.features}};
  preparation.update(
      Json::parse("{\"format\": 1" + model::preparation_members(*columns.preparation) + "}"));
  json["preparation"] = std::move(preparation);
  return json;
}

Result<ColumnPlan> read_columns(const Json& json) {
  ColumnPlan columns;
  columns.ignored = json.at("ignored").get<std::vector<std::string>>();
  columns.notes = json.at("notes").get<std::vector<std::string>>();
  columns.from_all_rows = json.at("from_all_rows").get<bool>();
  if (!json.at("preparation").is_null()) {
    columns.preparation = WEIR_TRY(model::preparation_of(json["preparation"]));
  }
  return columns;
}

Json plan_json(const Plan& plan) {
  return {{"makes", plan.makes == PlanFor::kProfile ? kProfile : kModel},
          {"store", plan.store},
          {"dataset", plan.dataset},
          {"is_folder", plan.is_folder},
          {"bytes", plan.bytes},
          {"parts_sha256", plan.parts_sha256},
          {"splits", plan.splits},
          {"header", plan.header},
          {"options", options_json(plan.options)},
          {"columns", columns_json(plan.columns)}};
}

// Within what a plan may say; a header and settings that do not fit each other are found later.
Status check(const Plan& plan) {
  const TrainingOptions& own = plan.options;
  const auto bad = [](const std::string& what) {
    return fail(Code::kBadData, what + " of the plan cannot be");
  };
  if (own.split_bytes == 0 || own.split_bytes > kSplitBytesMax) return bad("split_bytes");
  if (own.record_bytes_max == 0 || own.record_bytes_max > kSplitBytesMax)
    return bad("row_bytes_max");
  if (plan.splits == 0 || plan.splits > kSplitsMax) return bad("splits");
  if (own.sample_rows_max > 10'000'000) return bad("sample_rows_max");
  if (own.boosted.rows_max > 100'000'000) return bad("boosted.rows_max");
  if (own.ridge && !(*own.ridge >= 0)) return bad("ridge");
  if (own.algorithm != model::kLinear && own.algorithm != model::kBoosted &&
      own.algorithm != kAuto) {
    return bad("algorithm");
  }
  return {};
}

Result<Plan> read_plan(const Json& json) {
  Plan plan;
  const auto makes = json.at("makes").get<std::string>();
  if (makes != kModel && makes != kProfile) throw std::invalid_argument("makes neither of the two");
  plan.makes = makes == kProfile ? PlanFor::kProfile : PlanFor::kModel;
  plan.store = json.at("store").get<std::string>();
  plan.dataset = json.at("dataset").get<std::string>();
  plan.is_folder = json.at("is_folder").get<bool>();
  plan.bytes = whole(json, "bytes");
  plan.parts_sha256 = json.at("parts_sha256").get<std::string>();
  plan.splits = whole(json, "splits");
  plan.header = json.at("header").get<std::string>();
  plan.options = read_options(json.at("options"));
  plan.columns = WEIR_TRY(read_columns(json.at("columns")));
  return plan;
}

std::string dump_lossy(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<std::string> dump(const Json& json) {
  try {
    return json.dump();
  } catch (const Json::exception&) {
    return fail(Code::kBadData, "a path or a name is no UTF-8: " + one_line(dump_lossy(json)));
  }
}

// The first member in which two objects of the same members differ.
std::string difference_of(const Json& a, const Json& b, const std::string& prefix) {
  for (const auto& [name, value] : a.items()) {
    if (value == b.at(name)) continue;
    if (value.is_object() && b.at(name).is_object())
      return difference_of(value, b.at(name), prefix + name + ".");
    return prefix + name + ": " + one_line(dump_lossy(value)) + " and " +
           one_line(dump_lossy(b.at(name)));
  }
  return "";
}

PlannedSplit read_split_members(const Json& json) {
  PlannedSplit split;
  const Json& part = json.at("part");
  split.part.path = part.at("path").get<std::string>();
  split.part.name = store::base_name(split.part.path);
  split.part.length = whole(part, "bytes");
  split.part.modified_ms = part.at("modified_ms").get<std::int64_t>();
  split.part.file_id = part.at("file_id").get<std::string>();
  split.part_number = whole(part, "number");
  split.number = whole(json, "split");
  split.offset = whole(json, "offset");
  split.length = whole(json, "length");
  return split;
}

Status check(const PlannedSplit& split) {
  const std::uint64_t bytes = split.plan->options.split_bytes;
  const bool alone = split.part_number == 0 && split.number == split.offset / bytes &&
                     split.part.length == split.plan->bytes;
  const bool fits = (alone || split.plan->is_folder) && split.number < split.plan->splits &&
                    split.part_number <= split.number && split.offset % bytes == 0 &&
                    split.offset <= split.part.length &&
                    split.length == std::min(bytes, split.part.length - split.offset) &&
                    (split.length > 0 || split.offset == 0) &&
                    split.number - split.part_number >= split.offset / bytes;
  if (!fits) return fail(Code::kBadData, "offset, length and number of the split do not fit");
  return store::check_path(split.part.path);
}

}  // namespace

Result<std::string> plan_text(const Plan& plan) { return dump(plan_json(plan)); }

Result<Plan> parse_plan(std::string_view text) {
  try {
    Plan plan = WEIR_TRY(read_plan(Json::parse(text)));
    WEIR_TRY(check(plan));
    return plan;
  } catch (const std::exception& e) {
    return fail(Code::kBadData, std::string("not a plan: ") + one_line(e.what()));
  }
}

std::string difference(const Plan& a, const Plan& b) {
  return difference_of(plan_json(a), plan_json(b), "");
}

Result<std::string> split_line(const PlannedSplit& split) {
  const std::string plan = WEIR_TRY(plan_text(*split.plan));
  const Json json = {{"weir_split", kLineVersion},
                     {"part",
                      {{"path", split.part.path},
                       {"number", split.part_number},
                       {"bytes", split.part.length},
                       {"modified_ms", split.part.modified_ms},
                       {"file_id", split.part.file_id}}},
                     {"offset", split.offset},
                     {"length", split.length},
                     {"split", split.number},
                     {"of", split.plan->splits},
                     {"plan", plan_json(*split.plan)},
                     {"plan_sha256", sha256_hex(plan)}};
  return dump(json);
}

Result<PlannedSplit> parse_split_line(std::string_view line,
                                      const std::shared_ptr<const Plan>& known) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("weir_split")) {
    return fail(Code::kBadData, "not a line of 'weir plan'");
  }
  if (json["weir_split"] != kLineVersion) {
    return fail(Code::kUnsupported, "a split of another version of the program");
  }
  try {
    PlannedSplit split = read_split_members(json);
    const std::string plan = json.at("plan").dump();
    if (json.at("plan_sha256") != sha256_hex(plan)) {
      return fail(Code::kBadData, "the plan was changed after it was made: plan_sha256 differs");
    }
    if (known && WEIR_TRY(plan_text(*known)) == plan) {
      split.plan = known;
    } else {
      split.plan = std::make_shared<const Plan>(WEIR_TRY(parse_plan(plan)));
    }
    WEIR_TRY(check(split));
    return split;
  } catch (const std::exception& e) {
    return fail(Code::kBadData, std::string("not a line of 'weir plan': ") + one_line(e.what()));
  }
}

}  // namespace weir::train
