#include "model/natural_log.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace weir::model {
namespace {

TEST(NaturalLog, is_the_nearest_double) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200'000; ++i) {
    double x = std::ldexp(1 + static_cast<double>(random() >> 12) * 0x1p-52,
                          i % 2 ? static_cast<int>(random() % 2'000) - 1'000 : 0);
    if (i % 5 == 0) x = 1 + (x - 1) * 1e-9;  // where ln x is small
    // 11 bits more than a double's: it decides unless it lies within a thousandth of the middle.
    const long double wide = std::log(static_cast<long double>(x));
    const double nearest = static_cast<double>(wide);
    const long double unit = std::abs(static_cast<long double>(
        std::nextafter(nearest, std::numeric_limits<double>::infinity()) - nearest));
    const double found = natural_log(x);
    ASSERT_LE(std::abs(wide - static_cast<long double>(found)), unit * 0.5005L) << x;
  }
}

TEST(NaturalLog, is_exact_where_it_can_be) {
  EXPECT_EQ(natural_log(1), 0);
  EXPECT_EQ(natural_log(2), 0.6931471805599453);
  EXPECT_EQ(natural_log(10), 2.302585092994046);
  EXPECT_EQ(natural_log(std::numeric_limits<double>::denorm_min()), -744.4400719213812);
  EXPECT_EQ(natural_log(std::numeric_limits<double>::max()), 709.782712893384);
}

TEST(NaturalLog, has_no_value_at_zero_and_below) {
  for (const double x : {0.0, -0.0, -1.0, -std::numeric_limits<double>::infinity(),
                         std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_TRUE(std::isnan(natural_log(x))) << x;
  }
  EXPECT_TRUE(std::isinf(natural_log(std::numeric_limits<double>::infinity())));
}

}  // namespace
}  // namespace weir::model
