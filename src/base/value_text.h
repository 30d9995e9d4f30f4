// Durations and sizes as people write them: "100ms", "1.5s", "5m"; "64MB", "1MiB".
//
// A unit must be given, so that nobody takes seconds for milliseconds; only 0 needs none. Threads:
// pure functions. Errors: nullopt for anything else, a fraction of the smallest unit included.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace weir {

std::optional<Millis> parse_duration(std::string_view text);  // ms, s, m, h, d
std::string format_duration(Millis duration);                 // the largest unit that is exact
std::string seconds_text(Millis duration);                    // "13 s": whole ones, rounded up

std::optional<std::int64_t> parse_size(std::string_view text);  // B, kB…TB (1000), KiB…TiB (1024)
std::string format_size(std::int64_t bytes);

}  // namespace weir
