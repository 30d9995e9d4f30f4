#include "cli/model_page.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/log.h"
#include "base/text.h"
#include "cli/fit_page.h"
#include "model/boosted_model.h"

namespace weir::cli {
namespace {

constexpr Millis kLogTimeout{10'000};
constexpr std::size_t kLineWidth = 78;

using Json = nlohmann::ordered_json;

Json range_json(std::int32_t partition, const record::OffsetRange& range) {
  Json json = {{"partition", partition}, {"first", range.first}, {"next", nullptr}};
  if (range.next) json["next"] = *range.next;
  return json;
}

Json reign_json(const record::Reign& reign) {
  Json json;
  json["epoch"] = reign.resume.epoch;
  json["outcome"] = record::outcome_name(reign.resume.outcome);
  json["by"] = reign.resume.by;
  json["since"] = reign.resume.at;
  json["until"] = nullptr;
  if (reign.ended_by) json["until"] = reign.ended_by->at;
  json["in_force"] = !reign.ended_by;
  json["partitions"] = Json::array();
  for (const auto& [partition, range] : reign.ranges) {
    json["partitions"].push_back(range_json(partition, range));
  }
  return json;
}

// Where nothing took over a partition yet: the reign goes on, or nothing has come since it ended.
std::string next_text(const record::Reign& reign, const record::OffsetRange& range) {
  if (range.next) return std::to_string(*range.next);
  return reign.ended_by ? "none since" : "in force";
}

void print_reigns(const std::vector<record::Reign>& reigns) {
  std::printf("\n%6s  %-11s  %-24s  %-24s  %9s  %12s  %12s\n", "EPOCH", "OUTCOME", "SINCE", "UNTIL",
              "PARTITION", "FIRST", "NEXT");
  for (const record::Reign& reign : reigns) {
    const auto begin_line = [&] {
      std::printf("%6" PRIu64 "  %-11s  %-24s  %-24s  ", reign.resume.epoch,
                  std::string(record::outcome_name(reign.resume.outcome)).c_str(),
                  one_line(reign.resume.at).c_str(),
                  reign.ended_by ? one_line(reign.ended_by->at).c_str() : "in force");
    };
    if (reign.ranges.empty()) {
      begin_line();
      std::printf("%9s  %12s  %12s\n", "-", "-", "-");
    }
    for (const auto& [partition, range] : reign.ranges) {
      begin_line();
      std::printf("%9d  %12" PRId64 "  %12s\n", partition, range.first,
                  next_text(reign, range).c_str());
    }
  }
}

// How large the trees are, and of which features they ask most.
void print_trees(const model::BoostedModel& model) {
  std::vector<std::size_t> asked(model.schema().features.size(), 0);
  std::size_t nodes = 0;
  std::size_t questions = 0;
  for (const model::Tree& tree : model.trees()) {
    nodes += tree.feature.size();
    for (const std::int32_t feature : tree.feature) {
      if (feature == model::Tree::kLeaf) continue;
      ++asked[static_cast<std::size_t>(feature)];
      ++questions;
    }
  }
  std::printf("      %s = %.4g + %zu trees of %zu nodes", one_line(model.schema().target).c_str(),
              model.base(), model.trees().size(), nodes);
  std::vector<std::size_t> order(asked.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return asked[a] > asked[b]; });
  const char* before = "; most asked: ";
  for (std::size_t i = 0; i < std::min<std::size_t>(3, order.size()); ++i) {
    if (asked[order[i]] == 0) break;
    std::printf("%s%s %zu %%", before, one_line(model.schema().features[order[i]]).c_str(),
                100 * asked[order[i]] / questions);
    before = ", ";
  }
  std::printf("\n");
}

}  // namespace

Result<std::vector<record::Reign>> read_reigns(Context& context, std::uint64_t version) {
  stream::Broker* broker = WEIR_TRY(context.broker());
  WEIR_TRY(context.ensure_topics(kReignsUses));
  const config::TopicsSettings& topics = context.settings().topics;
  record::ReignHistory history;
  std::uint64_t not_read = 0;
  const auto read = [&](const std::string& topic, const auto& parse) -> Status {
    auto log = WEIR_TRY(broker->open_log(topic, stream::StartAt::kEarliest));
    for (const auto& entry : WEIR_TRY(log->read_to_end(kLogTimeout))) {
      auto record = parse(entry.value);
      if (record) history.apply(*record);
      else ++not_read;
    }
    return {};
  };
  WEIR_TRY(during(read(topics.control,
                       [&](std::string_view value) { return context.control_topic().read(value); }),
                  "reading " + topics.control));
  WEIR_TRY(during(read(topics.swaps, record::SwapRecord::parse), "reading " + topics.swaps));
  const std::uint64_t strange = not_read + history.contradictions();
  if (strange > 0) {
    log::warn("left out records that cannot be: somebody else wrote them?",
              {{"topics", topics.control + " and " + topics.swaps}, {"records", strange}});
  }
  return history.reigns(version);
}

std::string origin_text(const registry::ModelOrigin& origin) {
  if (origin.file.empty()) return "a model file of this program";
  return one_line(origin.file) + ", written by " + one_line(origin.tool) + ", sha256 " +
         one_line(origin.sha256);
}

void print_equation(const registry::LoadedModel& loaded) {
  if (const auto* trees = dynamic_cast<const model::BoostedModel*>(loaded.model.get())) {
    return print_trees(*trees);
  }
  const auto model = nlohmann::json::parse(loaded.model->to_json(), nullptr, false);
  if (!model.is_object() || !model.contains("coefficients")) return;
  char number[32];
  std::snprintf(number, sizeof number, "%.4g", model.value("intercept", 0.0));
  std::string line = "      " + one_line(loaded.manifest.schema.target) + " = " + number;
  const auto& coefficients = model.at("coefficients");
  for (std::size_t i = 0; i < coefficients.size(); ++i) {
    const double value = coefficients[i].get<double>();
    std::snprintf(number, sizeof number, "%.4g ", value < 0 ? -value : value);
    const std::string term = (value < 0 ? " - " : " + ") + std::string(number) +
                             one_line(loaded.manifest.schema.features[i]);
    if (line.size() + term.size() > kLineWidth) {
      std::printf("%s\n", line.c_str());
      line = "       ";
    }
    line += term;
  }
  std::printf("%s\n", line.c_str());
}

void print_model_page(const registry::LoadedModel& loaded, const std::string& url,
                      const std::optional<std::vector<record::Reign>>& reigns) {
  const registry::Manifest& manifest = loaded.manifest;
  const std::string after = manifest.parent_version == 0
                                ? ""
                                : ", after model " + std::to_string(manifest.parent_version);
  std::printf("model %" PRIu64 ": %s, %s %s in %.2g s by weir %s%s\n", manifest.version,
              manifest.algorithm.c_str(), manifest.imported ? "imported" : "trained",
              one_line(manifest.trained_at).c_str(), manifest.training_seconds,
              one_line(manifest.program_version).c_str(), after.c_str());
  if (reigns) {
    for (const record::Reign& reign : *reigns) {
      if (reign.resume.outcome != record::Outcome::kTrained) continue;
      std::printf("  trained by  %s, in epoch %" PRIu64 "\n", one_line(reign.resume.by).c_str(),
                  reign.resume.epoch);
    }
  }
  std::printf("  saved as    %s, sha256 %s\n", one_line(url).c_str(),
              manifest.model_sha256.c_str());
  if (manifest.imported) {
    std::printf("  imported    %s\n", origin_text(*manifest.imported).c_str());
  }
  std::printf("  data set    %s, %s, sha256 %s\n", one_line(manifest.dataset.path).c_str(),
              format_bytes(manifest.dataset.length).c_str(), manifest.dataset_sha256.c_str());
  std::printf("  rows        %" PRIu64 ": %" PRIu64 " trained on, %" PRIu64 " held out, %" PRIu64
              " refused\n",
              manifest.rows, manifest.rows_trained, manifest.rows_held_out, manifest.rows_refused);
  if (manifest.has_held_out) {
    std::printf("  held out    RMSE %.4g, MAE %.4g, R² %.4f\n", manifest.held_out.rmse,
                manifest.held_out.mae, manifest.held_out.r2);
  }
  if (const std::string compared = manifest.comparison(); !compared.empty()) {
    std::printf("  better of   %s\n", one_line(compared).c_str());
  }
  if (manifest.quality) {
    std::printf("  quality     %s\n", one_line(registry::quality_text(*manifest.quality)).c_str());
  }
  for (const std::string& note : manifest.notes) {
    std::printf("  note        %s\n", one_line(note).c_str());
  }
  print_equation(loaded);
  if (manifest.fit) std::printf("%s", fit_page(*manifest.fit).c_str());
  if (reigns) print_reigns(*reigns);
}

std::string model_page_json(const registry::LoadedModel& loaded,
                            const std::optional<std::vector<record::Reign>>& reigns) {
  Json json = Json::parse(loaded.manifest.to_json());
  json["model"] = Json::parse(loaded.model->to_json());
  json["reigns"] = nullptr;
  if (reigns) {
    json["reigns"] = Json::array();
    for (const record::Reign& reign : *reigns) json["reigns"].push_back(reign_json(reign));
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace weir::cli
