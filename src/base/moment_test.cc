#include "base/moment.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

const WallTime kNow = WallTime(Millis(1'700'000'000'000));

TEST(Moment, is_a_date_with_time_in_any_zone) {
  const auto at = [](const char* text) {
    const auto moment = parse_moment(text, kNow);
    return moment ? format_time(*moment) : "none";
  };
  EXPECT_EQ(at("2026-11-25T10:00:00Z"), "2026-11-25T10:00:00.000Z");
  EXPECT_EQ(at("2026-11-25T10:00:00.25+01:30"), "2026-11-25T08:30:00.250Z");
  EXPECT_EQ(at("2026-11-25 10:00:00.123456-00:30"), "2026-11-25T10:30:00.123Z");
  EXPECT_EQ(at("2024-02-29t23:59:59z"), "2024-02-29T23:59:59.000Z");
}

TEST(Moment, is_how_long_ago) {
  EXPECT_EQ(parse_moment("2h", kNow), kNow - std::chrono::hours(2));
  EXPECT_EQ(parse_moment("250ms", kNow), kNow - Millis(250));
}

TEST(Moment, is_nothing_else) {
  for (const char* text :
       {"", "yesterday", "2026-11-25", "2026-11-25T10:00:00", "2026-02-30T10:00:00Z",
        "2026-11-25T24:00:00Z", "2026-11-25T10:60:00Z", "2026-11-25T10:00:00.Z",
        "2026-11-25T10:00:00Zjunk", "2026-11-25T10:00:00+1:00", "2026-11-25T10:00:00+24:00", "10",
        "-1h", "2026-+1-25T10:00:00Z", "2026-11-25T10:-1:00Z", "2026-11-25T10:-0:00Z"}) {
    EXPECT_FALSE(parse_moment(text, kNow)) << text;
  }
}

}  // namespace
}  // namespace weir
