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
      mine.fault = shifted(*theirs->fault, mine.place());
      mine.totals.reset();
      mine.profile.reset();
      continue;
    }
    mine.ends_inside = theirs->ends_inside;
    const bool needed_again = i + 1 < alternatives.size();
    if (mine.profile) {
      mine.profile->append(needed_again ? *theirs->profile : std::move(*theirs->profile));
    } else if (needed_again) {
      mine.totals->append(theirs->totals->clone());
    } else {
      mine.totals->append(std::move(*theirs->totals));
    }
  }
  count += following.count;
  return {};
}

}  // namespace weir::train
