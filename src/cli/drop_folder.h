// Into the drop folder, whole or not at all: what the commands that bring a data set have in
// common.
//
// Owner, threads: one call, one thread. Errors: kInvalidArgument for a name that no trainer would
// look at; those of `write`, and the store's.
#pragma once

#include <string>

#include "base/error.h"
#include "cli/context.h"
#include "registry/dataset_drop.h"

namespace weir::cli {

// Writes under a name that no trainer looks at, then renames. `what` is being dropped: for errors.
// Gives the URL of what was dropped.
Result<std::string> drop_dataset(Context& context, const std::string& name, const std::string& what,
                                 const registry::WriteDataset& write);

}  // namespace weir::cli
