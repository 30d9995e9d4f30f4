// Another copy of a data set, dropped: it is a data set of its own, with a life of its own.
//
// Threads: one; it takes as long as the bytes take. Errors: the store's; kInvalidArgument for a
// name that the drop folder does not look at; kAlreadyExists where a data set of that name waits;
// kNotFound where the source was replaced meanwhile. After an error nothing has been dropped.
#pragma once

#include <functional>
#include <string>

#include "registry/dataset_folder.h"

namespace weir::registry {

// The name under which a data set was dropped that lies in used/ or rejected/ now: "boston.3.csv"
// -> "boston.csv". A name without a mark stays.
std::string name_before_mark(std::string_view name);

// Copies `source` to `path`, which lies in the drop folder: first under a name that nobody looks
// at, then by one rename. `progress` is called often; an error from it ends the copying.
Status drop_copy(store::FileStore& store, const DatasetFolder& folder, const Dataset& source,
                 const std::string& path, const std::function<Status()>& progress);

// Whether two data sets have the same parts, byte by byte. Reads both once, side by side;
// `progress` as above.
Result<bool> have_same_bytes(store::FileStore& store, const Dataset& a, const Dataset& b,
                             const std::function<Status()>& progress);

}  // namespace weir::registry
