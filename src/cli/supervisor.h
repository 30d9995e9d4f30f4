// Drives roles, each on a thread of its own, until a stop is asked for; a role that fails is made
// anew after a pause that grows, and says so. An error that no new attempt can mend ends
// everything. A role that does not come back from a step is told of, and at last ends the process.
//
// Owner: a command. Threads: run() blocks the calling thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/role.h"
#include "cli/watchdog.h"

namespace weir::cli {

struct RoleSpec {
  std::string name;
  std::function<Result<std::unique_ptr<Role>>()> open;
  // Asked after each step; true ends this role (and all others where `ends_all`).
  std::function<bool(Role&)> done = [](Role&) { return false; };
  bool ends_all = false;
};

struct SupervisorOptions {
  WatchdogLimits watchdog;
  Millis look_every{1'000};
  std::function<void()> on_stuck;  // a role never comes back; does not return, but in tests
};

class Supervisor {
 public:
  Supervisor(Clock& clock, SupervisorOptions options)
      : clock_(clock), options_(std::move(options)) {}
  // Returns when all roles have ended: after a stop, when all are done, or with the first error
  // that cannot be mended by trying again (bad configuration, no permission, unsupported data).
  Status run(std::vector<RoleSpec> roles, std::stop_source stop);
  // The first such error so far. From any thread.
  Status first_error() const;

 private:
  Status drive(const RoleSpec& spec, std::stop_source& stop, Pulse& pulse);
  void watch(Watchdog dog, std::stop_token ended);

  Clock& clock_;
  const SupervisorOptions options_;
  mutable std::mutex mutex_;
  Status first_error_;  // guarded by mutex_
};

}  // namespace weir::cli
