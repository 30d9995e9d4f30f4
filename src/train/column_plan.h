// Which columns of a data set a model takes, as what, and what terms it makes of them: decided from
// the settings and from what the columns hold, before the pass that trains.
//
// Where the settings ask for nothing that has to be learned from all rows, and the first megabyte
// shows numbers alone, the plan is made from that megabyte: the data set is read once. Otherwise
// it is read twice.
//
// Threads: pure functions, but for profile_dataset, which blocks for as long as the store does.
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

// How much of a data set is looked at first.
inline constexpr std::size_t kProfiledFirst = std::size_t{1} << 20;

// `bytes_max`: no more than the first so many of the first part; else all parts.
// `still_wanted` is called now and then with the bytes that were read; its error ends the reading.
Result<format::DatasetProfile> profile_dataset(
    store::FileStore& store, const registry::Dataset& dataset, std::size_t record_bytes_max,
    const std::vector<std::string>& missing_words, format::Quantiles quantiles,
    std::optional<std::size_t> bytes_max,
    const std::function<Status(std::uint64_t bytes)>& still_wanted);

// Whether a plan needs the profile of all rows, when this is that of the first ones.
bool needs_all_rows(const format::DatasetProfile& first, const TrainingOptions& options);

Result<ColumnPlan> plan_columns(const format::DatasetProfile& profile,
                                const TrainingOptions& options);

// All in one: looks at the first rows, at all of them where that is needed, and plans. Where the
// first ones cannot be read or are of another shape than the header, the plan is to take all
// columns for numbers: reading them will tell what is wrong.
Result<ColumnPlan> plan_dataset(store::FileStore& store, const registry::Dataset& dataset,
                                const TrainingOptions& options,
                                const std::function<Status(std::uint64_t bytes)>& still_wanted);
Result<ColumnPlan> plan_from_all_rows(
    store::FileStore& store, const registry::Dataset& dataset, const TrainingOptions& options,
    const std::function<Status(std::uint64_t bytes)>& still_wanted);

}  // namespace weir::train
