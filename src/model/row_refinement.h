// The last digits of a fit, from the rows themselves, where they are few enough to be kept.
//
// A triangle is rounded to doubles, and so what is solved from it is off by the condition of the
// data times 1e-16. Where the rows are at hand, residuals in doubled precision tell how far off,
// and the triangle how to step nearer (Björck's corrected seminormal equations): after a few steps
// the coefficients are those of exact arithmetic on the doubles that were read.
//
// Threads: pure functions. Errors: none; a step that does not come nearer ends it.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "model/double_double.h"
#include "model/triangle.h"

namespace weir::model {

struct RowSolution {
  std::vector<DoubleDouble> b;  // one per pivot
  double residual_length = 0;   // in units of 2^e_y, as is the next
  double target_length = 0;     // about the mean where there is a column of ones, else about 0
  double r_squared = 0;         // means nothing where target_length is 0
};

// triangle.kept holds the rows. Row i of the triangle has its first number at column pivots[i]; the
// column of ones is the first pivot or none. start: the solution of the triangle.
RowSolution refine_on_rows(const Triangle& triangle, std::span<const std::size_t> pivots,
                           std::vector<DoubleDouble> start);

}  // namespace weir::model
