#include "format/date_time.h"

#include <gtest/gtest.h>

#include <ctime>
#include <random>

namespace weir::format {
namespace {

TEST(DateTime, agrees_with_the_calendar_of_the_c_library) {
  std::mt19937_64 random(7);
  // From 0001-01-01 to the end of 9999.
  std::uniform_int_distribution<std::int64_t> any(-62'135'596'800, 253'402'300'799);
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t seconds = any(random);
    const auto moment = static_cast<std::time_t>(seconds);
    std::tm parts{};
    gmtime_r(&moment, &parts);
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", parts.tm_year + 1900,
                  parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
    ASSERT_EQ(parse_date_time(text), static_cast<double>(seconds)) << text;
    ASSERT_EQ(format_date_time(static_cast<double>(seconds)), text);
  }
}

TEST(DateTime, may_lack_the_time_the_seconds_and_the_zone) {
  EXPECT_EQ(parse_date_time("1970-01-02"), 86'400);
  EXPECT_EQ(parse_date_time("1970-01-01T01:02"), 3'720);
  EXPECT_EQ(parse_date_time("1970-01-01 01:02:03"), 3'723);
  EXPECT_EQ(parse_date_time("1970-01-01t00:00:60z"), 60);
  EXPECT_EQ(parse_date_time("1970-01-01T01:00:00+01:00"), 0);
  EXPECT_EQ(parse_date_time("1969-12-31T22:30:00.5-0130"), 0.5);
  EXPECT_EQ(parse_date_time("2024-02-29"), 1'709'164'800);
}

TEST(DateTime, is_read_back_from_its_own_text_to_the_last_bit) {
  std::mt19937_64 random(11);
  std::uniform_int_distribution<std::int64_t> nanoseconds(0, 999'999'999);
  std::uniform_int_distribution<std::int64_t> seconds(-2'000'000'000, 4'000'000'000);
  for (int i = 0; i < 20'000; ++i) {
    const double value =
        static_cast<double>(seconds(random)) + static_cast<double>(nanoseconds(random)) / 1e9;
    const std::string text = format_date_time(value);
    ASSERT_EQ(parse_date_time(text), value) << text;
  }
  EXPECT_EQ(format_date_time(0.25), "1970-01-01T00:00:00.25Z");
}

TEST(DateTime, refuses_whatever_else_there_is) {
  for (const char* text : {"",
                           "2026",
                           "2026-11",
                           "2026-11-25T",
                           "2026-13-01",
                           "2026-00-10",
                           "2025-02-29",
                           "1900-02-29",
                           "2026-11-31",
                           "0000-01-01",
                           "26-11-25",
                           "2026/11/25",
                           "25.11.2026",
                           "2026-11-25T24:00",
                           "2026-11-25T10:60",
                           "2026-11-25T10",
                           "2026-11-25T10:30:61",
                           "2026-11-25T10:30:05.",
                           "2026-11-25T10:30:05.1234567890",
                           "2026-11-25T10:30+1",
                           "2026-11-25T10:30+25:00",
                           "2026-11-25Z",
                           "2026-11-25 ",
                           " 2026-11-25",
                           "2026-11-25T10:30:05Zx",
                           "+2026-11-25",
                           "0001-01-01T00:00+01:00",
                           "9999-12-31T23:59:59-01:00",
                           "9999-12-31T23:59:60"}) {
    EXPECT_FALSE(parse_date_time(text)) << text;
  }
}

}  // namespace
}  // namespace weir::format
