#include "base/quantile_sketch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace weir {
namespace {

double exact(std::vector<double> values, double fraction) {
  std::sort(values.begin(), values.end());
  const double rank = std::ceil(fraction * static_cast<double>(values.size()));
  return values[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

TEST(QuantileSketch, is_exact_for_few_different_values) {
  std::vector<double> values;
  QuantileSketch sketch;
  for (int i = 0; i < 4'000; ++i) {
    values.push_back(std::sin(i) * std::pow(10, i % 40 - 20));
    sketch.add(values.back());
  }
  for (const double fraction : {0.0, 0.01, 0.25, 0.5, 0.75, 1.0}) {
    EXPECT_EQ(sketch.quantile(fraction), exact(values, fraction)) << fraction;
  }
}

TEST(QuantileSketch, is_near_for_many) {
  std::mt19937_64 random(5);
  std::lognormal_distribution<double> any(3, 2);
  std::vector<double> values;
  QuantileSketch sketch;
  for (int i = 0; i < 200'000; ++i) {
    values.push_back(i % 3 == 0 ? -any(random) : any(random));
    sketch.add(values.back());
  }
  for (const double fraction : {0.05, 0.25, 0.5, 0.9}) {
    const double wanted = exact(values, fraction);
    EXPECT_NEAR(sketch.quantile(fraction), wanted, std::abs(wanted) * 0.02) << fraction;
  }
}

TEST(QuantileSketch, depends_on_neither_order_nor_parts) {
  std::mt19937_64 random(9);
  std::normal_distribution<double> any(0, 5);
  std::vector<double> values(50'000);
  for (double& value : values) value = any(random);
  QuantileSketch forward;
  for (const double value : values) forward.add(value);
  QuantileSketch merged;
  std::vector<QuantileSketch> parts(7);
  std::shuffle(values.begin(), values.end(), random);
  for (std::size_t i = 0; i < values.size(); ++i) parts[i % 7].add(values[i]);
  for (const QuantileSketch& part : parts) merged.merge(part);
  EXPECT_EQ(merged.count(), forward.count());
  for (double fraction = 0; fraction <= 1; fraction += 0.01) {
    EXPECT_EQ(merged.quantile(fraction), forward.quantile(fraction)) << fraction;
  }
}

TEST(QuantileSketch, is_read_back_from_its_bytes) {
  QuantileSketch sketch;
  for (int i = 0; i < 10'000; ++i) sketch.add(std::sin(i) * 1e3);
  ByteWriter to;
  sketch.save(to);
  ByteReader from(to.bytes());
  QuantileSketch read = QuantileSketch::load(from);
  ASSERT_TRUE(from.ok() && from.at_end());
  ByteWriter again;
  read.save(again);
  EXPECT_EQ(again.bytes(), to.bytes());
  EXPECT_EQ(read.count(), sketch.count());
  for (QuantileSketch* each : {&sketch, &read}) {
    for (int i = 0; i < 5'000; ++i) each->add(std::cos(i) * 1e5);
  }
  for (const double fraction : {0.1, 0.5, 0.9}) {
    EXPECT_EQ(read.quantile(fraction), sketch.quantile(fraction));
  }
}

TEST(QuantileSketch, is_not_read_from_what_cannot_be_one) {
  const auto is_taken = [](std::uint8_t shift, const std::vector<double>& bounds,
                           std::uint64_t count) {
    ByteWriter to;
    to.u8(shift);
    to.u64(bounds.size() / 2);
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      to.f64(bounds[i]);
      if (i % 2 == 1) to.u64(count);
    }
    ByteReader from(to.bytes());
    QuantileSketch::load(from);
    return from.ok();
  };
  EXPECT_TRUE(is_taken(0, {1, 1, 2, 2}, 1));
  EXPECT_FALSE(is_taken(0, {2, 2, 1, 1}, 1)) << "in order";
  EXPECT_FALSE(is_taken(0, {1, 1, 1, 1}, 1)) << "one bucket for a number";
  EXPECT_FALSE(is_taken(0, {1, 2}, 1)) << "wider than a bucket";
  EXPECT_TRUE(is_taken(52, {1, 1.5}, 1));
  EXPECT_FALSE(is_taken(52, {1, 1.2, 1.5, 1.6}, 1)) << "two of one bucket";
  EXPECT_FALSE(is_taken(0, {1, 1}, 0)) << "of nothing";
  EXPECT_FALSE(is_taken(0, {-0.0, -0.0}, 1));
  EXPECT_FALSE(is_taken(0, {NAN, NAN}, 1));
  EXPECT_FALSE(is_taken(63, {1, 1}, 1));
}

TEST(QuantileSketch, of_nothing_is_zero) { EXPECT_EQ(QuantileSketch().quantile(0.5), 0); }

TEST(QuantileSketch, takes_the_largest_doubles_and_both_zeros) {
  QuantileSketch sketch;
  for (const double value : {-1.7e308, 1.7e308, -0.0, 0.0, 5e-324}) sketch.add(value);
  EXPECT_EQ(sketch.quantile(0), -1.7e308);
  EXPECT_EQ(sketch.quantile(0.5), 0);
  EXPECT_EQ(sketch.quantile(1), 1.7e308);
  QuantileSketch zeros;
  zeros.add(-0.0);
  EXPECT_FALSE(std::signbit(zeros.quantile(0.5))) << "the same bits whichever zero came first";
}

}  // namespace
}  // namespace weir
