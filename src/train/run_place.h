// Where the lines of a run of splits are counted from.
//
// Threads: a plain value. Errors: none.
#pragma once

#include <cstdint>

namespace weir::train {

// Lines of a run's last part count from the part's start, or where the run began in its middle from
// there.
struct RunPlace {
  std::uint64_t first_part = 0;
  std::uint64_t last_part = 0;
  std::uint64_t lines_in_last_part = 0;

  // Takes in the run that follows. Gives what is to be added to its lines in its first part.
  std::uint64_t append(const RunPlace& following) {
    const std::uint64_t before = last_part == following.first_part ? lines_in_last_part : 0;
    const bool goes_on = following.last_part == last_part;
    lines_in_last_part = following.lines_in_last_part + (goes_on ? lines_in_last_part : 0);
    last_part = following.last_part;
    return before;
  }
};

}  // namespace weir::train
