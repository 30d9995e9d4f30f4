// One pass over the bytes of a data set: read, cut, parse, split, accumulate; then fit and measure.
// What the columns are is decided before, from the first megabyte or from all rows: column_plan.h.
//
// The bytes are read and cut into chunks of whole records on the calling thread; other threads
// parse and accumulate the chunks; their states are merged in the order of the file. So the model's
// bits depend on the bytes and the options alone, not on threads or timing. Memory is bounded: a
// few chunks of 1 MiB per thread, and the sample of held-out rows; with trees, the rows to grow
// them on, too.
//
// Threads: one call at a time per store is not required; the call starts and joins its own threads.
// Errors: kBadData names the part, the line, the column and the cause; the store's; still_wanted's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/model.h"
#include "record/row_block.h"
#include "registry/dataset_folder.h"
#include "registry/feature_settings.h"
#include "registry/manifest.h"
#include "store/file_store.h"

namespace weir::train {

struct TrainingOptions {
  std::string target;
  std::vector<std::string> drop_columns;
  double test_fraction = 0.25;
  std::uint64_t seed = 1;
  std::uint64_t bad_rows_max = 0;
  std::size_t sample_rows_max = 10'000;
  std::size_t record_bytes_max = 1'000'000;
  bool intercept = true;
  std::optional<double> ridge = 0.0;  // the penalty; 0: none; nullopt: the best one
  std::string algorithm = "linear";   // or "boosted", or "auto": see model_choice.h
  registry::BoostedSettings boosted;
  registry::FeatureSettings features;
  unsigned threads = 0;  // that parse; 0: as many as there are processors
};

struct TrainedModel {
  std::shared_ptr<const model::Model> model;
  std::string model_json;       // its file
  registry::Manifest manifest;  // version, parent and stamps are filled in by the trainer
  std::string test_csv;
  record::RowBlock held_out_sample;  // the rows of test_csv, as the model's inputs have them
};

struct TrainingProgress {
  std::uint64_t bytes = 0;
  std::uint64_t bytes_total = 0;
};

// Called on the calling thread at least every few hundred milliseconds; an error ends the training.
using ProgressFunction = std::function<Status(const TrainingProgress&)>;

Result<TrainedModel> train_on_dataset(store::FileStore& store, const registry::Dataset& dataset,
                                      const TrainingOptions& options,
                                      const ProgressFunction& progress);

}  // namespace weir::train
