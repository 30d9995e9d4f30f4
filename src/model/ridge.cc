// With columns u_j of length 1 and the target t, the coefficients g minimise |t - U g|^2 +
// penalty * |g|^2: ordinary least squares with the rows sqrt(penalty) * I below U, so a fold of one
// more triangle. Nothing is squared that would lose digits.

#include "model/ridge.h"

#include <algorithm>
#include <cmath>

namespace weir::model {
namespace {

// The triangle of a small dense matrix, row-major.
std::vector<double> triangle_of(std::vector<double> m, std::size_t rows, std::size_t size) {
  for (std::size_t k = 0; k < size && k + 1 < rows; ++k) {
    double square = 0;
    for (std::size_t i = k; i < rows; ++i) square += m[i * size + k] * m[i * size + k];
    const double length = std::sqrt(square);
    const double alpha = m[k * size + k];
    if (length == std::abs(alpha)) continue;
    const double beta = alpha > 0 ? -length : length;
    m[k * size + k] = alpha - beta;
    const double scale = -1 / (beta * (alpha - beta));
    for (std::size_t j = k + 1; j < size; ++j) {
      double dot = 0;
      for (std::size_t i = k; i < rows; ++i) dot += m[i * size + k] * m[i * size + j];
      for (std::size_t i = k; i < rows; ++i) m[i * size + j] -= scale * dot * m[i * size + k];
    }
    m[k * size + k] = beta;
    for (std::size_t i = k + 1; i < rows; ++i) m[i * size + k] = 0;
  }
  m.resize(size * size);
  return m;
}

}  // namespace

std::vector<double> penalties_to_try() {
  std::vector<double> penalties;
  const int steps = (kPenaltyExponentMax - kPenaltyExponentMin) * kPenaltiesPerPower;
  for (int i = 0; i <= steps; ++i) {
    // Between powers of ten by constants: pow() may differ from one C library to the next.
    constexpr double kWithin[kPenaltiesPerPower] = {1, 1.8, 3.2, 5.6};
    double penalty = kWithin[i % kPenaltiesPerPower];
    int power = kPenaltyExponentMin + i / kPenaltiesPerPower;
    for (; power > 0; --power) penalty *= 10;
    for (; power < 0; ++power) penalty /= 10;
    penalties.push_back(penalty);
  }
  return penalties;
}

Ridge::Ridge(const Triangle& triangle, std::size_t skipped_rows,
             const std::vector<std::size_t>& columns)
    : size_(columns.size() + 1) {
  const std::size_t rows = triangle.size - skipped_rows;
  std::vector<double> m(std::max(rows, size_) * size_);
  for (std::size_t j = 0; j < size_; ++j) {
    const bool is_target = j + 1 == size_;
    const std::size_t column = is_target ? triangle.size - 1 : columns[j];
    double square = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      m[i * size_ + j] = triangle.at(i + skipped_rows, column);
      square += m[i * size_ + j] * m[i * size_ + j];
    }
    if (is_target) break;
    lengths_.push_back(std::sqrt(square));
    for (std::size_t i = 0; i < rows; ++i) m[i * size_ + j] /= lengths_[j];
  }
  r_ = triangle_of(std::move(m), std::max(rows, size_), size_);
}

RidgeSolution Ridge::solve(double penalty) const {
  const std::size_t columns = size_ - 1;
  std::vector<double> r = r_;
  std::vector<double> below(size_ * size_);
  for (std::size_t j = 0; j < columns; ++j) below[j * size_ + j] = std::sqrt(penalty);
  fold_triangle(r.data(), below.data(), size_);

  RidgeSolution solution;
  solution.b.resize(columns);
  for (std::size_t i = columns; i-- > 0;) {
    double value = r[i * size_ + columns];
    for (std::size_t k = i + 1; k < columns; ++k) value -= r[i * size_ + k] * solution.b[k];
    solution.b[i] = value / r[i * size_ + i];
  }
  double square = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    double rest = r_[i * size_ + columns];
    for (std::size_t k = i; k < columns; ++k) rest -= r_[i * size_ + k] * solution.b[k];
    square += rest * rest;
  }
  solution.residual_length = std::sqrt(square);

  // trace(U (U'U + penalty)^-1 U') = |U R^-1|^2, a column of R^-1 at a time; U by its own factor.
  std::vector<double> x(columns);
  for (std::size_t last = 0; last < columns; ++last) {
    for (std::size_t i = last + 1; i-- > 0;) {
      double value = i == last ? 1.0 : 0.0;
      for (std::size_t k = i + 1; k <= last; ++k) value -= r[i * size_ + k] * x[k];
      x[i] = value / r[i * size_ + i];
    }
    for (std::size_t i = 0; i <= last; ++i) {
      double sum = 0;
      for (std::size_t k = i; k <= last; ++k) sum += r_[i * size_ + k] * x[k];
      solution.effective_parameters += sum * sum;
    }
  }
  for (std::size_t j = 0; j < columns; ++j) solution.b[j] /= lengths_[j];
  return solution;
}

std::optional<double> cross_validated_rmse(double rows, double residual_length, double parameters) {
  const double left = 1 - parameters / rows;
  if (!(left > 0)) return std::nullopt;
  return residual_length / std::sqrt(rows) / left;
}

}  // namespace weir::model
