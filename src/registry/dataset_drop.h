// Into the drop folder, whole or not at all: what everybody does who brings a data set.
//
// Owner, threads: one call, one thread. Errors: kInvalidArgument for a name that no trainer would
// look at; kAlreadyExists; those of `write`, and the store's.
#pragma once

#include <functional>
#include <string>

#include "base/error.h"
#include "store/file_store.h"

namespace weir::registry {

// Why this cannot be a data set's name; empty where it can. A trainer passes over what begins or
// ends as half an upload does, and a line end in a name would split lines of listings and logs.
std::string fault_of_dataset_name(const std::string& name);

// Puts the whole data set at `path`, or fails.
using WriteDataset = std::function<Status(store::FileStore& store, const std::string& path)>;

// Writes under a name that no trainer looks at, then renames. `unique` keeps two who bring the same
// name apart; `what` is being dropped: for errors. Gives the URL of what was dropped.
Result<std::string> drop_dataset(store::FileStore& store, const std::string& folder,
                                 const std::string& name, const std::string& unique,
                                 const std::string& what, const WriteDataset& write);

}  // namespace weir::registry
