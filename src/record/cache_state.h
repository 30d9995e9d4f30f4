// How a process gets on with its cache of predictions: told with a member's heartbeats and by the
// gateway, for people to read. Nothing is decided by it.
//
// Counters are those of one user of the cache (a scorer, or the gateway) over all models so far;
// what is measured, and whether the cache is gone round, is that of the model at work.
//
// Threads: a plain value. Errors: cache_state_from() throws nlohmann's exceptions for what is not
// whole.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace weir::record {

// The part that lies in Redis.
struct SharedCacheState {
  bool used = false;    // there is one, and it is reachable
  std::string why_not;  // where it is not used
  bool bypass = false;  // it answers, and asking it costs more than it saves
  std::string bypass_reason;
  std::uint64_t asked = 0;     // rows
  std::uint64_t refused = 0;   // entries that are not what a process with our secret has written
  std::uint64_t failures = 0;  // calls without an answer in time
  std::uint64_t written = 0;
  std::uint64_t not_written = 0;  // entries that were dropped, or refused by Redis

  bool operator==(const SharedCacheState&) const = default;
};

struct CacheState {
  // Rows, by where their predictions came from. Together: all rows.
  std::uint64_t hits_local = 0;
  std::uint64_t hits_shared = 0;
  std::uint64_t misses = 0;    // looked up, not found, predicted
  std::uint64_t bypassed = 0;  // predicted without a look
  double saved_seconds = 0;  // what hits would have cost, less what looking up has; may be below 0
  std::uint64_t recomputed = 0;  // hits that were checked by predicting all the same
  std::uint64_t mismatches = 0;  // of those, the ones that were wrong

  std::uint64_t model = 0;  // the version at work; what follows is of it
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  double prediction_ns = 0;  // of a row, as measured; 0: not yet
  double lookup_ns = 0;
  bool bypass = false;
  std::string bypass_reason;
  SharedCacheState shared;

  std::uint64_t rows() const { return hits_local + hits_shared + misses + bypassed; }
  // Of the rows that were looked up; 0 where none was.
  double hit_rate() const;
  bool operator==(const CacheState&) const = default;
};

nlohmann::ordered_json to_json(const CacheState& state);
CacheState cache_state_from(const nlohmann::json& json);

}  // namespace weir::record
