// Named places where a process may die, so that tests can make it die exactly there.
//
// A role is handed CrashPoints and calls reach("renamed") between two steps that must survive a
// crash. In production the object is kill_at_env(): it does nothing unless WEIR_CRASH_AT names the
// place (an optional ":N" means the Nth time), and then the process gets SIGKILL. A unit test hands
// in a function that throws SimulatedCrash instead.
#pragma once

#include <functional>
#include <string_view>

namespace weir {

struct SimulatedCrash {
  std::string_view at;
};

class CrashPoints {
 public:
  CrashPoints() = default;
  explicit CrashPoints(std::function<void(std::string_view)> on_reach)
      : on_reach_(std::move(on_reach)) {}
  void reach(std::string_view place) const {
    if (on_reach_) on_reach_(place);
  }
  static CrashPoints kill_at_env();

 private:
  std::function<void(std::string_view)> on_reach_;
};

}  // namespace weir
