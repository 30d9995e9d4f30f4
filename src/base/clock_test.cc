#include "base/clock.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/simulated_clock.h"

namespace weir {
namespace {

TEST(FormatTime, is_rfc3339_in_utc_with_milliseconds) {
  EXPECT_EQ(format_time(WallTime(Millis{0})), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_time(WallTime(Millis{1769851800125})), "2026-01-31T09:30:00.125Z");
}

TEST(SimulatedClock, stands_still_until_it_is_moved_or_slept_on) {
  SimulatedClock clock;
  const SteadyTime before = clock.steady();
  EXPECT_EQ(format_time(clock.wall()), "2026-01-01T00:00:00.000Z");
  EXPECT_EQ(clock.steady(), before);
  clock.advance(Millis{1500});
  clock.sleep_for(Millis{500}, {});
  EXPECT_EQ(clock.steady() - before, Millis{2000});
  EXPECT_EQ(format_time(clock.wall()), "2026-01-01T00:00:02.000Z");
}

TEST(SystemClock, does_not_sleep_once_a_stop_was_asked_for) {
  std::stop_source stop;
  stop.request_stop();
  const SteadyTime before = system_clock().steady();
  system_clock().sleep_for(std::chrono::hours(1), stop.get_token());
  EXPECT_LT(system_clock().steady() - before, std::chrono::minutes(1));
}

TEST(SystemClockThreads, wakes_from_sleep_when_a_stop_is_asked_for) {
  const SteadyTime before = system_clock().steady();
  std::stop_source stop;
  std::jthread sleeper([&] { system_clock().sleep_for(std::chrono::hours(1), stop.get_token()); });
  stop.request_stop();
  sleeper.join();
  EXPECT_LT(system_clock().steady() - before, std::chrono::minutes(1));
}

}  // namespace
}  // namespace weir
