#include "record/control.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "record/json_number.h"

namespace weir::record {
namespace {

using Json = nlohmann::json;

std::string_view type_name(ControlType type) {
  switch (type) {
    case ControlType::kHalt: return "halt";
    case ControlType::kTrain: return "train";
    case ControlType::kResume: return "resume";
  }
  return "";
}

std::optional<ControlType> type_of(std::string_view name) {
  for (const auto type : {ControlType::kHalt, ControlType::kTrain, ControlType::kResume}) {
    if (type_name(type) == name) return type;
  }
  return std::nullopt;
}

std::optional<Outcome> outcome_of(std::string_view name) {
  for (const auto outcome :
       {Outcome::kTrained, Outcome::kRefused, Outcome::kFailed, Outcome::kRolledBack}) {
    if (outcome_name(outcome) == name) return outcome;
  }
  return std::nullopt;
}

// JSON's names are texts: {"0":1234,"1":9}.
nlohmann::ordered_json ends_json(const std::map<std::int32_t, std::int64_t>& ends) {
  auto json = nlohmann::ordered_json::object();
  for (const auto& [partition, end] : ends) json[std::to_string(partition)] = end;
  return json;
}

// False where something is no partition or no offset.
bool read_ends(const Json& json, std::map<std::int32_t, std::int64_t>& ends) {
  if (!json.is_object()) return false;
  for (const auto& [name, end] : json.items()) {
    const auto partition = parse_int64(name);
    if (!partition || *partition < 0 || *partition > std::numeric_limits<std::int32_t>::max() ||
        !end.is_number_unsigned() ||
        end.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) {
      return false;
    }
    ends[static_cast<std::int32_t>(*partition)] = end.get<std::int64_t>();
  }
  return true;
}

}  // namespace

std::string_view outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kTrained: return "trained";
    case Outcome::kRefused: return "refused";
    case Outcome::kFailed: return "failed";
    case Outcome::kRolledBack: return "rolled_back";
  }
  return "";
}

std::string ControlRecord::to_json() const {
  nlohmann::ordered_json json;
  json["type"] = type_name(type);
  json["epoch"] = epoch;
  if (dataset) {
    json["dataset"] = {{"path", dataset->path},
                       {"length", dataset->length},
                       {"modified_ms", dataset->modified_ms},
                       {"file_id", dataset->file_id}};
  }
  if (rollback_to) json["rollback_to"] = *rollback_to;
  if (type == ControlType::kResume) {
    json["version"] = version;
    json["sha256"] = sha256;
    json["outcome"] = outcome_name(outcome);
    if (output_ends) {
      json["predictions"] = ends_json(output_ends->predictions);
      json["dead"] = ends_json(output_ends->dead);
    }
  }
  if (!reason.empty()) json["reason"] = reason;
  json["by"] = by;
  json["at"] = at;
  // Names come from a file system and need not be UTF-8; a replacement mark is better than no
  // record.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<ControlRecord> ControlRecord::parse(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return fail(Code::kBadData, "a control record is no JSON object");
  try {
    ControlRecord record;
    const std::string type = json.at("type");
    const auto known = type_of(type);
    if (!known) {
      return fail(Code::kUnsupported, "a control record has the unknown type '" + type +
                                          "'; it was written by a newer version of the program");
    }
    record.type = *known;
    record.epoch = unsigned_at(json, "epoch");
    if (json.contains("dataset")) {
      const Json& dataset = json.at("dataset");
      record.dataset = DatasetIdentity{dataset.at("path"), unsigned_at(dataset, "length"),
                                       dataset.at("modified_ms"), dataset.at("file_id")};
    }
    if (json.contains("rollback_to")) {
      record.rollback_to = unsigned_at(json, "rollback_to");
    }
    if (record.type == ControlType::kResume) {
      record.version = unsigned_at(json, "version");
      record.sha256 = json.at("sha256");
      const auto outcome = outcome_of(json.at("outcome").get<std::string>());
      if (!outcome) return fail(Code::kUnsupported, "a resume has an unknown outcome");
      record.outcome = *outcome;
      if (json.contains("predictions") || json.contains("dead")) {
        record.output_ends.emplace();
        if (!read_ends(json.at("predictions"), record.output_ends->predictions) ||
            !read_ends(json.at("dead"), record.output_ends->dead)) {
          return fail(Code::kBadData, "a resume has ends of topics that cannot be");
        }
      }
    }
    if (record.epoch > kEpochMax || record.version > kEpochMax) {
      return fail(Code::kBadData,
                  "a control record has an epoch or version beyond any that there is");
    }
    const bool begins = record.type != ControlType::kResume;
    if (begins && record.dataset.has_value() == record.rollback_to.has_value()) {
      return fail(Code::kBadData, "a control record begins an epoch without a cause, or with two");
    }
    record.reason = json.value("reason", "");
    record.by = json.value("by", "");
    record.at = json.value("at", "");
    return record;
  } catch (const Json::exception& e) {
    return fail(Code::kBadData,
                std::string("a control record is not as it should be: ") + e.what());
  }
}

Status ControlState::apply(const ControlRecord& record) {
  if (record.type != ControlType::kResume) {
    if (begun) {
      return fail(Code::kCorrupt, "epoch " + std::to_string(record.epoch) +
                                      " begins before epoch " + std::to_string(begun->epoch) +
                                      " has ended");
    }
    if (record.epoch <= epoch) {
      return fail(Code::kCorrupt, "epoch " + std::to_string(record.epoch) +
                                      " does not follow epoch " + std::to_string(epoch));
    }
    epoch = record.epoch;
    if (record.type == ControlType::kHalt) halt_epoch = record.epoch;
    begun = record;
    last_begun = record;
    if (record.dataset) {
      last_taken_up = record;
      last_taken_up_end.reset();
    }
    return {};
  }
  if (!begun || begun->epoch != record.epoch) {
    return fail(Code::kCorrupt,
                "a resume of epoch " + std::to_string(record.epoch) + ", which is not under way");
  }
  ruling_epoch = record.epoch;
  version = record.version;
  sha256 = record.sha256;
  last_resume = record;
  if (begun->dataset) last_taken_up_end = record;
  begun.reset();
  return {};
}

}  // namespace weir::record
