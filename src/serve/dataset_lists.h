// What lies in the drop folder: data sets that wait, those that were used, and those that were
// refused, with the reason.
//
// Threads: any, a call each. Errors: those of the store; folders that are not there yet are empty.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/file_store.h"

namespace weir::serve {

struct RefusedDataset {
  store::FileStatus entry;
  std::optional<std::string> reason;  // in words; absent: none was written, or not as ours
};

struct DatasetLists {
  std::vector<store::FileStatus> waiting;  // by name: the order in which they are taken
  std::vector<store::FileStatus> used;     // newest first
  std::vector<RefusedDataset> refused;     // newest first
};

// `limit` of each.
Result<DatasetLists> list_datasets(store::FileStore& store, const std::string& folder,
                                   std::size_t limit);

}  // namespace weir::serve
