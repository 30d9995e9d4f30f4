// Reading what is kept in Redis.
//
// Threads: any. Errors: those of the client; kTimeout past the deadline. A value that is missing or
// not of ours is left out.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "predictions/prediction_store.h"
#include "redis/redis_client.h"

namespace weir::predictions {

// The keys of one generation; see redis_scripts_internal.h.
struct RedisKeys {
  std::string prefix;
  std::string by_time() const { return prefix + "t"; }
  std::string waiting() const { return prefix + "w"; }
  std::string dead() const { return prefix + "d"; }
  std::string by_id() const { return prefix + "i"; }
  std::string by_model(std::uint64_t model) const;
};

// In the order of the places.
Result<std::vector<std::optional<Kept>>> kept_at(redis::Client& client, const RedisKeys& keys,
                                                 std::span<const Place> places);

Result<Page> list_from(redis::Client& client, const RedisKeys& keys, const ListQuery& query,
                       SteadyTime deadline);

// In the order of the ids.
Result<std::vector<std::optional<FirstOfId>>> firsts_of(redis::Client& client,
                                                        const RedisKeys& keys,
                                                        std::span<const std::string> ids);

}  // namespace weir::predictions
