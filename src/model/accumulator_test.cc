#include "model/accumulator.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>

#include "model/block_fold.h"
#include "model/linear_fit.h"
#include "model/test_tables.h"

namespace weir::model {
namespace {

Triangle triangle_of(const Accumulator& accumulator) {
  auto result = accumulator.summary(schema_of(accumulator.columns() - 1));
  EXPECT_TRUE(result) << (result ? "" : result.error().message());
  return std::move(result.value());
}

bool same_bits(const Triangle& a, const Triangle& b) {
  return a.rows == b.rows && a.r == b.r && a.reference == b.reference && a.exponent == b.exponent;
}

Accumulator accumulate_part(const record::RowBlock& block, std::size_t first, std::size_t count) {
  Accumulator accumulator(block.columns);
  accumulator.add(block, first, count);
  return accumulator;
}

TEST(Accumulator, does_not_depend_on_how_calls_cut_the_rows) {
  const record::RowBlock block = block_of(random_rows(20'000, 5));
  const Triangle whole = triangle_of(accumulate_part(block, 0, block.rows));
  std::mt19937 generator(3);
  for (const std::size_t longest : {1U, 7U, 255U, 256U, 257U, 3000U}) {
    Accumulator cut(block.columns);
    for (std::size_t at = 0; at < block.rows;) {
      const std::size_t count = std::min<std::size_t>(generator() % (longest + 1), block.rows - at);
      cut.add(block, at, count);
      at += count;
    }
    EXPECT_TRUE(same_bits(whole, triangle_of(cut))) << longest;
  }
}

TEST(Accumulator, gives_equal_bits_for_rows_named_by_index) {
  const record::RowBlock block = block_of(random_rows(3000, 5));
  std::vector<std::uint32_t> chosen;
  Accumulator one_by_one(block.columns);
  for (std::uint32_t row = 0; row < block.rows; ++row) {
    if (row % 7 < 3) continue;
    chosen.push_back(row);
    one_by_one.add(block, row, 1);
  }
  Accumulator at_once(block.columns);
  at_once.add(block, chosen);
  EXPECT_EQ(at_once.rows(), chosen.size());
  EXPECT_TRUE(same_bits(triangle_of(one_by_one), triangle_of(at_once)));
}

TEST(Accumulator, gives_equal_bits_on_every_instruction_set) {
  std::mt19937_64 generator(5);
  std::normal_distribution<double> normal;
  const std::size_t size = 15;
  std::vector<CacheLine> rows(size * kBlockRows / 8);
  for (CacheLine& line : rows) {
    for (double& value : line.values) value = normal(generator);
  }
  std::vector<std::vector<double>> results;
  for (const BlockKernels& kernels : all_block_kernels()) {
    std::vector<CacheLine> copy = rows;
    double* const block = copy.data()->values;
    std::vector<double> r(size * size);
    std::vector<double> dots(2 * size);
    std::fill_n(block, kBlockRows, 1.0);
    dots[0] = kBlockRows;
    for (std::size_t j = 1; j < size; ++j) {
      r.push_back(kernels.shift(block + j * kBlockRows, 0.25, 1e300));
      dots[j] = kernels.scale_and_sum(block + j * kBlockRows, 0.3);
      r.push_back(dots[j]);
    }
    kernels.fold(r.data(), size, block, dots.data());
    kernels.fold(r.data(), size, block, dots.data());
    results.push_back(r);
  }
  for (const auto& result : results) EXPECT_EQ(result, results[0]);
}

// The bits themselves, so that another compiler or processor that differs is seen.
TEST(Accumulator, gives_these_very_bits) {
  Rows rows;
  std::uint64_t state = 1;
  for (int i = 0; i < 9000; ++i) {
    std::vector<double> row;
    for (int j = 0; j < 4; ++j) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      row.push_back(static_cast<double>(state >> 40) / 1024);
    }
    rows.push_back(row);
  }
  const auto fit = fit_linear(accumulate(rows, RowKeeping::kNone), schema_of(3));
  ASSERT_TRUE(fit);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(fit->model.intercept()), 4665855903413404975U);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(fit->model.coefficients()[0]), 13806011151941394593U);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(fit->model.coefficients()[2]), 4574012387547294016U);
}

