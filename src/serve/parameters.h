// The parameters of a query, typed: each reader says what is wrong in words that name it.
//
// Threads: pure functions. Errors: kInvalidArgument.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "http/message.h"

namespace weir::serve {

Result<std::optional<std::uint64_t>> number_parameter(const http::Request& request,
                                                      std::string_view name, std::uint64_t min,
                                                      std::uint64_t max);
// RFC 3339, or how long ago ("2h"); in milliseconds since 1970.
Result<std::optional<std::int64_t>> moment_parameter(const http::Request& request,
                                                     std::string_view name, WallTime now);
// "2s", "500ms".
Result<std::optional<Millis>> duration_parameter(const http::Request& request,
                                                 std::string_view name, Millis max);
// Refuses parameters of other names: a slip of the finger is not to pass unseen.
Status only_parameters(const http::Request& request, std::initializer_list<std::string_view> names);
// A whole number of decimal digits in a path.
std::optional<std::uint64_t> number_of(std::string_view text);

}  // namespace weir::serve
