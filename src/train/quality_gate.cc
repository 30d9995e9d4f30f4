#include "train/quality_gate.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "model/metrics.h"
#include "train/predict_rows.h"

namespace weir::train {
namespace {

using registry::QualityFigures;

constexpr double kExact = 1e-12;  // of the largest target

// Where each of the model's features stands in the rows; or the first one that is not there.
tl::expected<std::vector<std::size_t>, std::string> places_of(const record::Schema& wanted,
                                                              const record::Schema& rows) {
  std::vector<std::size_t> places;
  for (const std::string& name : wanted.features) {
    const auto place = rows.feature_index(name);
    if (!place) return tl::unexpected(name);
    places.push_back(*place);
  }
  return places;
}

// A prediction that is not finite makes the error boundless: nothing can be worse.
QualityFigures figures_of(const std::vector<double>& predictions, const record::RowBlock& sample) {
  model::ErrorSums sums;
  for (std::size_t i = 0; i < sample.rows; ++i) {
    if (!std::isfinite(predictions[i])) return {};
    sums.add(predictions[i], sample.value(i, sample.columns - 1));
  }
  const model::Metrics metrics = sums.metrics();
  return {metrics.rmse, metrics.r_squared};
}

void compare_with_live(const LiveModel& live, const model::Model& candidate,
                       const record::RowBlock& sample, registry::QualityVerdict& verdict) {
  const record::Schema& schema = candidate.schema();
  verdict.live_version = live.version;
  if (live.version == 0) return;
  if (!live.model) {
    verdict.not_compared = live.why_none;
    return;
  }
  const record::Schema& its = live.model->schema();
  if (its.target != schema.target) {
    verdict.not_compared = "it predicts '" + its.target + "', this one '" + schema.target + "'";
    return;
  }
  const auto places = places_of(its, schema);
  if (!places) {
    verdict.not_compared = "the data set has no column '" + places.error() + "', or leaves it out";
    return;
  }
  const auto predictions = predict_foreign_rows(*live.model, sample, candidate.inputs(), *places);
  if (!predictions) {
    verdict.not_compared = predictions.error();
    return;
  }
  verdict.live = figures_of(*predictions, sample);
}

// An error no larger than this is none: models that are exact differ in their rounding alone.
double rounding_of(const record::RowBlock& sample) {
  double largest = 0;
  for (std::size_t i = 0; i < sample.rows; ++i) {
    largest = std::max(largest, std::abs(sample.value(i, sample.columns - 1)));
  }
  return kExact * largest;
}

// True where the candidate's error is within the margin of the live model's.
bool within_margin(const registry::QualityVerdict& verdict, double rounding) {
  if (!verdict.required.worse_than_live_max || !verdict.live || !verdict.live->rmse) return true;
  if (!verdict.candidate.rmse) return false;
  return *verdict.candidate.rmse <= std::max(*verdict.live->rmse, rounding) *
                                        (1 + *verdict.required.worse_than_live_max / 100);
}

}  // namespace

Result<LiveModel> load_live_model(const registry::ModelRegistry& models, std::uint64_t version,
                                  const std::string& sha256) {
  LiveModel live{version, nullptr, ""};
  if (version == 0) return live;
  auto loaded = models.load(version, sha256);
  if (loaded) {
    live.model = std::move(loaded->model);
    return live;
  }
  const Code code = loaded.error().code();
  if (code != Code::kNotFound && code != Code::kCorrupt && code != Code::kUnsupported &&
      code != Code::kExhausted) {
    return fail(
        std::move(loaded.error()).while_doing("reading the model in force to compare with"));
  }
  live.why_none = loaded.error().message();
  return live;
}

Result<registry::QualityVerdict> judge_quality(const model::Model& candidate, const LiveModel& live,
                                               const record::RowBlock& sample,
                                               const registry::QualityBounds& bounds) {
  if (sample.rows == 0) {
    return fail(Code::kBadData,
                "no row was held out to judge the model by, as model.require asks: give more rows, "
                "or a larger dataset.test_fraction");
  }
  registry::QualityVerdict verdict;
  verdict.required = bounds;
  verdict.rows = sample.rows;
  verdict.candidate = figures_of(predict_rows(candidate, sample), sample);
  compare_with_live(live, candidate, sample, verdict);

  std::string unmet;
  if (bounds.r2 && !(verdict.candidate.r2 && *verdict.candidate.r2 >= *bounds.r2)) {
    unmet = "model.require.r2";
  }
  if (!within_margin(verdict, rounding_of(sample))) {
    unmet += (unmet.empty() ? "" : " and ") + std::string("model.require.worse_than_live_max");
  }
  if (unmet.empty()) return verdict;
  return fail(Code::kBadData, "the model is not good enough to be put in force (" + unmet +
                                  "): " + registry::quality_text(verdict));
}

Status pass_quality_gate(TrainedModel& trained, const registry::QualityBounds& bounds,
                         const registry::ModelRegistry& models, std::uint64_t live_version,
                         const std::string& live_sha256) {
  if (!bounds.any()) return {};
  if (trained.manifest.imported && trained.held_out_sample.rows == 0) {
    return fail(Code::kBadData,
                "the imported model brought no rows to judge it by, as model.require asks: import "
                "it with --evaluate-on FILE.csv, rows that it was not trained on");
  }
  const LiveModel live = WEIR_TRY(load_live_model(models, live_version, live_sha256));
  trained.manifest.quality =
      WEIR_TRY(judge_quality(*trained.model, live, trained.held_out_sample, bounds));
  return {};
}

}  // namespace weir::train
