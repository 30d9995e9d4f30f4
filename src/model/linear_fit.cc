// The triangle's columns are taken in order into a QR decomposition of their own, in which a column
// that adds nothing to those before it is passed over. What is left of a column after the ones
// before it is its distance from their span. Whether that is something or nothing is judged by what
// rounding could have made of it: the column is a combination b_1, b_2, ... of those before it and
// the rest, and rounding errors in each of them, e_1, e_2, ..., leave a rest of up to
//
//   sqrt(e^2 + (b_1 e_1)^2 + (b_2 e_2)^2 + ...)
//
// even where nothing is left in truth. A fixed share of the column's length in the place of this
// would keep the difference of two columns that are nearly alike (large b, so a rest of errors),
// and drop powers of x of a high degree (small rest, yet a million times the errors).
//
// Then back substitution in doubled precision, in the scaled numbers of the triangle; the powers of
// two and the shift are undone last, before anything is rounded to a double.

#include "model/linear_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "model/double_double.h"
#include "model/ridge.h"
#include "model/row_refinement.h"
#include "model/triangle.h"

namespace weir::model {
namespace {

// Rounding errors of a column, as a share of its length: those of folding its rows, about the
// middle of the data (a tenth of this was seen after 100,000 merges), and those that its values
// were born with, which go with their magnitude (uniform, so that this is far more than chance).
constexpr double kFoldError = 64 * std::numeric_limits<double>::epsilon();
constexpr double kValueError = 4 * std::numeric_limits<double>::epsilon();

enum class Verdict { kTaken, kConstant, kDependent };

struct Solver {
  Solver(Triangle of, bool intercept) : triangle(std::move(of)), size(triangle.size) {
    if (intercept) {
      skipped_rows = 1;
    } else {
      std::vector<int> exponent = triangle.exponent;
      for (std::size_t j = 0; j < exponent.size(); ++j) {
        exponent[j] = std::max(exponent[j], exponent_of(triangle.reference[j]));
      }
      move_to(triangle, std::vector<double>(size - 1, 0.0), exponent);
    }
    pivots.reserve(size);
    verdicts.assign(size, Verdict::kTaken);
    if (intercept) {
      pivots.push_back(0);
      errors.push_back(kFoldError * std::abs(at(0, 0)));
    }
    for (std::size_t column = 1; column + 1 < size; ++column) take(column);
    solve();
  }

  std::size_t target() const { return size - 1; }
  double& at(std::size_t row, std::size_t column) { return triangle.r[row * size + column]; }
  double at(std::size_t row, std::size_t column) const { return triangle.at(row, column); }

  double tail_length(std::size_t column, std::size_t from) const {
    double sum = 0;
    for (std::size_t row = from; row < size; ++row) sum += at(row, column) * at(row, column);
    return std::sqrt(sum);
  }

  // How large a column of nothing but the rounding errors of its values could be.
  double value_error(std::size_t column) const {
    const double magnitude =
        std::ldexp(std::abs(triangle.reference[column - 1]), -triangle.exponent[column - 1]);
    return kValueError * magnitude * std::sqrt(static_cast<double>(triangle.rows));
  }

  // What rounding could leave of the column where it is a combination of those taken so far.
  double rest_of_errors(std::size_t column, double error) const {
    double sum = error * error;
    std::vector<double> share(pivots.size());
    for (std::size_t i = pivots.size(); i-- > 0;) {
      double value = at(i, column);
      for (std::size_t k = i + 1; k < pivots.size(); ++k) value -= at(i, pivots[k]) * share[k];
      share[i] = value / at(i, pivots[i]);
      sum += share[i] * share[i] * errors[i] * errors[i];
    }
    return std::sqrt(sum);
  }

  void take(std::size_t column) {
    const std::size_t rank = pivots.size();
    const double length = tail_length(column, skipped_rows);
    const double rest = tail_length(column, rank);
    const double of_fold = kFoldError * tail_length(column, 0);
    const double of_values = value_error(column);
    const double error = std::sqrt(of_fold * of_fold + of_values * of_values);
    if (length <= of_values) {
      verdicts[column] = Verdict::kConstant;
    } else if (!(rest > rest_of_errors(column, error))) {
      verdicts[column] = Verdict::kDependent;
    } else {
      reflect(column, rank, rest);
      pivots.push_back(column);
      errors.push_back(error);
    }
  }

