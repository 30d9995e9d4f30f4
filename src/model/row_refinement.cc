#include "model/row_refinement.h"

#include <cmath>
#include <limits>

namespace weir::model {
namespace {

constexpr int kStepsMax = 10;
// A step this small, next to the target, is beyond what doubled precision can tell.
constexpr double kStepMin = 1e-30;

class Refinement {
 public:
  Refinement(const Triangle& triangle, std::span<const std::size_t> pivots)
      : triangle_(triangle), pivots_(pivots), columns_(triangle.size - 1) {}

  std::size_t rows() const { return triangle_.kept.size() / columns_; }

  // The number that the triangle stands for, exactly: shifted and scaled.
  DoubleDouble at(std::size_t row, std::size_t column) const {
    if (column == 0) return 1.0;
    const std::size_t j = column - 1;
    const double value = triangle_.kept[row * columns_ + j];
    return scaled(DoubleDouble::sum_of(value, -triangle_.reference[j]), -triangle_.exponent[j]);
  }

  DoubleDouble target(std::size_t row) const { return at(row, triangle_.size - 1); }

  DoubleDouble residual(std::size_t row, const std::vector<DoubleDouble>& b) const {
    DoubleDouble rest = target(row);
    for (std::size_t i = 0; i < b.size(); ++i) rest = rest - b[i] * at(row, pivots_[i]);
    return rest;
  }

  // A'(y - A b): zero for the solution.
  std::vector<double> gradient(const std::vector<DoubleDouble>& b) const {
    std::vector<DoubleDouble> sums(b.size());
    for (std::size_t row = 0; row < rows(); ++row) {
      const DoubleDouble rest = residual(row, b);
      for (std::size_t i = 0; i < b.size(); ++i) sums[i] = sums[i] + at(row, pivots_[i]) * rest;
    }
    std::vector<double> result;
    for (const DoubleDouble& sum : sums) result.push_back(sum.value());
    return result;
  }

  // v := R'^-1 v; returns its length, which is how far the predictions will move.
  double solve_transposed(std::vector<double>& v) const {
    double square = 0;
    for (std::size_t i = 0; i < v.size(); ++i) {
      v[i] /= triangle_.at(i, pivots_[i]);
      square += v[i] * v[i];
      for (std::size_t k = i + 1; k < v.size(); ++k) v[k] -= v[i] * triangle_.at(i, pivots_[k]);
    }
    return std::sqrt(square);
  }

  // v := R^-1 v
  void solve(std::vector<double>& v) const {
    for (std::size_t i = v.size(); i-- > 0;) {
      for (std::size_t k = i + 1; k < v.size(); ++k) v[i] -= triangle_.at(i, pivots_[k]) * v[k];
      v[i] /= triangle_.at(i, pivots_[i]);
    }
  }

  DoubleDouble residual_square(const std::vector<DoubleDouble>& b) const {
    DoubleDouble sum;
    for (std::size_t row = 0; row < rows(); ++row) {
      const DoubleDouble rest = residual(row, b);
      sum = sum + rest * rest;
    }
    return sum;
  }

  DoubleDouble target_square() const {
    DoubleDouble mean;
    if (!pivots_.empty() && pivots_[0] == 0) {
      for (std::size_t row = 0; row < rows(); ++row) mean = mean + target(row);
      mean = mean / DoubleDouble(static_cast<double>(rows()));
    }
    DoubleDouble sum;
    for (std::size_t row = 0; row < rows(); ++row) {
      const DoubleDouble distance = target(row) - mean;
      sum = sum + distance * distance;
    }
    return sum;
  }

 private:
  const Triangle& triangle_;
  std::span<const std::size_t> pivots_;
  std::size_t columns_;
};

}  // namespace

RowSolution refine_on_rows(const Triangle& triangle, std::span<const std::size_t> pivots,
                           std::vector<DoubleDouble> start) {
  const Refinement refinement(triangle, pivots);
  RowSolution solution;
  solution.b = std::move(start);
  const DoubleDouble target_square = refinement.target_square();
  solution.target_length = std::sqrt(target_square.value());
  double last = std::numeric_limits<double>::infinity();
  for (int step = 0; step < kStepsMax; ++step) {
    std::vector<double> correction = refinement.gradient(solution.b);
    const double length = refinement.solve_transposed(correction);
    if (!(length < last / 2) || length <= kStepMin * solution.target_length) break;
    last = length;
    refinement.solve(correction);
    for (std::size_t i = 0; i < correction.size(); ++i) {
      solution.b[i] = solution.b[i] + DoubleDouble(correction[i]);
    }
  }
  const DoubleDouble residual_square = refinement.residual_square(solution.b);
  solution.residual_length = std::sqrt(residual_square.value());
  if (target_square.value() > 0) {
    solution.r_squared = ((target_square - residual_square) / target_square).value();
  }
  return solution;
}

}  // namespace weir::model
