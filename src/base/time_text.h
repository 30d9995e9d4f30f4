// Moments as text: what format_time() (clock.h) writes, and all else that RFC 3339 allows.
//
// Threads: pure functions. Errors: nullopt.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace weir {

// "2026-11-25T10:00:00Z", ".125" behind the seconds and "+01:00" for the Z as one likes. Digits
// beyond milliseconds are dropped.
std::optional<WallTime> parse_time(std::string_view text);

}  // namespace weir
