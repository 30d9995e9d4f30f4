// Whole numbers out of JSON that others wrote. nlohmann-json by itself turns -1 and 1.5 into some
// unsigned number without a word.
//
// Threads: pure functions. Errors: exceptions of nlohmann-json, for the parse functions that catch
// these anyway.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

namespace weir::record {

std::uint64_t unsigned_at(const nlohmann::json& json, const char* key);
std::uint64_t unsigned_or_0(const nlohmann::json& json, const char* key);  // 0 where it is missing

}  // namespace weir::record
