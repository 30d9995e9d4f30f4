#include "record/json_number.h"

#include <nlohmann/json.hpp>
#include <string>

namespace weir::record {

std::uint64_t unsigned_at(const nlohmann::json& json, const char* key) {
  const nlohmann::json& value = json.at(key);
  if (!value.is_number_unsigned()) {
    throw nlohmann::json::type_error::create(302, std::string("'") + key + "' is no whole number",
                                             &value);
  }
  return value.get<std::uint64_t>();
}

std::uint64_t unsigned_or_0(const nlohmann::json& json, const char* key) {
  return json.contains(key) ? unsigned_at(json, key) : 0;
}

}  // namespace weir::record
