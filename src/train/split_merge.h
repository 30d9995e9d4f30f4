// Any number of states of one plan, in any order, made as few as they can be.
//
// Threads: pure functions. Errors: kBadData for states of different plans (with what differs), for
// splits that are there twice, and for those that are missing; kCorrupt for states that do not fit
// each other.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "train/split_state.h"

namespace weir::train {

// What a scheduler that runs tasks more than once may hand in: the same state again is passed over
// where that is allowed. Splits that are in two states that differ are never taken.
enum class Duplicates { kRefuse, kIgnore };

// One state for each run of splits that follow each other, by the number of the first.
Result<std::vector<SplitState>> merge_states(std::vector<SplitState> states, Duplicates duplicates);

// The state of all splits, out of what merge_states() gave.
Result<SplitState> whole_state(std::vector<SplitState> merged);

}  // namespace weir::train
