// Watches the pulses of threads, and tells of one that does not come back.
//
// A call to a server has a bound of its own; a librdkafka call has been seen to exceed it for ever.
// Nothing can end such a thread but the end of the process: look() says when that is due. Work that
// ends by itself (a fit of many columns) is told of, and never a reason to end.
//
// Owner: the supervisor. Threads: one. It reads no clock: the caller says what time it is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/pulse.h"

namespace weir::cli {

struct WatchdogLimits {
  Millis tell_of_call_after{15'000};  // a network that swallows everything is found out by waiting
  Millis tell_of_work_after{60'000};
  Millis give_up_after{300'000};
  Millis look_gap_max{10'000};  // a longer one was the whole process being stopped: not counted
};

class Watchdog {
 public:
  explicit Watchdog(WatchdogLimits limits) : limits_(limits) {}
  // `name` as in "the scorer"; the pulse outlives the watchdog.
  void watch(std::string name, const Pulse& pulse);
  // False once a thread has not come back for so long that it never will; it has been told.
  bool look(SteadyTime now);

 private:
  struct Watched {
    std::string name;
    const Pulse& pulse;
    std::uint64_t beats;
    SteadyTime::duration silent{};  // since the last beat that was seen
    bool told = false;
  };

  const WatchdogLimits limits_;
  std::optional<SteadyTime> last_look_;
  std::vector<Watched> watched_;
};

}  // namespace weir::cli
