#include "model/number_sort.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace weir::model {
namespace {

TEST(NumberSort, orders_as_a_comparison_sort_does) {
  std::mt19937_64 random(1);
  const std::vector<double> odd{0.0,     1e300, -1e300, 5e-324,
                                -5e-324, 1,     -1,     std::numeric_limits<double>::infinity(),
                                0.1,     -0.1};
  for (std::size_t count = 0; count <= 600; count += 1 + count / 7) {
    std::vector<double> numbers(count);
    for (double& number : numbers) {
      switch (random() % 3) {
        case 0: number = odd[random() % odd.size()]; break;
        case 1: number = static_cast<double>(random() % 100) / 10; break;
        default: number = std::ldexp(static_cast<double>(random() >> 11), -60) - 0.003; break;
      }
    }
    std::vector<double> expected = numbers;
    std::sort(expected.begin(), expected.end());
    sort_numbers(numbers);
    EXPECT_EQ(numbers, expected) << count;
  }
}

TEST(NumberSort, keeps_both_zeros) {
  std::vector<double> numbers{0.0, -0.0, 0.0, -0.0, -1.0};
  sort_numbers(numbers);
  std::vector<bool> signs;
  for (const double number : numbers) signs.push_back(std::signbit(number));
  EXPECT_EQ(signs, (std::vector<bool>{true, true, true, false, false}));
}

}  // namespace
}  // namespace weir::model
