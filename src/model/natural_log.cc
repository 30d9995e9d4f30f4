#include "model/natural_log.h"

#include <cmath>
#include <limits>

#include "model/double_double.h"

namespace weir::model {
namespace {

constexpr double kSqrtHalf = 0.70710678118654752440;
// ln 2 in two doubles: the nearest one, and what is left.
constexpr double kLn2High = 0x1.62e42fefa39efp-1;
constexpr double kLn2Low = 0x1.abc9e3b39803fp-56;
// |s| <= 3 - 2√2, so that s^2 < 0.0295 and the first term that is left out is below 2^-110.
constexpr int kTerms = 22;

}  // namespace

double natural_log(double x) {
  if (!(x > 0)) return std::numeric_limits<double>::quiet_NaN();
  if (std::isinf(x)) return x;
  int exponent = 0;
  double m = std::frexp(x, &exponent);  // from 0.5 on, below 1
  if (m < kSqrtHalf) {
    m *= 2;
    --exponent;
  }
  // m - 1 is exact (Sterbenz), m + 1 needs its rounding error.
  const DoubleDouble s = DoubleDouble(m - 1) / DoubleDouble::sum_of(m, 1);
  const DoubleDouble square = s * s;
  DoubleDouble sum = DoubleDouble(1) / DoubleDouble(2 * kTerms + 1);
  for (int k = kTerms - 1; k >= 0; --k) {
    sum = sum * square + DoubleDouble(1) / DoubleDouble(2 * k + 1);
  }
  DoubleDouble ln2;
  ln2.high = kLn2High;
  ln2.low = kLn2Low;
  return (DoubleDouble(exponent) * ln2 + s * sum * DoubleDouble(2)).value();
}

}  // namespace weir::model
