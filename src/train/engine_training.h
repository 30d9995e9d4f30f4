// Training by an engine: plan here, have the splits read elsewhere, fit here. The model has the
// same bits as the one that train_on_dataset() makes, and so have the reasons why there is none.
//
// Here nothing but the first megabyte is read. Where columns have to be learned from all rows, the
// engine is asked twice: for a profile of them, from which the columns are planned, and for the
// model. Where numbers turn out to be something else, it is asked thrice, as that is found out by
// the first of the two readings that train_on_dataset() gives up, too.
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
