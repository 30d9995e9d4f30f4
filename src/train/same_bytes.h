// Whether a data set has the very bytes that a model was trained on, whichever engine read them.
//
// Threads: one call at a time is not required; blocks while it reads the data set once. Errors: the
// store's.
#pragma once

#include "base/error.h"
#include "registry/dataset_folder.h"
#include "registry/manifest.h"
#include "store/file_store.h"

namespace weir::train {

Result<bool> has_bytes_of(store::FileStore& store, const registry::Dataset& dataset,
                          const registry::Manifest& manifest);

}  // namespace weir::train
