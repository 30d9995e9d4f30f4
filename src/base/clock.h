// Time as a role sees it, so that a test can hold the hands of the clock.
//
// Owner: whoever starts the roles (cli, or a test); roles keep a reference, the clock outlives
// them. Threads: all calls from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>

namespace weir {

using Millis = std::chrono::milliseconds;
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Millis>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual SteadyTime steady() = 0;  // for durations and deadlines; never goes back
  virtual WallTime wall() = 0;      // for stamps that people read
  // Returns when the time is over or a stop is asked for, whichever is first.
  virtual void sleep_for(Millis duration, std::stop_token stop) = 0;
};

Clock& system_clock();

// RFC 3339 in UTC with milliseconds: "2026-01-31T09:30:00.125Z".
std::string format_time(WallTime time);

}  // namespace weir
