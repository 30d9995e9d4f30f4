#include "cli/supervisor.h"

#include <gtest/gtest.h>

#include <condition_variable>

namespace weir::cli {
namespace {

// Inside a call that never returns, until the test lets it.
class StuckRole final : public Role {
 public:
  struct Door {
    std::mutex mutex;
    std::condition_variable changed;
    bool open = false;
  };

  explicit StuckRole(Door& door) : door_(door) {}
  Status step(Millis, std::stop_token) override {
    const Inside call("a call that never returns");
    std::unique_lock lock(door_.mutex);
    door_.changed.wait(lock, [&] { return door_.open; });
    return {};
  }
  void finish() override {}

 private:
  Door& door_;
};

class FailingRole final : public Role {
 public:
  Status step(Millis, std::stop_token) override { return fail(Code::kBadConfig, "no good"); }
  void finish() override {}
};

template <typename Made, typename... Arguments>
RoleSpec spec_of(const std::string& name, Arguments&... arguments) {
  RoleSpec spec;
  spec.name = name;
  spec.open = [&]() -> Result<std::unique_ptr<Role>> {
    return std::unique_ptr<Role>(std::make_unique<Made>(arguments...));
  };
  return spec;
}

TEST(SupervisorThreads, tell_of_a_role_that_never_comes_back) {
  StuckRole::Door door;
  SupervisorOptions options;
  options.watchdog = {Millis{10}, Millis{10}, Millis{50}};
  options.look_every = Millis{1};
  std::stop_source stop;
  bool stuck = false;
  options.on_stuck = [&] {  // in earnest: the end of the process
    stop.request_stop();
    const std::lock_guard lock(door.mutex);
    stuck = door.open = true;
    door.changed.notify_all();
  };
  Supervisor supervisor(system_clock(), options);
  EXPECT_TRUE(supervisor.run({spec_of<StuckRole>("scorer", door)}, stop));
  EXPECT_TRUE(stuck);
}

TEST(SupervisorThreads, end_all_roles_with_the_error_that_no_new_attempt_can_mend) {
  std::stop_source stop;
  Supervisor supervisor(system_clock(), {});
  const Status ended = supervisor.run({spec_of<FailingRole>("scorer")}, stop);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code(), Code::kBadConfig);
  EXPECT_TRUE(stop.stop_requested());
  EXPECT_FALSE(supervisor.first_error());
}

}  // namespace
}  // namespace weir::cli
