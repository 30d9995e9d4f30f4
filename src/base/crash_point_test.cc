#include "base/crash_point.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

namespace weir {
namespace {

// Sets WEIR_CRASH_AT for one test.
class CrashAt {
 public:
  explicit CrashAt(const char* value) {
    if (value != nullptr) setenv("WEIR_CRASH_AT", value, 1);
    else unsetenv("WEIR_CRASH_AT");
  }
  ~CrashAt() { unsetenv("WEIR_CRASH_AT"); }
};

TEST(CrashPoints, do_nothing_unless_told) {
  CrashPoints().reach("renamed");
  for (const char* value : {static_cast<const char*>(nullptr), ""}) {
    const CrashAt crash_at(value);
    CrashPoints::kill_at_env().reach("renamed");
  }
}

TEST(CrashPoints, call_the_function_of_a_test) {
  std::vector<std::string> reached;
  const CrashPoints points([&](std::string_view place) {
    reached.emplace_back(place);
    if (place == "renamed") throw SimulatedCrash{place};
  });
  points.reach("trained");
  EXPECT_THROW(points.reach("renamed"), SimulatedCrash);
  EXPECT_EQ(reached, (std::vector<std::string>{"trained", "renamed"}));
}

TEST(CrashPointsDeathTest, kill_the_process_at_the_named_place_only) {
  const CrashAt crash_at("renamed");
  const CrashPoints points = CrashPoints::kill_at_env();
  points.reach("trained");
  points.reach("renamed-not");
  EXPECT_EXIT(points.reach("renamed"), ::testing::KilledBySignal(SIGKILL), "");
}

TEST(CrashPointsDeathTest, kill_the_process_the_nth_time) {
  const CrashAt crash_at("committed:3");
  const CrashPoints points = CrashPoints::kill_at_env();
  const CrashPoints copy = points;  // counts along
  points.reach("committed");
  copy.reach("committed");
  EXPECT_EXIT(points.reach("committed"), ::testing::KilledBySignal(SIGKILL), "");
}

}  // namespace
}  // namespace weir
