#include "train/model_making.h"

#include <algorithm>

#include "base/text.h"
#include "registry/model_document.h"
#include "train/model_choice.h"
#include "train/settings_in_manifest.h"

namespace weir::train {
namespace {

constexpr std::size_t kReasonExamplesMax = 5;

}  // namespace

Result<TrainedModel> make_trained_model(SplitTotals totals, const record::Schema& schema,
                                        const ColumnPlan& plan, const TrainingOptions& options,
                                        const std::function<Status()>& still_wanted) {
  const SplitSums sums = std::move(totals.tree).collapse();
  record::RowBlock sample = totals.sample.to_block();
  const record::RowBlock growing = totals.growing ? totals.growing->to_block() : record::RowBlock();
  totals.growing.reset();
  ChoiceOptions choice{options.algorithm, options.boosted, options.seed,
                       options.intercept, options.ridge,   nullptr};
  if (plan.preparation) choice.preparation = &*plan.preparation;
  ChosenModel chosen = WEIR_TRY(
      choose_model({sums.trained, sums.held_out, sample, growing}, schema, choice, still_wanted));
  TrainedModel trained;
  registry::Manifest& manifest = trained.manifest;
  manifest.algorithm = std::string(chosen.model->algorithm());
  manifest.schema = schema;
  manifest.feature_types = registry::feature_types_of(chosen.model->inputs());
  manifest.splits_sha256 = sums.digest.hex;
  manifest.split_bytes = options.split_bytes;
  manifest.rows = totals.records - totals.refused.blank_records();
  manifest.rows_trained = sums.trained.rows();
  manifest.rows_held_out = sums.held_out.rows();
  manifest.rows_refused = totals.refused.count();
  for (const auto& [reason, count] : totals.refused.reasons()) {
    std::string name(format::row_fault_name(reason.fault));
    if (!reason.column.empty()) name += " " + one_line(reason.column);
    manifest.refused_by_reason[name] += count;
  }
  tell_settings(options, manifest);
  manifest.candidates = std::move(chosen.candidates);
  manifest.has_held_out = chosen.has_held_out;
  manifest.held_out = chosen.held_out;
  manifest.fit = std::move(chosen.fit);
  manifest.notes = plan.notes;
  manifest.notes.insert(manifest.notes.end(), chosen.notes.begin(), chosen.notes.end());
  trained.model_json = chosen.model->to_json();
  trained.model = std::move(chosen.model);
  trained.test_csv = registry::test_csv_of(schema, trained.model->inputs(), sample);
  trained.held_out_sample = std::move(sample);
  return trained;
}

bool met_in_features(const RefusedTally& refused, format::RowFault fault,
                     const TrainingOptions& options) {
  return std::any_of(refused.reasons().begin(), refused.reasons().end(), [&](const auto& reason) {
    return reason.first.fault == fault && reason.first.column != options.target;
  });
}

Error too_many_bad_rows(const RefusedTally& refused, const TrainingOptions& options,
                        bool name_parts) {
  std::string reason = std::to_string(refused.count()) + " bad rows so far, " +
                       std::to_string(options.bad_rows_max) + " allowed (dataset.bad_rows_max)";
  std::size_t told = 0;
  for (const auto& example : refused.examples()) {
    if (told++ >= kReasonExamplesMax) break;
    reason += (told == 1 ? ": " : "; ");
    if (name_parts) reason += example.part_name + " ";
    reason += example.row.text();
  }
  if (options.features.missing == "refuse" &&
      met_in_features(refused, format::RowFault::kEmptyCell, options)) {
    reason += "; features.missing says what may stand in for values that are missing";
  }
  return {Code::kBadData, reason};
}

}  // namespace weir::train
