// One pass over the bytes of a data set: read, cut, parse, split, accumulate; then fit and measure.
// What the columns are is decided before, from the first megabyte or from all rows: column_plan.h.
//
// The bytes are read and cut into chunks of whole records on the calling thread; other threads
// parse, accumulate and hash the chunks; their states are merged in the order of the file, those of
// its splits as split_tree.h says. So the model's bits depend on the bytes and the options alone,
// not on threads or timing. Memory is bounded: a few chunks of 1 MiB per thread, and the sample of
// held-out rows; with trees, the rows to grow them on, too.
//
// Threads: one call at a time per store is not required; the call starts and joins its own threads.
// Errors: kBadData names the part, the line, the column and the cause; the store's; still_wanted's.
#pragma once

#include <cstdint>
#include <functional>

#include "base/error.h"
#include "registry/dataset_folder.h"
#include "store/file_store.h"
#include "train/model_making.h"
#include "train/training_options.h"

namespace weir::train {

struct TrainingProgress {
  std::uint64_t bytes = 0;
  std::uint64_t bytes_total = 0;
  std::uint64_t rows = 0;  // in those bytes; 0 while columns are looked at, before the training
};

// Called on the calling thread at least every few hundred milliseconds; an error ends the training.
using ProgressFunction = std::function<Status(const TrainingProgress&)>;

Result<TrainedModel> train_on_dataset(store::FileStore& store, const registry::Dataset& dataset,
                                      const TrainingOptions& options,
                                      const ProgressFunction& progress);

}  // namespace weir::train
