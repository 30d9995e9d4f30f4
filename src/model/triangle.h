// All that least squares needs to know of a set of rows, in (features + 2)^2 numbers.
//
// Let A be the matrix with the columns [1, (x_1 - c_1) / 2^e_1, ..., (y - c_y) / 2^e_y], one line
// per row. The triangle is the factor R of A = Q R; R'R = A'A, but R is never formed from A'A,
// which would lose half of the digits. c are reference values taken from the data (a shift makes
// the columns less alike, and costs no accuracy), e are exponents that keep every number in [-1,
// 1].
//
// Owner: anyone; a plain value. Threads: as any value. Errors: none; the numbers are finite.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::model {

struct Triangle {
  std::uint64_t rows = 0;         // how many rows it stands for
  std::size_t size = 0;           // features + 2: the ones, the features, the target
  std::vector<double> r;          // size x size, row-major, zero below the diagonal
  std::vector<double> reference;  // c, per data column: features first, target last
  std::vector<int> exponent;      // e, per data column
  std::vector<double> kept;       // the rows as they came, row-major; none where they are many

  double at(std::size_t row, std::size_t column) const { return r[row * size + column]; }
};

// Exponents never fall below this, so that 2^-e is a double too. An all-zero column has it.
inline constexpr int kExponentMin = -1000;

// Multiplies column `column` of a size x size triangle by 2^power.
void scale_column(double* r, std::size_t size, std::size_t column, int power);

// R := the factor of [R; S]. Destroys S.
void fold_triangle(double* r, double* s, std::size_t size);

// Expresses the triangle about other references and exponents, so that two can be stacked.
void move_to(Triangle& triangle, const std::vector<double>& reference,
             const std::vector<int>& exponent);

// The exponent e with |value| < 2^e, at least kExponentMin.
int exponent_of(double value);

}  // namespace weir::model
