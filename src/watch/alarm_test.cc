#include "watch/alarm.h"

#include <gtest/gtest.h>

namespace weir::watch {
namespace {

using namespace std::chrono_literals;

class AlarmTest : public ::testing::Test {
 protected:
  AlarmChange after(Millis time, double value) {
    now_ += time;
    return alarm_.update(value, now_);
  }
  SteadyTime now_{};
  Alarm alarm_{10, 8, 60s};
};

TEST_F(AlarmTest, is_raised_once_when_the_figure_has_been_too_high_for_a_while) {
  EXPECT_EQ(after(0s, 11), AlarmChange::kNone);
  EXPECT_EQ(after(59s, 12), AlarmChange::kNone);
  EXPECT_FALSE(alarm_.raised());
  EXPECT_EQ(after(1s, 11), AlarmChange::kRaised);
  EXPECT_TRUE(alarm_.raised());
  EXPECT_EQ(after(600s, 99), AlarmChange::kNone);
}

TEST_F(AlarmTest, is_not_raised_by_what_passes) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(after(40s, 11), AlarmChange::kNone);
    EXPECT_EQ(after(5s, 10), AlarmChange::kNone) << "the bound itself is within it";
  }
}

TEST_F(AlarmTest, is_cleared_below_the_lower_bound_alone) {
  after(0s, 11);
  after(60s, 11);
  ASSERT_TRUE(alarm_.raised());
  EXPECT_EQ(after(60s, 9), AlarmChange::kNone);
  EXPECT_EQ(after(600s, 9), AlarmChange::kNone) << "between the bounds nothing changes";
  EXPECT_EQ(after(0s, 8), AlarmChange::kNone);
  EXPECT_EQ(after(60s, 7), AlarmChange::kCleared);
  EXPECT_EQ(after(600s, 9), AlarmChange::kNone);
  EXPECT_FALSE(alarm_.raised());
}

TEST_F(AlarmTest, counts_no_time_in_which_the_figure_is_not_known) {
  after(0s, 11);
  now_ += 600s;
  alarm_.unknown();
  EXPECT_EQ(after(600s, 11), AlarmChange::kNone);
  EXPECT_EQ(after(60s, 11), AlarmChange::kRaised);
}

TEST_F(AlarmTest, without_a_while_to_last_rings_at_once) {
  Alarm alarm(10, 8, 0s);
  EXPECT_EQ(alarm.update(11, now_), AlarmChange::kRaised);
  EXPECT_EQ(alarm.update(8, now_), AlarmChange::kCleared);
}

}  // namespace
}  // namespace weir::watch
