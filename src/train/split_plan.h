// Where the splits of a data set lie, and what a worker has to know to read one.
//
// A part is cut at multiples of split_bytes, whatever stands there; a split's records are those
// that begin in it. Splits are numbered through the data set, part after part. The lengths of the
// parts are enough to know it all.
//
// Threads: pure functions. Errors: as said at each.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "registry/dataset_folder.h"
#include "store/file_store.h"
#include "train/column_plan.h"
#include "train/training_options.h"

namespace weir::train {

inline constexpr std::string_view kOtherHeader = "its header differs from the first part's";

struct SplitLayout {
  std::vector<std::uint64_t> first_split;  // of each part
  std::uint64_t splits = 0;                // of all; each part has at least one
};

SplitLayout lay_out_splits(const registry::Dataset& dataset, std::uint64_t split_bytes);

// What the splits are read for: a model, or the profile of all rows from which the columns of one
// are planned.
enum class PlanFor { kModel, kProfile };

// What all splits of a plan have in common: the data set as it was, and all settings that shape
// what is made of it. States of other plans are not merged.
struct Plan {
  PlanFor makes = PlanFor::kModel;
  std::string store;    // its address
  std::string dataset;  // path on the store
  bool is_folder = false;
  std::uint64_t bytes = 0;
  std::string parts_sha256;  // of the parts' paths, lengths, times of change and ids
  std::uint64_t splits = 0;
  std::string header;       // of each part
  TrainingOptions options;  // threads does not count
  ColumnPlan columns;       // of a model
};

struct PlannedSplit {
  std::shared_ptr<const Plan> plan;
  store::FileStatus part;
  std::uint64_t part_number = 0;
  std::uint64_t number = 0;  // in the data set
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// The header is read of the first part, and nothing else. kBadData where there is none, where the
// settings do not fit it, or where there are more than kSplitsMax splits; the store's.
Result<std::vector<PlannedSplit>> plan_model(store::FileStore& store, const std::string& address,
                                             const registry::Dataset& dataset,
                                             const TrainingOptions& options, ColumnPlan columns);
Result<std::vector<PlannedSplit>> plan_profile(store::FileStore& store, const std::string& address,
                                               const registry::Dataset& dataset,
                                               const TrainingOptions& options);

// plan_model() with the columns that are found here: from the first megabyte, or from all rows
// where that takes them.
Result<std::vector<PlannedSplit>> plan_splits(store::FileStore& store, const std::string& address,
                                              const registry::Dataset& dataset,
                                              const TrainingOptions& options);

}  // namespace weir::train
