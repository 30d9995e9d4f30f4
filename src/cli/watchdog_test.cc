#include "cli/watchdog.h"

#include <gtest/gtest.h>

namespace weir::cli {
namespace {

class WatchdogTest : public testing::Test {
 protected:
  void SetUp() override {
    Pulse::set_own(&pulse);
    dog.watch("scorer", pulse);
    after(Millis{0});
  }
  void TearDown() override { Pulse::set_own(nullptr); }
  // What is logged while some time passes.
  std::string after(Millis time) {
    now += time;
    testing::internal::CaptureStderr();
    alive = dog.look(now);
    return testing::internal::GetCapturedStderr();
  }

  Pulse pulse;
  Watchdog dog{{Millis{15'000}, Millis{60'000}, Millis{300'000}, Millis{400'000}}};
  SteadyTime now{};
  bool alive = true;
};

TEST_F(WatchdogTest, tells_once_of_a_thread_that_does_not_come_back_and_of_its_return) {
  const Inside call("committing a transaction");
  EXPECT_EQ(after(Millis{14'000}), "");  // the call's own beat
  EXPECT_EQ(after(Millis{14'000}), "");
  const std::string told = after(Millis{2'000});
  EXPECT_NE(told.find("the scorer has not come back from a step for 16 s, inside: committing a "
                      "transaction"),
            std::string::npos)
      << told;
  EXPECT_EQ(after(Millis{2'000}), "") << "once";
  pulse.beat();
  EXPECT_NE(after(Millis{2'000}).find("has come back"), std::string::npos);
  EXPECT_TRUE(alive);
}

TEST_F(WatchdogTest, leaves_a_thread_more_time_for_work_of_its_own) {
  EXPECT_EQ(after(Millis{59'000}), "");
  EXPECT_NE(after(Millis{1'000}).find("its own work"), std::string::npos);
}

TEST_F(WatchdogTest, gives_up_a_thread_that_never_comes_back) {
  after(Millis{299'000});
  EXPECT_TRUE(alive);
  EXPECT_NE(after(Millis{1'000}).find("this process ends"), std::string::npos);
  EXPECT_FALSE(alive);
}

TEST_F(WatchdogTest, does_not_count_the_time_in_which_the_whole_process_was_stopped) {
  EXPECT_EQ(after(Millis{3'600'000}), "");
  EXPECT_TRUE(alive);
  EXPECT_NE(after(Millis{300'000}), "");
  EXPECT_FALSE(alive);
}

TEST_F(WatchdogTest, lets_long_work_go_on_but_not_a_call_inside_of_it) {
  const LongWork fit;
  EXPECT_NE(after(Millis{400'000}).find("its own work"), std::string::npos);
  EXPECT_TRUE(alive);
  const Inside call("an exchange with HDFS");
  after(Millis{1'000});
  after(Millis{300'000});
  EXPECT_FALSE(alive);
}

TEST_F(WatchdogTest, is_content_with_a_step_of_many_slow_calls) {
  for (int i = 0; i < 10; ++i) {
    { const Inside call("an exchange with HDFS"); }
    EXPECT_EQ(after(Millis{14'000}), "");
  }
}

}  // namespace
}  // namespace weir::cli
