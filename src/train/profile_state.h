// The columns of a data set from a profile that workers made: states of a plan for a profile
// (split_plan.h), merged.
//
// Threads: pure functions, but for plan_by_profile, which asks the store for the header. Errors: as
// said at each.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "format/column_profile.h"
#include "train/split_state.h"

namespace weir::train {

// Of the whole data set: the same bits, or the same refusal, as profile_all_rows() comes to on one
// machine. kBadData as there, and for states of a model; kInvalidArgument where splits are missing.
Result<format::DatasetProfile> profile_of(SplitState state, const std::string& part_url_prefix);

// The plan that plan_splits() makes where it has to look at all rows, without reading them.
// kBadData where the profile is of another data set or other settings, with the first difference.
Result<std::vector<PlannedSplit>> plan_by_profile(store::FileStore& store,
                                                  const std::string& address,
                                                  const registry::Dataset& dataset,
                                                  const TrainingOptions& options,
                                                  SplitState profile);

}  // namespace weir::train
