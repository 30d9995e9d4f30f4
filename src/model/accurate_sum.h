// Sums that keep what rounding drops (Neumaier 1974; Ogita, Rump & Oishi 2005): the result is as if
// computed with twice the digits and rounded once.
//
// Threads: a plain value. std::fma is exact on every machine, in hardware or not.
#pragma once

#include <cmath>

namespace weir::model {

class AccurateSum {
 public:
  void add(double value) {
    const double sum = high_ + value;
    low_ += std::abs(high_) >= std::abs(value) ? (high_ - sum) + value : (value - sum) + high_;
    high_ = sum;
  }
  void add_product(double a, double b) {
    const double product = a * b;
    add(product);
    low_ += std::fma(a, b, -product);
  }
  void merge(const AccurateSum& other) {
    add(other.high_);
    low_ += other.low_;
  }
  double value() const { return high_ + low_; }

 private:
  double high_ = 0;
  double low_ = 0;
};

}  // namespace weir::model
