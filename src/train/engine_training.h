// Training by an engine: plan here, have the splits read elsewhere, fit here. The model has the
// same bits as the one that train_on_dataset() makes, and so have the reasons why there is none.
//
// The second look at all rows, where what looked like numbers turns out to be something else, is
// taken here as there: then the engine is asked twice.
//
// Threads: one call at a time. Errors: train_on_dataset's; the engine's; kUnavailable
// where its states are not whole or not of the plan that it was given.
#pragma once

#include <string>

#include "base/error.h"
#include "registry/dataset_folder.h"
#include "store/file_store.h"
#include "train/dataset_training.h"
#include "train/split_engine.h"

namespace weir::train {

// `address`: the store's, as the engine's workers reach it.
Result<TrainedModel> train_on_engine(store::FileStore& store, const std::string& address,
                                     const registry::Dataset& dataset,
                                     const TrainingOptions& options, SplitEngine& engine,
                                     const ProgressFunction& progress);

}  // namespace weir::train
