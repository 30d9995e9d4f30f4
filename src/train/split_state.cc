#include "train/split_state.h"

#include <algorithm>

#include "base/check.h"

namespace weir::train {
namespace {

SplitFault shifted(SplitFault fault, const RunPlace& before) {
  if (!fault.csv || fault.part != before.last_part) return fault;
  fault.csv->line += before.lines_in_last_part;
  if (fault.csv->quote_line) *fault.csv->quote_line += before.lines_in_last_part;
  return fault;
}

}  // namespace

Status SplitState::append(SplitState following) {
  WEIR_CHECK(following.first == end());
  for (std::size_t i = 0; i < alternatives.size(); ++i) {
    Alternative& mine = alternatives[i];
    if (mine.fault) continue;
    const auto theirs = std::find_if(
        following.alternatives.begin(), following.alternatives.end(),
        [&](const Alternative& each) { return each.begins_inside == mine.ends_inside; });
    if (theirs == following.alternatives.end()) {
      return fail(Code::kCorrupt, "the state of split " + std::to_string(following.first) +
                                      " does not fit the one before it");
    }
    if (theirs->fault) {
      mine.fault = shifted(*theirs->fault, mine.totals->place);
      mine.totals.reset();
      continue;
    }
    mine.ends_inside = theirs->ends_inside;
    const bool needed_again = i + 1 < alternatives.size();
    if (needed_again) {
      mine.totals->append(theirs->totals->clone());
    } else {
      mine.totals->append(std::move(*theirs->totals));
    }
  }
  count += following.count;
  return {};
}

Result<TrainedModel> fit_state(SplitState state, const std::string& part_url_prefix,
                               const std::function<Status()>& still_wanted) {
  const Plan& plan = *state.plan;
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
    if (!plan.columns.from_all_rows &&
        met_in_features(right.totals->refused, format::RowFault::kNotANumber, plan.options)) {
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
