#include "model/metrics.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "model/triangle.h"

namespace weir::model {
namespace {

// Below this part of its mean square, a variance is rounding error.
constexpr double kNoVariation = 1e-30;

std::optional<double> finite(double value) {
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace

Result<Metrics> held_out_metrics(const Accumulator& held_out, const LinearModel& model) {
  const Triangle triangle = WEIR_TRY(held_out.summary(model.schema()));
  Metrics metrics;
  metrics.rows = triangle.rows;
  if (triangle.rows == 0) return metrics;

  // y - b_0 - sum b_j x_j = d * 1 + (y - c_y) - sum b_j (x_j - c_j), all in units of 2^e_y.
  const std::size_t target = triangle.size - 1;
  const int target_exponent = triangle.exponent.back();
  std::vector<double> u(triangle.size);
  AccurateSum constant;
  constant.add(triangle.reference.back());
  constant.add(-model.intercept());
  // A target that is zero but for the reference has the smallest exponent of all: take the units
  // from the largest term, so that none overflows.
  int unit = target_exponent;
  for (std::size_t j = 0; j + 1 < target; ++j) {
    const double b = model.coefficients()[j];
    constant.add_product(-b, triangle.reference[j]);
    if (b != 0) unit = std::max(unit, exponent_of(b) + triangle.exponent[j]);
  }
  unit = std::max(unit, exponent_of(constant.value()));
  u[0] = std::ldexp(constant.value(), -unit);
  for (std::size_t j = 0; j + 1 < target; ++j) {
    u[j + 1] = -std::ldexp(model.coefficients()[j], triangle.exponent[j] - unit);
  }
  u[target] = std::ldexp(1.0, target_exponent - unit);

  double error = 0;
  double variation = 0;
  for (std::size_t row = 0; row < triangle.size; ++row) {
    AccurateSum sum;
    for (std::size_t k = row; k < triangle.size; ++k) sum.add_product(triangle.at(row, k), u[k]);
    error += sum.value() * sum.value();
    if (row > 0) variation += triangle.at(row, target) * triangle.at(row, target);
  }
  const double mean = error / static_cast<double>(triangle.rows);
  metrics.rmse = finite(std::ldexp(std::sqrt(mean), unit));
  if (variation > 0) {
    const double ratio = std::ldexp(std::sqrt(error / variation), unit - target_exponent);
    metrics.r_squared = finite(1 - ratio * ratio);
  }
  return metrics;
}

void ErrorSums::add(double prediction, double actual) {
  if (rows_++ == 0) reference_ = actual;
  const double error = prediction - actual;
  absolute_.add(std::abs(error));
  squared_.add_product(error, error);
  const double distance = actual - reference_;
  actual_.add(distance);
  actual_squared_.add_product(distance, distance);
}

void ErrorSums::merge(const ErrorSums& other) {
  if (other.rows_ == 0) return;
  if (rows_ == 0) {
    *this = other;
    return;
  }
  // (y - c) = (y - c') + d, so the squares gain 2 d sum(y - c') + n d^2.
  const double d = other.reference_ - reference_;
  const auto count = static_cast<double>(other.rows_);
  absolute_.merge(other.absolute_);
  squared_.merge(other.squared_);
  actual_squared_.merge(other.actual_squared_);
  actual_squared_.add_product(2 * d, other.actual_.value());
  actual_squared_.add_product(d * count, d);
  actual_.merge(other.actual_);
  actual_.add_product(d, count);
  rows_ += other.rows_;
}

Metrics ErrorSums::metrics() const {
  Metrics metrics;
  metrics.rows = rows_;
  if (rows_ == 0) return metrics;
  const auto count = static_cast<double>(rows_);
  metrics.rmse = finite(std::sqrt(squared_.value() / count));
  metrics.mae = finite(absolute_.value() / count);
  AccurateSum variation = actual_squared_;
  variation.add_product(-actual_.value() / count, actual_.value());
  if (variation.value() > kNoVariation * actual_squared_.value()) {
    metrics.r_squared = finite(1 - squared_.value() / variation.value());
  }
  return metrics;
}

}  // namespace weir::model
