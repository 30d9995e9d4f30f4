// Drives roles, each on a thread of its own, until a stop is asked for; a role that fails is made
// anew after a pause that grows, and says so. An error that no new attempt can mend ends
// everything.
//
// Owner: a command. Threads: run() blocks the calling thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/role.h"

namespace weir::cli {

struct RoleSpec {
  std::string name;
  std::function<Result<std::unique_ptr<Role>>()> open;
  // Asked after each step; true ends this role (and all others where `ends_all`).
  std::function<bool(Role&)> done = [](Role&) { return false; };
  bool ends_all = false;
};

class Supervisor {
 public:
  explicit Supervisor(Clock& clock) : clock_(clock) {}
  // Returns when all roles have ended: after a stop, when all are done, or with the first error
  // that cannot be mended by trying again (bad configuration, no permission, unsupported data).
  Status run(std::vector<RoleSpec> roles, std::stop_source stop);

 private:
  Status drive(const RoleSpec& spec, std::stop_source& stop);

  Clock& clock_;
};

// Turns SIGINT and SIGTERM into a stop; a second one ends the process at once. Construct it before
// any other thread, so that they inherit the blocked signals.
class SignalStop {
 public:
  explicit SignalStop(std::stop_source stop);
  ~SignalStop();
  SignalStop(const SignalStop&) = delete;
  SignalStop& operator=(const SignalStop&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::cli
