// A store of predictions in a Redis, which several gateways may share: each applies what it reads,
// and what two of them apply is there once.
//
// Everything lies under weir:{<pipeline>/<features topic>}:kept, and expires by drop() alone. Redis
// must not evict it: maxmemory-policy noeviction, or volatile-lru where a cache shares the server.
// What was emptied, restarted empty or cut into by an eviction is noticed at the next change, or by
// the next positions(), and begun anew under another generation. Values are checked as they are
// read; one that is not of ours is a miss.
//
// A batch is one script, up to some hundreds of records; a larger one is several, of which the last
// moves the positions, so that one that was cut off is applied again.
//
// Owner, threads and errors: as prediction_store.h; the client outlives it. kExhausted where
// Redis's memory is full.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "predictions/prediction_store.h"
#include "redis/redis_client.h"

namespace weir::predictions {

struct RedisStoreOptions {
  std::string pipeline;
  std::string features_topic;
  Millis query_max{2'000};  // one list takes no longer
};

class RedisPredictionStore final : public PredictionStore {
 public:
  // Reaches nobody yet.
  RedisPredictionStore(redis::Client& client, RedisStoreOptions options);

  Result<Positions> positions() override;
  Status apply(const Batch& batch) override;
  Result<std::uint64_t> drop(std::int64_t before_ms, std::uint64_t records_max) override;
  Status clear() override;

  Result<std::optional<ById>> by_id(std::string_view id) override;
  Result<std::optional<Kept>> by_place(const Place& place) override;
  Result<Page> list(const ListQuery& query) override;
  Result<std::vector<std::optional<FirstOfId>>> find_ids(std::span<const std::string> ids) override;
  Result<StoreStats> stats() override;

 private:
  struct Keys;  // of one generation
  Result<Keys> keys() const;
  Result<std::string> claim_generation();
  Status forget(const std::string& generation);
  void sweep(const std::string& generation);
  Result<bool> whole(const std::string& generation);

  redis::Client& client_;
  const RedisStoreOptions options_;
  const std::string state_key_;
  mutable std::mutex mutex_;
  std::string generation_;         // guarded by mutex_; empty before positions()
  bool told_of_eviction_ = false;  // the feed's
};

}  // namespace weir::predictions
