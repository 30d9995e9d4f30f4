#include "base/schedule.h"

#include <algorithm>

#include "base/text.h"

namespace weir {

Result<Schedule> Schedule::parse(const std::vector<std::string>& items) {
  if (items.empty() || items.size() > kItemsMax) {
    return fail(Code::kInvalidArgument, "a schedule has 1 to " + std::to_string(kItemsMax) +
                                            " items, each `arrival` or a line of cron");
  }
  Schedule schedule;
  schedule.on_arrival_ = false;
  for (const std::string& item : items) {
    if (item == kArrival) {
      schedule.on_arrival_ = true;
      continue;
    }
    schedule.lines_.push_back(
        WEIR_TRY(during(CronLine::parse(item), "reading the line '" + one_line(item) + "'")));
  }
  return schedule;
}

std::optional<WallTime> Schedule::next_after(WallTime time) const {
  std::optional<WallTime> first;
  for (const CronLine& line : lines_) {
    const auto due = line.next_after(time);
    if (due && (!first || *due < *first)) first = due;
  }
  return first;
}

bool Schedule::is_due(WallTime came, WallTime now) const {
  if (on_arrival_) return true;
  const auto due = next_after(std::max(came, WallTime{}));  // a file's time may be before 1970
  return due && *due <= now;
}

std::string Schedule::text() const {
  std::string text;
  for (const CronLine& line : lines_) text += (text.empty() ? "" : "; ") + line.text();
  return text;
}

}  // namespace weir