  // Householder on rows rank.. so that only row `rank` of the column is left.
  void reflect(std::size_t column, std::size_t rank, double rest) {
    std::vector<double> v(size);
    for (std::size_t row = rank; row < size; ++row) v[row] = at(row, column);
    const double beta = v[rank] > 0 ? -rest : rest;
    if (rest == std::abs(v[rank])) return;  // nothing below: it stays as it is
    v[rank] -= beta;
    const double scale = -1 / (beta * v[rank]);
    at(rank, column) = beta;
    for (std::size_t row = rank + 1; row < size; ++row) at(row, column) = 0;
    for (std::size_t j = column + 1; j < size; ++j) {
      double dot = 0;
      for (std::size_t row = rank; row < size; ++row) dot += v[row] * at(row, j);
      for (std::size_t row = rank; row < size; ++row) at(row, j) -= scale * dot * v[row];
    }
  }

  void solve() {
    b.resize(pivots.size());
    for (std::size_t i = pivots.size(); i-- > 0;) {
      DoubleDouble sum = at(i, target());
      for (std::size_t k = i + 1; k < pivots.size(); ++k) sum = sum - b[k] * at(i, pivots[k]);
      b[i] = sum / at(i, pivots[i]);
    }
    if (triangle.kept.empty()) {
      target_length = tail_length(target(), skipped_rows);
      residual_length = tail_length(target(), pivots.size());
      r_squared = share_explained();
    } else {
      RowSolution refined = refine_on_rows(triangle, pivots, std::move(b));
      b = std::move(refined.b);
      target_length = refined.target_length;
      residual_length = refined.residual_length;
      r_squared = refined.r_squared;
    }
  }

  // By the smaller part, so that nothing cancels.
  double share_explained() const {
    const double ratio = residual_length / target_length;
    if (ratio * ratio < 0.5) return 1 - ratio * ratio;
    double explained = 0;
    for (std::size_t i = skipped_rows; i < pivots.size(); ++i) {
      explained += at(i, target()) * at(i, target());
    }
    return explained / (target_length * target_length);
  }

  // ---- with a penalty ----

  std::vector<std::size_t> columns_that_vary() const {
    std::vector<std::size_t> columns;
    for (std::size_t column = 1; column + 1 < size; ++column) {
      if (verdicts[column] != Verdict::kConstant) columns.push_back(column);
    }
    return columns;
  }

  // Puts the solution of a penalty above 0 in the place of the ordinary one.
  void take_penalised(const RidgeSolution& solution, const std::vector<std::size_t>& columns) {
    pivots.resize(skipped_rows);
    b.assign(skipped_rows, DoubleDouble());
    DoubleDouble rest = at(0, target());
    for (std::size_t i = 0; i < columns.size(); ++i) {
      pivots.push_back(columns[i]);
      verdicts[columns[i]] = Verdict::kTaken;
      b.emplace_back(solution.b[i]);
      rest = rest - DoubleDouble(solution.b[i]) * at(0, columns[i]);
    }
    if (skipped_rows > 0) b[0] = rest / at(0, 0);
    target_length = tail_length(target(), skipped_rows);
    residual_length = solution.residual_length;
    const double ratio = residual_length / target_length;
    r_squared = 1 - ratio * ratio;
  }

  // |R'^-1 u|, the standard error of u . b in units of the residual standard deviation, where u is
  // zero before `first`.
  double spread_of(std::vector<double> u, std::size_t first) const {
    double sum = 0;
    for (std::size_t i = first; i < pivots.size(); ++i) {
      u[i] /= at(i, pivots[i]);
      sum += u[i] * u[i];
      for (std::size_t k = i + 1; k < pivots.size(); ++k) u[k] -= u[i] * at(i, pivots[k]);
    }
    return std::sqrt(sum);
  }

