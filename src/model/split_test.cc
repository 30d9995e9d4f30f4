#include "model/split.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace weir::model {
namespace {

constexpr std::uint64_t kLast = std::numeric_limits<std::uint64_t>::max();

// Computed apart, in Python's unbounded integers, from the formulas in split.h.
TEST(Split, gives_these_very_hashes) {
  EXPECT_EQ(split_hash(0, 0), 0xa706dd2f4d197e6fU);
  EXPECT_EQ(split_hash(1, 0), 0x5e41ab087439611eU);
  EXPECT_EQ(split_hash(1, 1), 0xf18d6ce93d6cf1eeU);
  EXPECT_EQ(split_hash(1, 505), 0xb9ebc55cf9b51910U);
  EXPECT_EQ(split_hash(kLast, kLast), 0x445018e305810b78U);
  EXPECT_EQ(sample_priority(0, 0), 0x46b73e79f0c37c00U);
  EXPECT_EQ(sample_priority(1, 1), 0x08c9eb4685b1dad7U);
  EXPECT_EQ(sample_priority(kLast, kLast), 0xece8ece247d507a4U);
}

TEST(Split, holds_out_these_very_rows_of_the_boston_table) {
  std::vector<std::uint64_t> held_out;
  for (std::uint64_t row = 0; row < 506; ++row) {
    if (is_held_out(1, row, 0.25)) held_out.push_back(row);
  }
  EXPECT_EQ(held_out.size(), 119U);
  held_out.resize(10);
  EXPECT_EQ(held_out, (std::vector<std::uint64_t>{2, 4, 7, 8, 9, 12, 19, 21, 24, 25}));
}

TEST(Split, holds_out_the_fraction_asked_for) {
  for (const double fraction : {0.001, 0.1, 0.25, 0.5, 0.9}) {
    for (const std::uint64_t seed : {0U, 1U, 42U}) {
      constexpr int kRows = 400'000;
      int count = 0;
      for (std::uint64_t row = 0; row < kRows; ++row) count += is_held_out(seed, row, fraction);
      const double deviation = std::sqrt(fraction * (1 - fraction) * kRows);
      EXPECT_NEAR(count, fraction * kRows, 4 * deviation) << fraction << " " << seed;
    }
  }
}

TEST(Split, only_grows_with_the_fraction) {
  for (std::uint64_t row = 0; row < 10'000; ++row) {
    if (is_held_out(7, row, 0.2)) {
      EXPECT_TRUE(is_held_out(7, row, 0.3));
    }
  }
}

TEST(Split, knows_all_none_and_nonsense) {
  for (std::uint64_t row = 0; row < 1000; ++row) {
    EXPECT_FALSE(is_held_out(1, row, 0));
    EXPECT_FALSE(is_held_out(1, row, -1));
    EXPECT_FALSE(is_held_out(1, row, std::nan("")));
    EXPECT_FALSE(is_held_out(1, row, 5e-324));
    EXPECT_TRUE(is_held_out(1, row, 1));
    EXPECT_TRUE(is_held_out(1, row, HUGE_VAL));
  }
}

TEST(Split, is_independent_between_seeds_and_of_the_sample) {
  constexpr int kRows = 200'000;
  int both_seeds = 0;
  int both_hashes = 0;
  int neighbours = 0;
  for (std::uint64_t row = 0; row < kRows; ++row) {
    const bool held_out = is_held_out(1, row, 0.5);
    both_seeds += held_out && is_held_out(2, row, 0.5);
    both_hashes += held_out && sample_priority(1, row) < (std::uint64_t{1} << 63);
    neighbours += held_out && is_held_out(1, row + 1, 0.5);
  }
  const double deviation = std::sqrt(kRows * 0.25 * 0.75);
  EXPECT_NEAR(both_seeds, kRows / 4, 4 * deviation);
  EXPECT_NEAR(both_hashes, kRows / 4, 4 * deviation);
  EXPECT_NEAR(neighbours, kRows / 4, 4 * deviation);
}

}  // namespace
}  // namespace weir::model
