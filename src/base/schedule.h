// When something that has come may be taken up: as it comes, at the moments that lines of cron
// name, or both.
//
// Nothing has to be remembered: a thing that came at t is due once there has been a moment of the
// schedule after t. So what was missed while nobody looked comes as one, and so do the moments
// that pass while something else is at work.
//
// Threads: a value; constant after parse(). Errors: kInvalidArgument.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/cron_line.h"
#include "base/error.h"

namespace weir {

class Schedule {
 public:
  static constexpr std::string_view kArrival = "arrival";
  static constexpr std::size_t kItemsMax = 100;

  Schedule() = default;  // on arrival
  // Each item is the word `arrival` or a line of cron; at least one.
  static Result<Schedule> parse(const std::vector<std::string>& items);

  bool on_arrival() const { return on_arrival_; }
  // Of all lines, the first moment after `time`; none where there are no lines.
  std::optional<WallTime> next_after(WallTime time) const;
  // May what came at `came` be taken up at `now`?
  bool is_due(WallTime came, WallTime now) const;
  // The lines, as they were given; empty where there are none.
  std::string text() const;

 private:
  bool on_arrival_ = true;
  std::vector<CronLine> lines_;
};

}  // namespace weir