  Triangle triangle;
  std::size_t size;
  std::size_t skipped_rows = 0;     // 1 where lengths are about the mean
  std::vector<std::size_t> pivots;  // the columns that count, in order
  std::vector<double> errors;       // per pivot: how much of its length may be rounding
  std::vector<Verdict> verdicts;    // per column of the triangle
  std::vector<DoubleDouble> b;      // per pivot: the scaled coefficient
  double target_length = 0;         // scaled by 2^-e_y, as is the next
  double residual_length = 0;
  double r_squared = 0;  // means nothing where the target's length is 0
};

std::optional<double> finite(double value) {
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

// Finds the penalty that is asked for, and solves with it.
RidgeReport penalise(Solver& solver, std::optional<double> wanted) {
  RidgeReport report;
  report.automatic = !wanted;
  report.penalty = wanted.value_or(0);
  const auto intercept = static_cast<double>(solver.skipped_rows);
  report.effective_parameters = static_cast<double>(solver.pivots.size()) - intercept;
  const std::vector<std::size_t> columns = solver.columns_that_vary();
  if (columns.empty()) return report;
  const Ridge ridge(solver.triangle, solver.skipped_rows, columns);
  std::optional<RidgeSolution> best;
  if (wanted) {
    best = ridge.solve(*wanted);
  } else {
    const auto rows = static_cast<double>(solver.triangle.rows);
    double least = std::numeric_limits<double>::infinity();
    const auto tried = [&](double penalty, double residual_length, double parameters) {
      const auto rmse = cross_validated_rmse(rows, residual_length, parameters + intercept);
      const double in_units = std::ldexp(rmse.value_or(NAN), solver.triangle.exponent.back());
      if (!std::isfinite(in_units)) return false;
      report.curve.push_back({penalty, in_units});
      if (!(*rmse < least)) return false;
      least = *rmse;
      report.penalty = penalty;
      return true;
    };
    tried(0, solver.residual_length, report.effective_parameters);
    for (const double penalty : penalties_to_try()) {
      RidgeSolution solution = ridge.solve(penalty);
      if (tried(penalty, solution.residual_length, solution.effective_parameters)) {
        best = std::move(solution);
      }
    }
  }
  if (best) {
    report.effective_parameters = best->effective_parameters;
    solver.take_penalised(*best, columns);
  }
  return report;
}

class Reporter {
 public:
  Reporter(const Solver& solver, const record::Schema& schema, const FitOptions& options,
           std::optional<RidgeReport> ridge)
      : solver_(solver), schema_(schema), options_(options) {
    report_.ridge = std::move(ridge);
  }

  Result<FitReport> report() {
    report_.rows = solver_.triangle.rows;
    report_.degrees_of_freedom = report_.rows - solver_.pivots.size();
    const int target_exponent = solver_.triangle.exponent.back();
    auto freedom = static_cast<double>(report_.degrees_of_freedom);
    if (penalised()) {
      freedom = static_cast<double>(report_.rows - solver_.skipped_rows) -
                report_.ridge->effective_parameters;
    }
    if (freedom > 0) {
      scaled_deviation_ = solver_.residual_length / std::sqrt(freedom);
      report_.residual_standard_deviation = finite(std::ldexp(scaled_deviation_, target_exponent));
    }
    if (solver_.target_length > 0) {
      report_.r_squared = solver_.r_squared;
    } else {
      report_.notes.push_back("the target '" + schema_.target + "' is " +
                              (options_.intercept ? "constant" : "zero in every row"));
    }
    add_features();
    if (options_.intercept) add_intercept();
    for (const Estimate& feature : report_.features) {
      if (!std::isfinite(feature.value)) {
        return fail(Code::kBadData, "the coefficient of column '" + feature.name +
                                        "' is beyond the range of a double");
      }
    }
    if (!std::isfinite(report_.intercept.value)) {
      return fail(Code::kBadData, "the intercept is beyond the range of a double");
    }
    return std::move(report_);
  }

 private:
  bool penalised() const { return report_.ridge && report_.ridge->penalty > 0; }

  void judge(Estimate& estimate, double spread, int exponent) const {
    if (report_.degrees_of_freedom == 0 || penalised()) return;
    estimate.standard_error = finite(std::ldexp(scaled_deviation_ * spread, exponent));
    if (estimate.standard_error && *estimate.standard_error > 0) {
      estimate.t_value = finite(estimate.value / *estimate.standard_error);
    }
  }

  void add_features() {
    const std::vector<int>& exponent = solver_.triangle.exponent;
    report_.features.resize(schema_.features.size());
    for (std::size_t j = 0; j < schema_.features.size(); ++j) {
      Estimate& estimate = report_.features[j];
      estimate.name = schema_.features[j];
      estimate.dropped = solver_.verdicts[j + 1] != Verdict::kTaken;
      if (estimate.dropped) note_dropped(j);
    }
    for (std::size_t i = options_.intercept ? 1 : 0; i < solver_.pivots.size(); ++i) {
      const std::size_t j = solver_.pivots[i] - 1;
      const int power = exponent.back() - exponent[j];
      report_.features[j].value = std::ldexp(solver_.b[i].value(), power);
      std::vector<double> unit(solver_.pivots.size());
      unit[i] = 1;
      judge(report_.features[j], solver_.spread_of(std::move(unit), i), power);
    }
  }

  void note_dropped(std::size_t j) {
    const bool constant = solver_.verdicts[j + 1] == Verdict::kConstant;
    report_.notes.push_back("column '" + schema_.features[j] + "' " +
                            (constant ? (options_.intercept ? "is constant" : "is zero")
                                      : "is a linear combination of the columns before it") +
                            "; its coefficient is 0");
  }

  // intercept = c_y + 2^e_y b_0 - sum of c_j b_j: large terms that cancel. The b_j are not rounded
  // first: where a small intercept is left of large terms, their last bits are most of it.
  void add_intercept() {
    const Triangle& triangle = solver_.triangle;
    const int target_exponent = triangle.exponent.back();
    DoubleDouble sum =
        DoubleDouble(triangle.reference.back()) + scaled(solver_.b[0], target_exponent);
    std::vector<double> direction(solver_.pivots.size());
    direction[0] = 1;
    for (std::size_t i = 1; i < solver_.pivots.size(); ++i) {
      const std::size_t j = solver_.pivots[i] - 1;
      const int power = target_exponent - triangle.exponent[j];
      sum = sum - scaled(solver_.b[i] * triangle.reference[j], power);
      direction[i] = -std::ldexp(triangle.reference[j], -triangle.exponent[j]);
    }
    report_.intercept.value = sum.value();
    judge(report_.intercept, solver_.spread_of(std::move(direction), 0), target_exponent);
  }

  const Solver& solver_;
  const record::Schema& schema_;
  const FitOptions& options_;
  FitReport report_;
  double scaled_deviation_ = 0;
};

}  // namespace

Result<LinearFit> fit_linear(const Accumulator& rows, const record::Schema& schema,
                             const FitOptions& options) {
  if (schema.features.empty()) return fail(Code::kBadData, "there are no features to learn from");
  Triangle triangle = WEIR_TRY(rows.summary(schema));
  const std::size_t parameters = schema.features.size() + (options.intercept ? 1 : 0);
  if (triangle.rows < parameters) {
    return fail(Code::kBadData, "there are " + std::to_string(triangle.rows) + " rows for " +
                                    std::to_string(parameters) +
                                    " unknowns; a model needs at least as many rows as unknowns");
  }
  if (!options.ridge && schema.features.size() > kPenaltySearchFeaturesMax) {
    return fail(Code::kBadData, "there are " + std::to_string(schema.features.size()) +
                                    " features; a ridge penalty can be looked for with at most " +
                                    std::to_string(kPenaltySearchFeaturesMax) +
                                    ": name one, or none");
  }
  Solver solver(std::move(triangle), options.intercept);
  std::optional<RidgeReport> ridge;
  if (options.ridge != 0.0) ridge = penalise(solver, options.ridge);
  FitReport report = WEIR_TRY(Reporter(solver, schema, options, std::move(ridge)).report());
  std::vector<double> coefficients;
  for (const Estimate& feature : report.features) coefficients.push_back(feature.value);
  LinearModel model =
      WEIR_TRY(LinearModel::make(schema, report.intercept.value, std::move(coefficients)));
  return LinearFit{std::move(model), std::move(report)};
}

}  // namespace weir::model
