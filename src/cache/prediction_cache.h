// The cache of a process's predictions: a model with the cache in front of it is a model, too, and
// says the same.
//
// Which predictions it may give is decided by the sha256 of the model's file, which holds all that
// makes a prediction of a row: the preparation, the categories, the coefficients or trees. Whoever
// has another model has other predictions; what was kept of one that nobody has any more goes.
//
// Owner: cli; what it was put in front of may outlive it. Threads: any. Errors: none: with no
// memory, no Redis or no use for either, the model alone answers.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "cache/model_cache.h"

namespace weir::cache {

class PredictionCache {
 public:
  // `shared`: null where nothing is.
  PredictionCache(PredictionCacheOptions options, Clock& clock,
                  std::unique_ptr<SharedEntries> shared);
  // The same for all who have this model at the same time.
  std::shared_ptr<ModelCache> of(const std::string& model_sha256, std::size_t features);

 private:
  const std::shared_ptr<CommonCache> common_;
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<ModelCache>> models_;  // by sha256; guarded by mutex_
};

// One user's way to the cache: a scorer's, or the gateway's, with figures of its own.
class CacheAccess {
 public:
  // `cache` outlives it.
  explicit CacheAccess(PredictionCache& cache);
  // `sha256` of the model's file; where that is not known, the model alone.
  std::shared_ptr<const model::Model> in_front_of(std::shared_ptr<const model::Model> model,
                                                  std::uint64_t version, const std::string& sha256);
  record::CacheState state() const;

 private:
  PredictionCache& cache_;
  const std::shared_ptr<CacheTally> tally_;
  mutable std::mutex mutex_;
  std::shared_ptr<ModelCache> last_;  // guarded by mutex_
  std::uint64_t version_ = 0;         // guarded by mutex_
};

}  // namespace weir::cache
