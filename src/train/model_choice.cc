#include "train/model_choice.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "base/check.h"
#include "model/boosted_training.h"
#include "model/linear_fit.h"
#include "model/metrics.h"
#include "model/prepared_model.h"
#include "train/predict_rows.h"

namespace weir::train {
namespace {

struct Trained {
  std::unique_ptr<model::Model> model;
  registry::Candidate candidate;
  // The figures that the manifest shows if this one is kept; absent as in the candidate.
  registry::HeldOutMetrics shown;
  std::optional<model::FitReport> fit;
  std::vector<std::string> notes;
  double loss = std::numeric_limits<double>::infinity();  // the lower, the better
};

// Over the sample of held-out rows. A row whose prediction is not finite has no error to add, but a
// model with such rows loses to any other.
void measure_on_sample(const record::RowBlock& sample, Trained& trained) {
  model::ErrorSums sums;
  const std::vector<double> predictions = predict_rows(*trained.model, sample);
  bool all_finite = true;
  for (std::size_t i = 0; i < sample.rows; ++i) {
    const bool finite = std::isfinite(predictions[i]);
    all_finite = all_finite && finite;
    if (finite) sums.add(predictions[i], sample.value(i, sample.columns - 1));
  }
  const model::Metrics metrics = sums.metrics();
  if (!metrics.rmse) return;
  trained.candidate.has_held_out = true;
  trained.candidate.held_out = {*metrics.rmse, metrics.mae.value_or(0),
                                metrics.r_squared.value_or(0), metrics.rows};
  trained.shown = trained.candidate.held_out;
  if (!metrics.r_squared) {
    trained.notes.emplace_back("the held-out target is constant: R² means nothing");
  }
  if (all_finite) trained.loss = *metrics.rmse;
}

// The schema of the rows that models learn from.
const record::Schema& terms_of(const record::Schema& schema, const ChoiceOptions& options) {
  return options.preparation != nullptr ? options.preparation->term_schema() : schema;
}

Result<std::unique_ptr<model::Model>> prepared(std::unique_ptr<model::Model> model,
                                               const ChoiceOptions& options) {
  if (options.preparation == nullptr) return model;
  auto whole = model::PreparedModel::make(*options.preparation, std::move(model));
  if (!whole) return fail(std::move(whole.error()));
  return std::unique_ptr<model::Model>(std::move(*whole));
}

Result<Trained> train_linear(const PassedRows& rows, const record::Schema& schema,
                             const ChoiceOptions& options) {
  model::FitOptions fit_options;
  fit_options.intercept = options.intercept;
  fit_options.ridge = options.ridge;
  model::LinearFit fit =
      WEIR_TRY(model::fit_linear(rows.trained, terms_of(schema, options), fit_options));
  const model::Metrics exact = WEIR_TRY(model::held_out_metrics(rows.held_out, fit.model));
  Trained trained;
  trained.notes = std::move(fit.report.notes);
  trained.fit = std::move(fit.report);
  trained.candidate.algorithm = model::kLinear;
  trained.candidate.rows = rows.trained.rows();
  trained.model =
      WEIR_TRY(prepared(std::make_unique<model::LinearModel>(std::move(fit.model)), options));
  if (!exact.rmse) return trained;
  measure_on_sample(rows.held_out_sample, trained);
  if (!trained.candidate.has_held_out) return trained;  // errors too large for their squares
  trained.shown.rmse = *exact.rmse;
  trained.shown.r2 = exact.r_squared.value_or(0);
  return trained;
}

Result<Trained> train_boosted(const PassedRows& rows, const record::Schema& schema,
                              const ChoiceOptions& options,
                              const std::function<Status()>& still_wanted) {
  const model::BoostedOptions growing{options.boosted.trees,
                                      static_cast<int>(options.boosted.depth),
                                      options.boosted.learning_rate, options.seed};
  Trained trained;
  auto trees =
      WEIR_TRY(model::grow_boosted(rows.growing, terms_of(schema, options), growing, still_wanted));
  trained.model =
      WEIR_TRY(prepared(std::make_unique<model::BoostedModel>(std::move(trees)), options));
  trained.candidate.algorithm = model::kBoosted;
  trained.candidate.rows = rows.growing.rows;
  if (rows.growing.rows < rows.trained.rows()) {
    trained.notes.push_back("the trees were grown on " + std::to_string(rows.growing.rows) +
                            " of the " + std::to_string(rows.trained.rows()) +
                            " rows to train on, a random sample (model.boosted.rows_max)");
  }
  measure_on_sample(rows.held_out_sample, trained);
  if (rows.held_out_sample.rows < rows.held_out.rows()) {
    trained.notes.push_back("the trees were measured on " +
                            std::to_string(rows.held_out_sample.rows) + " of the " +
                            std::to_string(rows.held_out.rows()) +
                            " held-out rows, a random sample (model.test_sample_rows_max)");
  }
  return trained;
}

// What a kind of model may fail by, and another one not. All else, such as being told to stop, ends
// the training.
bool is_verdict(Code code) {
  return code == Code::kBadData || code == Code::kExhausted || code == Code::kInvalidArgument ||
         code == Code::kInternal;
}

registry::Candidate failed(std::string_view algorithm, const Error& why) {
  registry::Candidate candidate;
  candidate.algorithm = algorithm;
  candidate.failure = why.message();
  return candidate;
}

}  // namespace

Result<ChosenModel> choose_model(const PassedRows& rows, const record::Schema& schema,
                                 const ChoiceOptions& options,
                                 const std::function<Status()>& still_wanted) {
  const bool both = options.algorithm == kAuto;
  WEIR_CHECK(both || options.algorithm == model::kLinear || options.algorithm == model::kBoosted);
  ChosenModel chosen;
  std::optional<Trained> kept;
  std::optional<Error> why_none;
  const auto take = [&](std::string_view algorithm, Result<Trained> trained) -> Status {
    if (!trained) {
      if (!both || !is_verdict(trained.error().code())) return fail(std::move(trained.error()));
      chosen.candidates.push_back(failed(algorithm, trained.error()));
      chosen.notes.push_back("no " + std::string(algorithm) +
                             " model: " + trained.error().message());
      if (!why_none) why_none = std::move(trained.error());
      return {};
    }
    chosen.candidates.push_back(trained->candidate);
    if (!kept || trained->loss < kept->loss) kept = std::move(*trained);
    return {};
  };
  if (options.algorithm != model::kBoosted) {
    WEIR_TRY(take(model::kLinear, train_linear(rows, schema, options)));
  }
  if (options.algorithm != model::kLinear) {
    WEIR_TRY(take(model::kBoosted, train_boosted(rows, schema, options, still_wanted)));
  }
  if (!kept) return fail(std::move(*why_none));
  chosen.model = std::move(kept->model);
  chosen.has_held_out = kept->candidate.has_held_out;
  chosen.held_out = kept->shown;
  chosen.fit = std::move(kept->fit);
  chosen.notes.insert(chosen.notes.begin(), kept->notes.begin(), kept->notes.end());
  return chosen;
}

}  // namespace weir::train