TEST(Accumulator, gives_equal_bits_for_equal_cuts_however_they_were_spread) {
  const record::RowBlock block = block_of(random_rows(10'000, 4));
  const auto parts = [&] {
    std::vector<Accumulator> result;
    for (std::size_t i = 0; i < 10; ++i) result.push_back(accumulate_part(block, i * 1000, 1000));
    return result;
  };
  std::vector<Accumulator> a = parts();
  std::vector<Accumulator> b = parts();
  for (std::size_t i = 1; i < 10; ++i) a[0].merge(a[i]);
  Accumulator from_nothing(block.columns);
  for (const Accumulator& part : b) from_nothing.merge(part);
  EXPECT_EQ(a[0].rows(), 10'000U);
  EXPECT_TRUE(same_bits(triangle_of(a[0]), triangle_of(from_nothing)));
}

TEST(Accumulator, merges_associatively_but_for_rounding) {
  Rows rows = random_rows(5000, 4);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i][1] += static_cast<double>(i);  // drifts
  const record::RowBlock block = block_of(rows);
  const auto part = [&](std::size_t first, std::size_t count) {
    return accumulate_part(block, first, count);
  };
  Accumulator left = part(0, 100);
  left.merge(part(100, 3000));
  left.merge(part(3100, 1900));
  Accumulator right = part(0, 100);
  Accumulator rest = part(100, 3000);
  rest.merge(part(3100, 1900));
  right.merge(rest);
  const auto a = fit_linear(left, schema_of(4));
  const auto b = fit_linear(right, schema_of(4));
  const auto whole = fit_linear(part(0, 5000), schema_of(4));
  for (std::size_t j = 0; j < 4; ++j) {
    EXPECT_NEAR(a->model.coefficients()[j], b->model.coefficients()[j], 1e-12);
    EXPECT_NEAR(a->model.coefficients()[j], whole->model.coefficients()[j], 1e-12);
  }
  EXPECT_GT(digits(a->model.intercept(), whole->model.intercept()), 10);
}

TEST(Accumulator, merges_parts_of_wildly_different_size_and_place) {
  Rows rows = random_rows(2000, 2);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i >= 1000) rows[i][0] = rows[i][0] * 1e200 + 1e203;
    rows[i][2] = rows[i][0] / 1e200 + 3 * rows[i][1];
  }
  const record::RowBlock block = block_of(rows);
  Accumulator merged = accumulate_part(block, 0, 1000);
  merged.merge(accumulate_part(block, 1000, 1000));
  const auto fit = fit_linear(merged, schema_of(2));
  ASSERT_TRUE(fit);
  EXPECT_GT(digits(fit->model.coefficients()[0], 1e-200), 12);
  EXPECT_GT(digits(fit->model.coefficients()[1], 3), 9);
}

TEST(Accumulator, goes_on_taking_rows_after_a_merge) {
  const Rows rows = random_rows(4000, 3);
  const record::RowBlock block = block_of(rows);
  Accumulator merged = accumulate_part(block, 0, 1000);
  merged.merge(accumulate_part(block, 1000, 1000));
  merged.add(block, 2000, 2000);
  EXPECT_EQ(merged.rows(), 4000U);
  const auto a = fit_linear(merged, schema_of(3));
  const auto b = fit_linear(accumulate(rows), schema_of(3));
  for (std::size_t j = 0; j < 3; ++j) {
    EXPECT_NEAR(a->model.coefficients()[j], b->model.coefficients()[j], 1e-12);
  }
  EXPECT_EQ(a->report.rows, 4000U);
}

TEST(Accumulator, is_not_changed_by_a_summary_nor_by_merging_nothing) {
  const record::RowBlock block = block_of(random_rows(1000, 3));
  Accumulator one = accumulate_part(block, 0, 600);
  triangle_of(one);
  one.add(block, 600, 400);
  EXPECT_TRUE(same_bits(triangle_of(one), triangle_of(accumulate_part(block, 0, 1000))));
  const Triangle before = triangle_of(one);
  one.merge(Accumulator(block.columns));
  EXPECT_TRUE(same_bits(triangle_of(one), before));
}

