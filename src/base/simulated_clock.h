// A clock that stands still until a test moves it, or until somebody sleeps: then it jumps.
//
// Owner: the test. Threads: any.
#pragma once

#include <atomic>

#include "base/clock.h"

namespace weir {

class SimulatedClock final : public Clock {
 public:
  SteadyTime steady() override { return SteadyTime(Millis(now_ms_)); }
  // Starts at 2026-01-01T00:00:00Z.
  WallTime wall() override { return WallTime(Millis(1767225600000 + now_ms_)); }
  void sleep_for(Millis duration, std::stop_token) override { advance(duration); }
  void advance(Millis duration) { now_ms_ += duration.count(); }

 private:
  std::atomic<std::int64_t> now_ms_{0};
};

}  // namespace weir
