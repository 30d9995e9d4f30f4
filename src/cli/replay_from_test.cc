#include "cli/replay_from.h"

#include <gmock/gmock.h>

#include "base/moment.h"

namespace weir::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

const WallTime kNow{Millis{1'800'000'000'000}};

std::int64_t time_of(std::string_view text) {
  const auto start = parse_replay_from(text, kNow);
  EXPECT_TRUE(start) << start.error().message();
  if (!start || !start->time_ms) return -1;
  EXPECT_THAT(start->offsets, IsEmpty());
  return *start->time_ms;
}

TEST(ReplayFrom, earliest_is_everything) {
  const auto start = parse_replay_from("earliest", kNow);
  ASSERT_TRUE(start);
  EXPECT_FALSE(start->time_ms);
  EXPECT_THAT(start->offsets, IsEmpty());
}

TEST(ReplayFrom, takes_offsets_by_partition) {
  auto start = parse_replay_from("0:100,12:0", kNow);
  ASSERT_TRUE(start) << start.error().message();
  EXPECT_THAT(start->offsets, ElementsAre(Pair(0, 100), Pair(12, 0)));
  EXPECT_FALSE(start->time_ms);
  start = parse_replay_from("3:9223372036854775807", kNow);
  ASSERT_TRUE(start);
  EXPECT_THAT(start->offsets, ElementsAre(Pair(3, INT64_MAX)));
}

TEST(ReplayFrom, takes_times_in_any_zone) {
  EXPECT_EQ(time_of("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(time_of("2026-11-25T10:00:00Z"), 1'795'600'800'000);
  EXPECT_EQ(time_of("2026-11-25T12:00:00+02:00"), 1'795'600'800'000);
  EXPECT_EQ(time_of("2026-11-25T05:30:00-04:30"), 1'795'600'800'000);
  EXPECT_EQ(time_of("2026-11-25t10:00:00.5z"), 1'795'600'800'500);
  EXPECT_EQ(time_of("2026-11-25 10:00:00.12349Z"), 1'795'600'800'123);
  EXPECT_EQ(time_of("2024-02-29T23:59:60Z"), 1'709'251'200'000);
}

TEST(ReplayFrom, reads_back_what_the_program_writes) {
  const WallTime time{Millis{1'795'600'800'125}};
  EXPECT_EQ(parse_moment(format_time(time), kNow), time);
}

TEST(ReplayFrom, takes_a_duration_back_from_now) {
  EXPECT_EQ(time_of("2h"), kNow.time_since_epoch().count() - 7'200'000);
  EXPECT_EQ(time_of("1.5s"), kNow.time_since_epoch().count() - 1'500);
}

TEST(ReplayFrom, refuses_everything_else_and_says_what_is_legal) {
  for (const char* text : {"",
                           "0",
                           "100",
                           "0:",
                           ":1",
                           "0:1,",
                           ",0:1",
                           "0:1,0:2",
                           "0:1;1:2",
                           "-1:4",
                           "0:-4",
                           "0:1.5",
                           "4294967296:1",
                           "0:99999999999999999999",
                           "2 hours",
                           "-2h",
                           "latest",
                           "2026-11-25",
                           "2026-11-25T10:00:00",
                           "2026-02-29T10:00:00Z",
                           "2026-13-01T10:00:00Z",
                           "2026-11-25T24:00:00Z",
                           "2026-11-25T10:60:00Z",
                           "2026-11-25T10:00:00.Z",
                           "2026-11-25T10:00:00+0200",
                           "2026-11-25T10:00:00Zx",
                           "1969-12-31T23:59:59Z",
                           "999999d",
                           "0:1\n1:2"}) {
    const auto start = parse_replay_from(text, kNow);
    ASSERT_FALSE(start) << text;
    EXPECT_EQ(start.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(start.error().message(), HasSubstr("0:100,1:250"));
  }
}

}  // namespace
}  // namespace weir::cli
