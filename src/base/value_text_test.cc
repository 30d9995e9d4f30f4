#include "base/value_text.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

using namespace std::chrono_literals;

TEST(ValueText, reads_durations_in_every_unit) {
  EXPECT_EQ(parse_duration("100ms"), 100ms);
  EXPECT_EQ(parse_duration("2s"), 2s);
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("5m"), 5min);
  EXPECT_EQ(parse_duration("2h"), 2h);
  EXPECT_EQ(parse_duration("1d"), 24h);
  EXPECT_EQ(parse_duration("0"), 0ms);
}

TEST(ValueText, refuses_what_is_no_duration) {
  for (const char* text : {"", "2", "s", "2 s", "-2s", "+2s", "2S", "2sec", "0.5ms", "1e3s", "..s",
                           "1.2.3s", "99999999999999999999d", "2s ", "nan", "infs"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(ValueText, reads_sizes_and_refuses_the_rest) {
  EXPECT_EQ(parse_size("64MB"), 64'000'000);
  EXPECT_EQ(parse_size("1MiB"), 1'048'576);
  EXPECT_EQ(parse_size("500kB"), 500'000);
  EXPECT_EQ(parse_size("7B"), 7);
  for (const char* text : {"", "64", "64M", "MB", "-1MB", "0.5B", "64 MB", "99999999999TB"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
}

TEST(ValueText, writes_the_largest_unit_that_is_exact_and_reads_it_back) {
  EXPECT_EQ(format_duration(100ms), "100ms");
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(120s), "2m");
  EXPECT_EQ(format_duration(0ms), "0ms");
  EXPECT_EQ(format_size(64'000'000), "64MB");
  EXPECT_EQ(format_size(1'048'576), "1MiB");
  for (std::int64_t value = 0; value < 200'000; value += 7) {
    EXPECT_EQ(parse_duration(format_duration(Millis(value))), Millis(value));
    EXPECT_EQ(parse_size(format_size(value)), value);
  }
}

}  // namespace
}  // namespace weir
