// Apart from split_state.cc, so that a worker that reads and merges needs nothing of what fits
// models.
#include <utility>

#include "base/check.h"
#include "train/row_intake.h"
#include "train/split_state.h"

namespace weir::train {

bool met_texts(const SplitState& state) {
  const Plan& plan = *state.plan;
  const Alternative& right = state.alternatives.front();
  return right.totals && !plan.columns.from_all_rows &&
         right.totals->refused.count() > plan.options.bad_rows_max &&
         met_in_features(right.totals->refused, format::RowFault::kNotANumber, plan.options);
}

Result<TrainedModel> fit_state(SplitState state, const std::string& part_url_prefix,
                               const std::function<Status()>& still_wanted) {
  const Plan& plan = *state.plan;
  if (plan.makes != PlanFor::kModel) {
    return fail(Code::kBadData,
                "the states are of a profile: 'weir plan --with-profile' makes a plan of them");
  }
  if (state.first != 0 || state.count != plan.splits) {
    return fail(Code::kInvalidArgument,
                "the state is of the splits " + std::to_string(state.first) + " to " +
                    std::to_string(state.end() - 1) + " of " + std::to_string(plan.splits));
  }
  Alternative& right = state.alternatives.front();
  WEIR_CHECK(!right.begins_inside);
  if (right.fault) {
    return fail(Error(Code::kBadData, right.fault->text())
                    .while_doing("training on " + part_url_prefix + right.fault->part_path));
  }
  const std::string what = "training on " + part_url_prefix + plan.dataset;
  if (right.totals->refused.count() > plan.options.bad_rows_max) {
    Error error = too_many_bad_rows(right.totals->refused, plan.options, plan.is_folder);
    if (met_texts(state)) {
      error = Error(error.code(), error.reason() +
                                      "; where a column is none of numbers further down than the "
                                      "plan looked, features.types says what it is");
    }
    return fail(std::move(error).while_doing(what));
  }
  const RowIntake intake =
      WEIR_TRY(during(RowIntake::make(plan.header, plan.options, plan.columns), what));
  TrainedModel trained =
      WEIR_TRY(during(make_trained_model(std::move(*right.totals), intake.schema(), plan.columns,
                                         plan.options, still_wanted),
                      what));
  if (plan.splits == 1) trained.manifest.dataset_sha256 = trained.manifest.splits_sha256;
  return trained;
}

}  // namespace weir::train
