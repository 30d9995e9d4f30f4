// A line of cron, and the next moment at which it is due.
//
//   [CRON_TZ=Europe/Zurich ]minute hour day-of-month month day-of-week
//   [CRON_TZ=Europe/Zurich ]@hourly | @daily | @midnight | @weekly | @monthly | @yearly | @annually
//
// A field is a list of *, numbers, names (jan…, sun…), ranges and steps: `0,30`, `mon-fri`, `*/15`,
// `8-18/2`. Sunday is 0 and 7. Where both days are restricted (neither field begins with *), either
// is enough, as in Vixie cron. Without a zone it is UTC, so that all hosts agree.
//
// Where clocks are put forward, moments that are left out come together as one: the first moment
// after the gap. Where they are put back, what would come twice comes once, the first time. Lines
// of every hour (`*/5 * * * *`) go by elapsed time instead: nothing is made up for, nothing is left
// out.
//
// Threads: a value; constant after parse(). Errors: kInvalidArgument, also for a line that is never
// due, and for a zone that the system does not know.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"

namespace date {
class time_zone;
}

namespace weir {

class CronLine {
 public:
  static constexpr std::size_t kBytesMax = 500;
  // 29 February on a given weekday comes after 40 years at the latest.
  static constexpr int kYearsAheadMax = 41;

  static Result<CronLine> parse(std::string_view text);
  // The first moment after `time`; none within kYearsAheadMax where `time` is outside of the years
  // 1970 to 9000.
  std::optional<WallTime> next_after(WallTime time) const;
  const std::string& text() const { return text_; }

  bool operator==(const CronLine& other) const { return text_ == other.text_; }

 private:
  CronLine() = default;
  Status parse_fields(std::string_view text);
  bool is_ever_due() const;
  bool falls_on(std::int64_t day) const;
  std::optional<std::int64_t> next_local(std::int64_t after, std::int64_t end) const;

  std::string text_;
  const date::time_zone* zone_ = nullptr;  // lives as long as the process; none: UTC
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;    // from 1
  std::bitset<13> months_;  // from 1
  std::bitset<8> weekdays_;
  bool either_day_ = false;  // day of month or day of week is enough
};

}  // namespace weir
