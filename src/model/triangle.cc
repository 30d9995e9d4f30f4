#include "model/triangle.h"

#include <algorithm>
#include <cmath>

namespace weir::model {

void scale_column(double* r, std::size_t size, std::size_t column, int power) {
  if (power == 0) return;
  for (std::size_t row = 0; row <= column; ++row) {
    r[row * size + column] = std::ldexp(r[row * size + column], power);
  }
}

// The reflections of block_fold.cc, where the block is itself a triangle: column k of S has k + 1
// numbers that are not zero, and stays so.
void fold_triangle(double* r, double* s, std::size_t size) {
  std::vector<double> dots(size);
  for (std::size_t k = 0; k < size; ++k) {
    std::fill(dots.begin() + k, dots.end(), 0.0);
    for (std::size_t i = 0; i <= k; ++i) {
      const double* const row = s + i * size;
      for (std::size_t j = k; j < size; ++j) dots[j] += row[k] * row[j];
    }
    if (dots[k] == 0) continue;
    double* const target = r + k * size;
    const double alpha = target[k];
    const double length = std::sqrt(alpha * alpha + dots[k]);
    const double beta = alpha > 0 ? -length : length;
    const double v0 = alpha - beta;
    const double tau = -v0 / beta;
    target[k] = beta;
    for (std::size_t j = k + 1; j < size; ++j) {
      const double taken = tau * (target[j] + dots[j] / v0);
      target[j] -= taken;
      dots[j] = taken / v0;  // from here on: how much of column k is taken off column j
    }
    for (std::size_t i = 0; i <= k; ++i) {
      double* const row = s + i * size;
      for (std::size_t j = k + 1; j < size; ++j) row[j] -= dots[j] * row[k];
    }
  }
}

void move_to(Triangle& triangle, const std::vector<double>& reference,
             const std::vector<int>& exponent) {
  for (std::size_t j = 0; j < reference.size(); ++j) {
    const std::size_t column = j + 1;
    scale_column(triangle.r.data(), triangle.size, column, triangle.exponent[j] - exponent[j]);
    // x - c_new = (x - c_old) + (c_old - c_new) * 1: a multiple of the column of ones.
    const double distance = std::ldexp(triangle.reference[j] - reference[j], -exponent[j]);
    triangle.r[column] += distance * triangle.r[0];
  }
  triangle.reference = reference;
  triangle.exponent = exponent;
}

int exponent_of(double value) {
  if (value == 0) return kExponentMin;
  int exponent = 0;
  std::frexp(value, &exponent);
  return std::max(exponent, kExponentMin);
}

}  // namespace weir::model
