// Ordinary least squares from an Accumulator: coefficients, how sure they are, and what was odd.
//
// What cannot be told apart is settled by a rule, never by rounding errors: a feature that is
// constant, or a linear combination of the features before it to within rounding, gets the
// coefficient 0 exactly and is named in the notes. (The later column of a dependent set is
// dropped.)
//
// Threads: pure functions. Errors: kBadData, naming the column where there is one: a value that is
// not finite or beyond 1e300, fewer rows than parameters, no features, a coefficient beyond the
// range of a double. kInvalidArgument: a schema of another width than the rows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/accumulator.h"
#include "model/linear_model.h"
#include "record/schema.h"

namespace weir::model {

struct FitOptions {
  bool intercept = true;  // false: through the origin
};

struct Estimate {
  std::string name;  // empty for the intercept
  double value = 0;
  bool dropped = false;  // constant or dependent: value is 0
  // Absent where dropped, or where no degree of freedom is left to judge by.
  std::optional<double> standard_error;
  std::optional<double> t_value;  // value / standard_error; absent too where the fit is exact
};

struct FitReport {
  std::uint64_t rows = 0;
  std::uint64_t degrees_of_freedom = 0;               // rows - parameters that were estimated
  std::optional<double> residual_standard_deviation;  // absent without degrees of freedom
  // Share of the target's variation about its mean (without intercept: about 0); absent where the
  // target is constant (0).
  std::optional<double> r_squared;
  Estimate intercept;
  std::vector<Estimate> features;  // in the schema's order
  std::vector<std::string> notes;  // for people: "column 'b' is constant; …"
};

struct LinearFit {
  LinearModel model;
  FitReport report;
};

Result<LinearFit> fit_linear(const Accumulator& rows, const record::Schema& schema,
                             const FitOptions& options = {});

}  // namespace weir::model
