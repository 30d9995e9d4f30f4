// A moment as people name it on a command line: a date with time, or how long ago.
//
//   2026-11-25T10:00:00Z    2026-11-25T10:00:00.250+01:00    2h
//
// Threads: a pure function. Errors: nullopt for anything else.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace weir {

std::optional<WallTime> parse_moment(std::string_view text, WallTime now);

}  // namespace weir
