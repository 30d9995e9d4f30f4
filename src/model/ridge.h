// Least squares with a penalty on large coefficients (Hoerl & Kennard 1970), from a triangle alone.
//
// Minimised is, per row, the squared error plus penalty * (the sum of squares of the coefficients),
// with every feature scaled to variance 1 about its mean (without intercept: to mean square 1), so
// that units do not matter. The intercept is not penalised. A feature that is independent of the
// others has 1 / (1 + penalty) of its coefficient left. scikit-learn's Ridge on standardised
// features calls rows * penalty its alpha.
//
// How good a penalty is tells generalised cross-validation (Golub, Heath & Wahba 1979): leaving one
// row out at a time, in a form that does not depend on how the rows are turned. The triangle is all
// that it needs; no row is looked at again, and none that is held out.
//
// Threads: pure functions. Errors: none.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "model/triangle.h"

namespace weir::model {

// The penalties that are tried, beside 0: four in each power of ten.
inline constexpr int kPenaltyExponentMin = -6;
inline constexpr int kPenaltyExponentMax = 3;
inline constexpr int kPenaltiesPerPower = 4;
inline constexpr double kPenaltyMax = 1e6;
// Each penalty tried costs (features)^3 operations.
inline constexpr std::size_t kPenaltySearchFeaturesMax = 500;

std::vector<double> penalties_to_try();

struct RidgeSolution {
  std::vector<double> b;            // per column, in the triangle's scaled numbers
  double residual_length = 0;       // in units of 2^e_y
  double effective_parameters = 0;  // without the intercept: between 0 and the number of columns
};

class Ridge {
 public:
  // columns: those of the triangle that take part, none of which is zero below row `skipped_rows`
  // (1 where the first row stands for the means, else 0).
  Ridge(const Triangle& triangle, std::size_t skipped_rows,
        const std::vector<std::size_t>& columns);

  RidgeSolution solve(double penalty) const;  // above 0

 private:
  std::size_t size_;             // columns and the target
  std::vector<double> r_;        // their factor, columns of length 1
  std::vector<double> lengths_;  // that the columns had
};

// The root mean squared error to be expected of rows not seen; absent where rows are too few.
std::optional<double> cross_validated_rmse(double rows, double residual_length, double parameters);

}  // namespace weir::model
