// The target of a request ("/v1/models/a%2fb?limit=3") taken apart.
//
// Threads: pure functions. Errors: nullopt for what no client that means well sends: a broken
// percent-encoding, an encoded NUL, '.' or '..' as a part of the path, more than kPartsMax parts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace weir::http {

inline constexpr std::size_t kPartsMax = 64;  // of a path, and parameters of a query

struct Target {
  std::vector<std::string> segments;
  Fields query;
};

std::optional<Target> parse_target(std::string_view target);
std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space);

}  // namespace weir::http
