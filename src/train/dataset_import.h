// From a data set to a model, whatever kind of data set it is: rows are trained on; a model that
// was trained elsewhere (registry/model_document.h) is taken as it is, and measured on the rows
// that it brought along, if any.
//
// Which of the two a data set is, its first bytes say, never its name.
//
// Threads: as train_on_dataset. Errors: train_on_dataset's; kCorrupt and kUnsupported of the model
// document, kBadData where the model gives no number for a row that it is measured on.
#pragma once

#include <functional>
#include <string_view>

#include "base/error.h"
#include "registry/dataset_folder.h"
#include "store/file_store.h"
#include "train/dataset_training.h"

namespace weir::train {

// Reads the first bytes of the data set.
Result<bool> is_model_document(store::FileStore& store, const registry::Dataset& dataset);

// Of the bytes of a model document, as import_dataset() makes it of a data set.
Result<TrainedModel> import_model_document(std::string_view bytes, const TrainingOptions& options);

// Of a data set that is_model_document().
Result<TrainedModel> import_dataset(store::FileStore& store, const registry::Dataset& dataset,
                                    const TrainingOptions& options);

// Trains on a data set of rows.
using TrainOnRows =
    std::function<Result<TrainedModel>(const registry::Dataset&, const ProgressFunction&)>;

// Trains or imports. What a Trainer is given.
Result<TrainedModel> make_model(store::FileStore& store, const registry::Dataset& dataset,
                                const TrainingOptions& options, const TrainOnRows& train_on_rows,
                                const ProgressFunction& progress);

}  // namespace weir::train
