#include "model/double_double.h"

#include <gtest/gtest.h>

#include <random>

namespace weir::model {
namespace {

TEST(DoubleDouble, keeps_what_a_double_rounds_off) {
  const DoubleDouble sum = DoubleDouble(1e20) + DoubleDouble(1) - DoubleDouble(1e20);
  EXPECT_EQ(sum.value(), 1);
  const DoubleDouble tenth = DoubleDouble(1) / DoubleDouble(10);
  EXPECT_EQ(tenth.high, 0.1);
  EXPECT_NEAR(tenth.low * 1e18, -5.551115123125783, 1e-14);
  EXPECT_EQ(scaled(tenth, 3).low, 8 * tenth.low);
}

TEST(DoubleDouble, has_some_thirty_digits_in_every_operation) {
  std::mt19937_64 generator(1);
  std::uniform_real_distribution<double> uniform(0.1, 10);
  for (int i = 0; i < 10'000; ++i) {
    const DoubleDouble a = DoubleDouble::product_of(uniform(generator), uniform(generator));
    const DoubleDouble b = DoubleDouble::sum_of(uniform(generator), 1e-17 * uniform(generator));
    const DoubleDouble c = DoubleDouble::product_of(uniform(generator), -uniform(generator));
    EXPECT_LT(std::abs((a / b * b - a).value()), 1e-29);
    EXPECT_LT(std::abs((a * (b + c) - (a * b + a * c)).value()), 1e-26);
    EXPECT_LT(std::abs(((a + c) - a - c).value()), 1e-29);
  }
}

}  // namespace
}  // namespace weir::model
