#include "cli/watchdog.h"

#include "base/log.h"

namespace weir::cli {
namespace {

std::string seconds(SteadyTime::duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()) + " s";
}

}  // namespace

void Watchdog::watch(std::string name, const Pulse& pulse) {
  watched_.push_back({std::move(name), pulse, pulse.beats()});
}

bool Watchdog::look(SteadyTime now) {
  bool all_come_back = true;
  const SteadyTime::duration gap = now - last_look_.value_or(now);
  const SteadyTime::duration passed = gap <= limits_.look_gap_max ? gap : SteadyTime::duration{};
  last_look_ = now;
  for (Watched& one : watched_) {
    if (one.pulse.ended()) continue;
    const std::uint64_t beats = one.pulse.beats();
    if (beats != one.beats) {
      if (one.told) log::warn("the " + one.name + " has come back and goes on");
      one.beats = beats;
      one.silent = {};
      one.told = false;
      continue;
    }
    one.silent += passed;
    const char* inside = one.pulse.inside();
    const std::string words = "the " + one.name + " has not come back from a step for " +
                              seconds(one.silent) +
                              ", inside: " + (inside ? inside : "its own work");
    const Millis tell_after = inside ? limits_.tell_of_call_after : limits_.tell_of_work_after;
    if (one.silent >= tell_after && !one.told) {
      one.told = true;
      log::warn(words);
    }
    if (one.silent < limits_.give_up_after || (!inside && one.pulse.at_long_work())) continue;
    log::error(words + "; this process ends, so that a supervisor can start it again");
    all_come_back = false;
  }
  return all_come_back;
}

}  // namespace weir::cli
