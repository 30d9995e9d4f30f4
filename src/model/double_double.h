// Numbers of some 32 digits, each the sum of two doubles (Dekker 1971; Hida, Li & Bailey 2001), for
// the last steps of a fit: solving a triangle and undoing shifts, where large terms cancel.
//
// Threads: a plain value. Sums and products are right to about 1e-31 of their magnitude; a result
// beyond the range of a double is not finite. std::fma is exact on every machine.
#pragma once

#include <cmath>

namespace weir::model {

struct DoubleDouble {
  double high = 0;
  double low = 0;

  DoubleDouble() = default;
  DoubleDouble(double value) : high(value) {}  // NOLINT(google-explicit-constructor): exact

  double value() const { return high + low; }

  static DoubleDouble sum_of(double a, double b) {
    DoubleDouble sum;
    sum.high = a + b;
    const double part = sum.high - a;
    sum.low = (a - (sum.high - part)) + (b - part);
    return sum;
  }
  static DoubleDouble product_of(double a, double b) {
    DoubleDouble product;
    product.high = a * b;
    product.low = std::fma(a, b, -product.high);
    return product;
  }
};

inline DoubleDouble operator-(DoubleDouble a) {
  a.high = -a.high;
  a.low = -a.low;
  return a;
}

inline DoubleDouble operator+(DoubleDouble a, DoubleDouble b) {
  DoubleDouble sum = DoubleDouble::sum_of(a.high, b.high);
  const DoubleDouble rest = DoubleDouble::sum_of(a.low, b.low);
  sum = DoubleDouble::sum_of(sum.high, sum.low + rest.high);
  return DoubleDouble::sum_of(sum.high, sum.low + rest.low);
}

inline DoubleDouble operator-(DoubleDouble a, DoubleDouble b) { return a + -b; }

inline DoubleDouble operator*(DoubleDouble a, DoubleDouble b) {
  const DoubleDouble product = DoubleDouble::product_of(a.high, b.high);
  return DoubleDouble::sum_of(product.high, product.low + (a.high * b.low + a.low * b.high));
}

// b is not zero.
inline DoubleDouble operator/(DoubleDouble a, DoubleDouble b) {
  const double first = a.high / b.high;
  const DoubleDouble rest = a - b * DoubleDouble(first);
  const double second = rest.high / b.high;
  const DoubleDouble last = rest - b * DoubleDouble(second);
  return DoubleDouble::sum_of(first, second) + DoubleDouble(last.high / b.high);
}

inline DoubleDouble scaled(DoubleDouble a, int power) {
  a.high = std::ldexp(a.high, power);
  a.low = std::ldexp(a.low, power);
  return a;
}

}  // namespace weir::model