// A column that is the sum of others: what is left of it is rounding, and tells how much there was.
TEST(Accumulator, is_as_accurate_after_many_merges_as_after_few) {
  std::mt19937_64 generator(7);
  record::RowBlock block = block_of(Rows(10, std::vector<double>(5)));
  Accumulator merged(5);
  for (int part = 0; part < 30'000; ++part) {
    for (std::size_t i = 0; i < block.rows; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < 4; ++j) {
        const double value = static_cast<double>(generator() % 20'001) - 10'000;
        block.values[(j == 3 ? 4 : j) * block.rows + i] = value;
        if (j < 3) sum += value;
      }
      block.values[3 * block.rows + i] = sum;
    }
    merged.merge(accumulate_part(block, 0, block.rows));
  }
  const Triangle triangle = triangle_of(merged);
  double square = 0;
  for (std::size_t i = 0; i <= 4; ++i) square += triangle.at(i, 4) * triangle.at(i, 4);
  EXPECT_LT(std::abs(triangle.at(4, 4)), 16 * 2.2e-16 * std::sqrt(square));
}

TEST(Accumulator, keeps_the_rows_of_small_sets_in_their_order) {
  const Rows rows = random_rows(700, 3);
  const record::RowBlock block = block_of(rows);
  const std::vector<double> kept = triangle_of(accumulate_part(block, 0, 700)).kept;
  ASSERT_EQ(kept.size(), 2800U);
  for (std::size_t i = 0; i < 700; ++i) {
    for (std::size_t j = 0; j < 4; ++j) EXPECT_EQ(kept[i * 4 + j], rows[i][j]);
  }
  Accumulator merged = accumulate_part(block, 0, 300);
  merged.merge(accumulate_part(block, 300, 100));
  merged.add(block, 400, 300);
  EXPECT_EQ(triangle_of(merged).kept, kept);
}

TEST(Accumulator, keeps_no_rows_of_large_sets_nor_of_a_set_with_a_part_that_kept_none) {
  const record::RowBlock block = block_of(random_rows(kKeptNumbersMax / 4 + 1, 3));
  EXPECT_FALSE(triangle_of(accumulate_part(block, 0, block.rows - 1)).kept.empty());
  EXPECT_TRUE(triangle_of(accumulate_part(block, 0, block.rows)).kept.empty());
  Accumulator merged = accumulate_part(block, 0, block.rows - 1);
  merged.merge(accumulate_part(block, block.rows - 1, 1));
  EXPECT_TRUE(triangle_of(merged).kept.empty());

  Accumulator without(4, RowKeeping::kNone);
  without.add(block, 0, 100);
  EXPECT_TRUE(triangle_of(without).kept.empty());
  Accumulator mixed = accumulate_part(block, 0, 100);
  mixed.merge(without);
  mixed.merge(accumulate_part(block, 100, 10));
  EXPECT_EQ(mixed.rows(), 210U);
  EXPECT_TRUE(triangle_of(mixed).kept.empty());
}

TEST(Accumulator, passes_a_bad_value_on_through_a_merge) {
  Rows rows = random_rows(10, 2);
  rows[9][1] = std::nan("");
  Accumulator good = accumulate(random_rows(300, 2));
  good.merge(accumulate(rows));
  good.merge(accumulate(random_rows(300, 2)));
  const auto summary = good.summary(schema_of(2));
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().code(), Code::kBadData);
  EXPECT_NE(summary.error().message().find("'x2'"), std::string::npos);
}

