// What lies in the drop folder: data sets that wait, those that were used, and those that were
// refused, with the reason.
//
// Threads: any, a call each. Errors: those of the store; folders that are not there yet are empty.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
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

// The reasons that were read, each once: what is refused stays as it is.
class RefusalReasons {
 public:
  std::optional<std::string> of(store::FileStore& store, const store::FileStatus& refused);

 private:
  static constexpr std::size_t kKeptMax = 1'000;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::int64_t>, std::string> kept_;  // path, time; by mutex_
};

// `limit` of each. The reasons outlive the call.
Result<DatasetLists> list_datasets(store::FileStore& store, const std::string& folder,
                                   std::size_t limit, RefusalReasons& reasons);

}  // namespace weir::serve
