// What a linear fit found out beside its coefficients: how sure they are, and what was odd.
//
// Threads: a plain value. Every number is finite; what the rows do not define is absent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weir::model {

struct Estimate {
  std::string name;  // empty for the intercept
  double value = 0;
  bool dropped = false;  // constant or dependent: value is 0
  // Absent where dropped, where no degree of freedom is left to judge by, and with a penalty, which
  // pulls values towards 0 by more than chance.
  std::optional<double> standard_error;
  std::optional<double> t_value;  // value / standard_error; absent too where the fit is exact
};

// One penalty that was tried.
struct PenaltyTried {
  double penalty = 0;
  double cross_validated_rmse = 0;  // in units of the target
};

struct RidgeReport {
  bool automatic = false;           // the penalty was chosen among those of the curve
  double penalty = 0;               // see ridge.h
  double effective_parameters = 0;  // how many coefficients it is worth, without the intercept
  std::vector<PenaltyTried> curve;  // rising penalties; empty where one was given
};

struct FitReport {
  std::uint64_t rows = 0;
  std::uint64_t degrees_of_freedom = 0;  // rows - parameters that were estimated
  // Absent without degrees of freedom. With a penalty, of rows - effective parameters.
  std::optional<double> residual_standard_deviation;
  // Share of the target's variation about its mean (without intercept: about 0); absent where the
  // target is constant (0).
  std::optional<double> r_squared;
  Estimate intercept;
  std::vector<Estimate> features;    // in the schema's order
  std::optional<RidgeReport> ridge;  // absent where no penalty was asked for
  std::vector<std::string> notes;    // for people: "column 'b' is constant; …"
};

}  // namespace weir::model