TEST(Accumulator, keeps_the_length_of_every_column) {
  const Rows rows = random_rows(50'000, 3);
  const Triangle triangle = triangle_of(accumulate(rows));
  EXPECT_NEAR(std::abs(triangle.at(0, 0)), std::sqrt(50'000.0), 1e-11);
  for (std::size_t j = 0; j < 4; ++j) {
    long double expected = 0;
    long double actual = 0;
    for (const auto& row : rows) {
      const long double x = std::ldexp(row[j] - triangle.reference[j], -triangle.exponent[j]);
      expected += x * x;
    }
    for (std::size_t i = 0; i <= j + 1; ++i) {
      actual += static_cast<long double>(triangle.at(i, j + 1)) * triangle.at(i, j + 1);
    }
    EXPECT_NEAR(static_cast<double>(actual / expected), 1, 1e-14);
  }
}

// ---- saved and read back ----

TEST(Accumulator, without_rows_is_read_back_without_rows) {
  ByteWriter to;
  Accumulator(3).save(to);
  ByteReader from(to.bytes());
  EXPECT_EQ(Accumulator::load(from, 3).rows(), 0U);
  EXPECT_TRUE(from.ok() && from.at_end());
}

Accumulator merged_parts(const record::RowBlock& block, std::size_t part) {
  Accumulator merged(block.columns);
  for (std::size_t at = 0; at < block.rows; at += part) {
    merged.merge(accumulate_part(block, at, std::min(part, block.rows - at)));
  }
  return merged;
}

std::string saved(const Accumulator& accumulator) {
  ByteWriter to;
  accumulator.save(to);
  return to.take();
}

TEST(Accumulator, goes_on_to_the_same_bits_after_it_was_saved) {
  for (const std::size_t rows : {1U, 255U, 5000U, 20'000U}) {
    const record::RowBlock block = block_of(random_rows(rows, 4));
    const record::RowBlock more = block_of(random_rows(3000, 4));
    for (const std::size_t part : {100U, 3000U, 30'000U}) {
      Accumulator whole = merged_parts(block, part);
      const std::string bytes = saved(whole);
      ByteReader from(bytes);
      Accumulator read = Accumulator::load(from, block.columns);
      ASSERT_TRUE(from.ok() && from.at_end()) << rows;
      EXPECT_EQ(saved(read), bytes);
      EXPECT_EQ(triangle_of(read).kept, triangle_of(whole).kept);
      whole.merge(accumulate_part(more, 0, more.rows));
      read.merge(accumulate_part(more, 0, more.rows));
      EXPECT_TRUE(same_bits(triangle_of(read), triangle_of(whole))) << rows << " in " << part;
      EXPECT_TRUE(same_bits(triangle_of(whole.clone()), triangle_of(whole)));
    }
  }
}

TEST(Accumulator, remembers_a_bad_column_when_it_was_saved) {
  record::RowBlock block = block_of(random_rows(100, 3));
  block.values[100 + 17] = 2e300;  // of the second column
  const std::string bytes = saved(accumulate_part(block, 0, block.rows));
  ByteReader from(bytes);
  const Accumulator read = Accumulator::load(from, block.columns);
  ASSERT_TRUE(from.ok());
  const auto summary = read.summary(schema_of(block.columns - 1));
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().code(), Code::kBadData);
}

TEST(Accumulator, is_not_read_from_less_than_it_was_saved_as_nor_with_numbers_that_cannot_be) {
  const std::string bytes = saved(merged_parts(block_of(random_rows(300, 2)), 100));
  const std::size_t columns = block_of(random_rows(1, 2)).columns;
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    ByteReader from(std::string_view(bytes).substr(0, length));
    Accumulator::load(from, columns);
    ASSERT_FALSE(from.ok()) << length;
  }
  // Rows and kept rows stand first, the triangle's numbers last.
  const std::size_t kept_begin = 8 + 4 + 1;
  const std::size_t triangle_begin = bytes.size() - 8 * (columns + 1) * (columns + 2) / 2;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < 300 * columns; ++i) places.push_back(kept_begin + 8 * i);
  for (std::size_t at = triangle_begin; at < bytes.size(); at += 8) places.push_back(at);
  for (const double bad : {std::nan(""), 1e301, -HUGE_VAL}) {
    for (const std::size_t at : places) {
      std::string wrong = bytes;
      std::memcpy(wrong.data() + at, &bad, sizeof bad);
      ByteReader from(wrong);
      Accumulator::load(from, columns);
      ASSERT_FALSE(from.ok()) << bad << " at " << at;
    }
  }
}

}  // namespace
}  // namespace weir::model
