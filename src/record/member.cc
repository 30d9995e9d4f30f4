#include "record/member.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "record/json_number.h"

namespace weir::record {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::pair<MemberType, const char*>, 5> kNames = {{
    {MemberType::kAlive, "alive"},
    {MemberType::kHalted, "halted"},
    {MemberType::kLeft, "left"},
    {MemberType::kAskTrain, "ask_train"},
    {MemberType::kAskRollback, "ask_rollback"},
}};

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
    return record;
  } catch (const Json::exception& e) {
    return fail(Code::kBadData, std::string("a member record is not as it should be: ") + e.what());
  }
}

}  // namespace weir::record
