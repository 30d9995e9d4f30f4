#include "base/schedule.h"

#include <gtest/gtest.h>

#include "base/time_text.h"

namespace weir {
namespace {

WallTime at(const char* text) { return parse_time(text).value(); }

Schedule schedule(std::vector<std::string> items) { return Schedule::parse(items).value(); }

TEST(Schedule, is_on_arrival_where_nothing_else_is_said) {
  EXPECT_TRUE(Schedule().on_arrival());
  EXPECT_TRUE(Schedule().is_due(at("2026-11-26T10:00:00Z"), at("2026-11-26T10:00:00Z")));
  EXPECT_FALSE(Schedule().next_after(at("2026-11-26T10:00:00Z")));
  EXPECT_EQ(Schedule().text(), "");
}

TEST(Schedule, lets_what_has_come_wait_for_the_next_moment) {
  const Schedule nightly = schedule({"0 2 * * *"});
  const WallTime came = at("2026-11-26T10:00:00Z");
  EXPECT_FALSE(nightly.on_arrival());
  EXPECT_FALSE(nightly.is_due(came, came));
  EXPECT_FALSE(nightly.is_due(came, at("2026-11-27T01:59:59.999Z")));
  EXPECT_TRUE(nightly.is_due(came, at("2026-11-27T02:00:00Z")));
  EXPECT_TRUE(nightly.is_due(came, at("2026-12-24T18:00:00Z"))) << "a moment was missed";
}

TEST(Schedule, takes_the_first_moment_of_all_lines) {
  const Schedule two = schedule({"0 2 * * *", "CRON_TZ=Europe/Zurich 0 12 * * mon-fri"});
  EXPECT_EQ(two.next_after(at("2026-11-26T10:00:00Z")), at("2026-11-26T11:00:00Z"));
  EXPECT_EQ(two.next_after(at("2026-11-26T11:00:00Z")), at("2026-11-27T02:00:00Z"));
  EXPECT_EQ(two.text(), "0 2 * * *; CRON_TZ=Europe/Zurich 0 12 * * mon-fri");
}

TEST(Schedule, takes_what_is_dated_before_1970_as_old) {
  EXPECT_TRUE(schedule({"0 2 * * *"}).is_due(WallTime(Millis{-5}), at("2026-11-26T10:00:00Z")));
}

TEST(Schedule, of_both_takes_things_as_they_come) {
  const Schedule both = schedule({"arrival", "0 2 * * *"});
  EXPECT_TRUE(both.is_due(at("2026-11-26T10:00:00Z"), at("2026-11-26T10:00:00Z")));
  EXPECT_EQ(both.next_after(at("2026-11-26T10:00:00Z")), at("2026-11-27T02:00:00Z"));
}

TEST(Schedule, does_not_repeat_a_moment_where_the_clock_is_put_back) {
  // It came after 02:00, and then the clock was put back: that 02:00 comes again is no new moment.
  EXPECT_FALSE(
      schedule({"0 2 * * *"}).is_due(at("2026-11-26T02:05:00Z"), at("2026-11-26T02:01:00Z")));
}

TEST(Schedule, of_nothing_or_of_what_is_no_line_is_refused) {
  EXPECT_FALSE(Schedule::parse({}));
  EXPECT_FALSE(Schedule::parse(std::vector<std::string>(Schedule::kItemsMax + 1, "arrival")));
  const auto refused = Schedule::parse({"arrival", "0 2 30 2 *"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
  EXPECT_NE(refused.error().message().find("'0 2 30 2 *'"), std::string::npos);
  EXPECT_FALSE(Schedule::parse({"Arrival"}));
}

}  // namespace
}  // namespace weir
