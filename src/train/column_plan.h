// Which columns of a data set a model takes, as what, and what terms it makes of them: decided from
// the settings and from what the columns hold, before the pass that trains.
//
// Where the settings ask for nothing that has to be learned from all rows, and the first megabyte
// shows numbers alone, the plan is made from that megabyte: the data set is read once. Otherwise
// it is read twice.
//
// Threads: pure functions, but for those that are given a store, or all rows, which block for as
// long as those do.
// Errors: kBadData for settings that name columns which are not there, or ask of a column what it
// is not; the store's.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "format/column_profile.h"
#include "model/preparation.h"
#include "registry/dataset_folder.h"
#include "store/file_store.h"
#include "train/profile_pass.h"
#include "train/training_options.h"

namespace weir::train {

struct ColumnPlan {
  std::vector<std::string> ignored;               // beside those that are dropped
  std::optional<model::Preparation> preparation;  // absent where each feature is a term as it is
  std::vector<std::string> notes;                 // for people
  bool from_all_rows = false;                     // rather than from the first ones

  // Whether both make the same of a row.
  bool same_as(const ColumnPlan& other) const;
};

// Whether a plan needs the profile of all rows, when this is that of the first ones.
bool needs_all_rows(const format::DatasetProfile& first, const TrainingOptions& options);

Result<ColumnPlan> plan_columns(const format::DatasetProfile& profile,
                                const TrainingOptions& options);

// Who looks through all rows, where that is needed: this machine, or workers elsewhere.
using AllRows = std::function<Result<format::DatasetProfile>()>;

// All in one: looks at the first rows, has all of them looked at where that is needed, and plans.
// Where the first ones cannot be read or are of another shape than the header, the plan is to take
// all columns for numbers: reading them will tell what is wrong.
Result<ColumnPlan> plan_dataset(store::FileStore& store, const registry::Dataset& dataset,
                                const TrainingOptions& options, const AllRows& all_rows);
Result<ColumnPlan> plan_from_all_rows(const TrainingOptions& options, const AllRows& all_rows);

}  // namespace weir::train
