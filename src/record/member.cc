#include "record/member.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "record/json_number.h"

namespace weir::record {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::pair<MemberType, const char*>, 7> kNames = {{
    {MemberType::kAlive, "alive"},
    {MemberType::kHalted, "halted"},
    {MemberType::kLeft, "left"},
    {MemberType::kAskTrain, "ask_train"},
    {MemberType::kAskRollback, "ask_rollback"},
    {MemberType::kTrainer, "trainer"},
    {MemberType::kAnswer, "answer"},
}};

// A heartbeat is small, whatever is named in it.
constexpr std::size_t kWaitingForBytesMax = 2'000;

void write_progress(nlohmann::ordered_json& json, const MemberProgress& progress) {
  if (progress.model != 0) json["model"] = progress.model;
  if (progress.model_epoch != 0) json["model_epoch"] = progress.model_epoch;
  if (!progress.waiting_for.empty()) {
    json["waiting_for"] = beginning_of(progress.waiting_for, kWaitingForBytesMax);
    json["waiting_ms"] = progress.waiting_ms;
  }
  if (progress.scored != 0) json["scored"] = progress.scored;
  if (progress.dead != 0) json["dead"] = progress.dead;
  for (const PartitionProgress& one : progress.partitions) {
    nlohmann::ordered_json partition = {{"partition", one.partition}, {"next", one.next}};
    if (one.end) partition["end"] = *one.end;
    if (one.last_record_age_ms) partition["last_record_age_ms"] = *one.last_record_age_ms;
    if (one.answered) partition["answered"] = *one.answered;
    json["partitions"].push_back(std::move(partition));
  }
  for (const PartitionRange& range : progress.also_holds) {
    json["also_holds"].push_back({range.first, range.last});
  }
  if (progress.watch) json["watch"] = watch_report_json(*progress.watch);
  if (progress.cache) json["cache"] = to_json(*progress.cache);
}

// What nothing depends on: of another version's, which may look otherwise, nothing is known.
template <typename Read>
auto read_or_none(const Json& json, const char* key, Read read)
    -> std::optional<decltype(read(json))> {
  if (!json.contains(key)) return std::nullopt;
  try {
    return read(json.at(key));
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::vector<PartitionRange> read_ranges(const Json& json) {
  std::vector<PartitionRange> ranges;
  for (const Json& one : json) {
    const auto range = one.get<std::array<std::int32_t, 2>>();
    ranges.push_back({range[0], range[1]});
  }
  return ranges;
}

MemberProgress read_progress(const Json& json) {
  MemberProgress progress;
  progress.model = unsigned_or_0(json, "model");
  progress.model_epoch = unsigned_or_0(json, "model_epoch");
  progress.waiting_for = json.value("waiting_for", "");
  progress.waiting_ms = static_cast<std::int64_t>(unsigned_or_0(json, "waiting_ms"));
  progress.scored = unsigned_or_0(json, "scored");
  progress.dead = unsigned_or_0(json, "dead");
  progress.watch = read_or_none(json, "watch", read_watch_report);
  progress.cache = read_or_none(json, "cache", cache_state_from);
  progress.also_holds = read_or_none(json, "also_holds", read_ranges).value_or(progress.also_holds);
  if (!json.contains("partitions")) return progress;
  for (const Json& one : json.at("partitions")) {
    PartitionProgress partition;
    partition.partition = static_cast<std::int32_t>(unsigned_at(one, "partition"));
    partition.next = static_cast<std::int64_t>(unsigned_at(one, "next"));
    const auto optional = [&](const char* name) -> std::optional<std::int64_t> {
      if (!one.contains(name)) return std::nullopt;
      return static_cast<std::int64_t>(unsigned_at(one, name));
    };
    partition.end = optional("end");
    partition.last_record_age_ms = optional("last_record_age_ms");
    partition.answered = optional("answered");
    progress.partitions.push_back(partition);
  }
  return progress;
}

}  // namespace

std::string MemberRecord::to_json() const {
  nlohmann::ordered_json json;
  for (const auto& [known, name] : kNames) {
    if (known == type) json["type"] = name;
  }
  json["member"] = member;
  if (!role.empty()) json["role"] = role;
  if (!transactional_id.empty()) json["transactional_id"] = transactional_id;
  if (epoch != 0) json["epoch"] = epoch;
  if (version != 0) json["version"] = version;
  if (!request.empty()) json["request"] = request;
  if (!dataset.empty()) json["dataset"] = dataset;
  if (within_ms != 0) json["within_ms"] = within_ms;
  if (!reason.empty()) json["reason"] = reason;
  write_progress(json, progress);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<MemberRecord> MemberRecord::parse(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return fail(Code::kBadData, "a member record is no JSON object");
  try {
    MemberRecord record;
    const std::string type = json.at("type");
    bool found = false;
    for (const auto& [known, name] : kNames) {
      if (type != name) continue;
      record.type = known;
      found = true;
    }
    if (!found) return fail(Code::kBadData, "a member record has the unknown type '" + type + "'");
    record.member = json.at("member");
    record.role = json.value("role", "");
    record.transactional_id = json.value("transactional_id", "");
    record.epoch = unsigned_or_0(json, "epoch");
    record.version = unsigned_or_0(json, "version");
    record.request = json.value("request", "");
    record.dataset = json.value("dataset", "");
    record.within_ms = static_cast<std::int64_t>(unsigned_or_0(json, "within_ms"));
    record.reason = json.value("reason", "");
    record.progress = read_progress(json);
    return record;
  } catch (const Json::exception& e) {
    return fail(Code::kBadData, std::string("a member record is not as it should be: ") + e.what());
  }
}

}  // namespace weir::record
