#include "record/swap.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "record/control.h"
#include "record/json_number.h"

namespace weir::record {
namespace {

using Json = nlohmann::json;

}  // namespace

std::string SwapRecord::to_json() const {
  nlohmann::ordered_json json;
  json["type"] = "swap";
  json["epoch"] = epoch;
  json["version"] = version;
  json["partition"] = partition;
  json["offset"] = offset;
  json["member"] = member;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<SwapRecord> SwapRecord::parse(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return fail(Code::kBadData, "a swap record is no JSON object");
  try {
    const std::string type = json.at("type");
    if (type != "swap") {
      return fail(Code::kUnsupported, "a swap record has the unknown type '" + type +
                                          "'; it was written by a newer version of the program");
    }
    SwapRecord record;
    record.epoch = unsigned_at(json, "epoch");
    record.version = unsigned_at(json, "version");
    const std::uint64_t partition = unsigned_at(json, "partition");
    const std::uint64_t offset = unsigned_at(json, "offset");
    record.member = json.at("member");
    if (record.epoch == 0 || record.version == 0 || record.epoch > kEpochMax ||
        record.version > kEpochMax) {
      return fail(Code::kBadData, "a swap record has an epoch or version that cannot be");
    }
    if (partition > std::numeric_limits<std::int32_t>::max() ||
        offset > std::numeric_limits<std::int64_t>::max()) {
      return fail(Code::kBadData, "a swap record has a partition or offset that cannot be");
    }
    record.partition = static_cast<std::int32_t>(partition);
    record.offset = static_cast<std::int64_t>(offset);
    return record;
  } catch (const Json::exception& e) {
    return fail(Code::kBadData, std::string("a swap record is not as it should be: ") + e.what());
  }
}

}  // namespace weir::record
