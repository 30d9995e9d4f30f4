#include "model/row_sample.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "model/split.h"
#include "model/test_tables.h"

namespace weir::model {
namespace {

std::vector<std::uint32_t> indexes(std::size_t first, std::size_t count) {
  std::vector<std::uint32_t> rows(count);
  std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(first));
  return rows;
}

bool same(const record::RowBlock& a, const record::RowBlock& b) {
  return a.rows == b.rows && a.columns == b.columns && a.values == b.values &&
         a.row_numbers == b.row_numbers;
}

TEST(RowSample, keeps_everything_while_there_is_room) {
  const record::RowBlock block = block_of(random_rows(50, 3));
  RowSample sample(4, 1, 100);
  sample.add(block, indexes(0, 50));
  EXPECT_TRUE(same(sample.to_block(), block));
}

TEST(RowSample, keeps_the_rows_of_lowest_priority_with_their_values) {
  const record::RowBlock block = block_of(random_rows(5000, 3));
  RowSample sample(4, 9, 300);
  sample.add(block, indexes(0, 5000));
  std::vector<std::uint64_t> numbers = block.row_numbers;
  std::sort(numbers.begin(), numbers.end(), [](std::uint64_t a, std::uint64_t b) {
    return sample_priority(9, a) < sample_priority(9, b);
  });
  numbers.resize(300);
  std::sort(numbers.begin(), numbers.end());
  const record::RowBlock kept = sample.to_block();
  EXPECT_EQ(kept.row_numbers, numbers);
  for (std::size_t i = 0; i < kept.rows; ++i) {
    for (std::size_t j = 0; j < 4; ++j) EXPECT_EQ(kept.value(i, j), block.value(numbers[i], j));
  }
}

TEST(RowSample, does_not_depend_on_order_nor_on_parts) {
  const record::RowBlock block = block_of(random_rows(3000, 2));
  RowSample whole(3, 4, 200);
  whole.add(block, indexes(0, 3000));
  std::vector<std::uint32_t> backwards = indexes(0, 3000);
  std::reverse(backwards.begin(), backwards.end());
  RowSample reversed(3, 4, 200);
  reversed.add(block, backwards);
  EXPECT_TRUE(same(whole.to_block(), reversed.to_block()));
  RowSample first(3, 4, 200);
  RowSample second(3, 4, 200);
  first.add(block, indexes(0, 100));
  second.add(block, indexes(100, 2900));
  second.merge(first);
  EXPECT_TRUE(same(whole.to_block(), second.to_block()));
}

TEST(RowSample, gives_each_row_an_equal_chance) {
  constexpr int kSeeds = 2000;
  const record::RowBlock block = block_of(Rows(40, {1, 2}));
  std::vector<int> times(40);
  for (int seed = 0; seed < kSeeds; ++seed) {
    RowSample sample(2, static_cast<std::uint64_t>(seed), 10);
    sample.add(block, indexes(0, 40));
    for (const std::uint64_t row : sample.to_block().row_numbers) ++times[row];
  }
  for (const int count : times) {
    EXPECT_NEAR(count, kSeeds / 4, 4.5 * std::sqrt(kSeeds * 0.25 * 0.75));
  }
}

TEST(RowSample, may_be_empty) {
  const record::RowBlock block = block_of(random_rows(5, 1));
  RowSample none(2, 1, 0);
  none.add(block, indexes(0, 5));
  EXPECT_EQ(none.to_block().rows, 0U);
  EXPECT_EQ(RowSample(2, 1).to_block().rows, 0U);
}

}  // namespace
}  // namespace weir::model
