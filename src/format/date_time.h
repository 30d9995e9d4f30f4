// Dates and times of day as text, and as seconds since 1970-01-01T00:00:00Z.
//
//   2026-11-25    2026-11-25T10:30    2026-11-25 10:30:05.25    2026-11-25T10:30:05+01:00    …Z
//
// ISO 8601's extended form, in the Gregorian calendar, years 0001 to 9999 (in UTC, too); a 'T', 't'
// or space before the time; a fraction of up to nine digits; without an offset it is UTC. Second 60
// is taken as the next minute's first.
//
// The number is the sum of two doubles, rounded once: the whole seconds, and the fraction's
// nanoseconds / 1e9. Threads: pure functions. Errors: nullopt for anything else.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir::format {

std::optional<double> parse_date_time(std::string_view text);

// The text, in UTC, that parse_date_time() reads back as the same number: "2026-11-25T10:30:05Z".
// For numbers that came from there.
std::string format_date_time(double seconds);

}  // namespace weir::format
