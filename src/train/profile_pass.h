// What the columns of a data set hold, found out on this machine: from its first rows, or from all
// of them.
//
// All rows are gone through by splits, on all of the trainer's threads (dataset_chunks.h,
// profile_totals.h): the profile has the same bits on one thread or eight.
//
// Threads: the calls start and join their own. Errors: kBadData with the part and the line for what
// is no table, or holds no row; the store's; still_wanted's.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/error.h"
#include "format/column_profile.h"
#include "registry/dataset_folder.h"
#include "store/file_store.h"
#include "train/training_options.h"

namespace weir::train {

// How much of a data set is looked at first.
inline constexpr std::size_t kProfiledFirst = std::size_t{1} << 20;

// Called on the calling thread a few times a second with the bytes that were read; an error ends
// the reading.
using StillWanted = std::function<Status(std::uint64_t bytes)>;

// How an error begins that names a part, and what is said where there is no row: for all who look.
inline constexpr std::string_view kLookingThrough = "looking through ";
Error no_rows();

// Of the first megabyte of the first part that has a row; without quantiles.
Result<format::DatasetProfile> profile_first_rows(store::FileStore& store,
                                                  const registry::Dataset& dataset,
                                                  const TrainingOptions& options);

// Of all rows, with quantiles where options.features may ask for a median.
Result<format::DatasetProfile> profile_all_rows(store::FileStore& store,
                                                const registry::Dataset& dataset,
                                                const TrainingOptions& options,
                                                const StillWanted& still_wanted);

}  // namespace weir::train
