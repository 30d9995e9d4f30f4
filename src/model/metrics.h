// How well a model does on rows that it did not learn from.
//
// Two ways: exactly, from the Accumulator of all held-out rows (no second pass over the data), and
// by the stream, from pairs of prediction and actual value, which gives the mean absolute error
// too.
//
// Threads: pure functions; an ErrorSums belongs to one thread. Units: those of the target.
#pragma once

#include <cstdint>
#include <optional>

#include "base/error.h"
#include "model/accumulator.h"
#include "model/accurate_sum.h"
#include "model/linear_model.h"

namespace weir::model {

// A measure that the rows do not define is absent: all without rows, R² where the actual values are
// all the same, any that is beyond the range of a double.
struct Metrics {
  std::uint64_t rows = 0;
  std::optional<double> rmse;       // root of the mean squared error
  std::optional<double> mae;        // mean absolute error; not known from an Accumulator
  std::optional<double> r_squared;  // 1 - squared error / variation about these rows' own mean
};

// From the rows' triangle R: |y - X b| = |R u|, u made of the coefficients. Errors as
// Accumulator::summary().
Result<Metrics> held_out_metrics(const Accumulator& held_out, const LinearModel& model);

// Sums are compensated: the result does not drift with the number of rows.
class ErrorSums {
 public:
  void add(double prediction, double actual);  // both finite
  void merge(const ErrorSums& other);
  Metrics metrics() const;

 private:
  std::uint64_t rows_ = 0;
  AccurateSum absolute_;
  AccurateSum squared_;
  // Actual values, about the first one.
  double reference_ = 0;
  AccurateSum actual_;
  AccurateSum actual_squared_;
};

}  // namespace weir::model
