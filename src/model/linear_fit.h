// Ordinary least squares from an Accumulator: coefficients, how sure they are, and what was odd.
//
// What cannot be told apart is settled by a rule, never by rounding errors: a feature that is
// constant, or a linear combination of the features before it to within rounding, gets the
// coefficient 0 exactly and is named in the notes. (The later column of a dependent set is
// dropped.) With a penalty, dependent features share their coefficient, and constant ones alone are
// dropped.
//
// Threads: pure functions. Errors: kBadData, naming the column where there is one: a value that is
// not finite or beyond 1e300, fewer rows than parameters, no features, a coefficient beyond the
// range of a double, too many features to look for a penalty. kInvalidArgument: a schema of another
// width than the rows.
#pragma once

#include <optional>

#include "base/error.h"
#include "model/accumulator.h"
#include "model/fit_report.h"
#include "model/linear_model.h"
#include "record/schema.h"

namespace weir::model {

struct FitOptions {
  bool intercept = true;              // false: through the origin
  std::optional<double> ridge = 0.0;  // the penalty of ridge.h; 0: none; nullopt: the best one
};

struct LinearFit {
  LinearModel model;
  FitReport report;
};

Result<LinearFit> fit_linear(const Accumulator& rows, const record::Schema& schema,
                             const FitOptions& options = {});

}  // namespace weir::model
