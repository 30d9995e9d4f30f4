// Entries in a Redis, each with a time to live: a server that evicts what is volatile evicts these.
//
// Reads are the caller's, within the deadline given, and only ever over a connection that is open:
// resolving the server's name and connecting are a thread's of our own. A read that finds none
// finds nothing, and has one more opened; a read that fails is the last one until a
// thread of our own has had an answer again, which it asks for after pauses that grow. So a Redis
// that is away, or slow, costs a caller one deadline after each such pause and nothing in between.
// Writes are that thread's; what comes faster than it writes is dropped. A Redis that is full, or
// refuses writes otherwise, is still read from.
//
// Owner: the cache. Threads: any; one of its own. Errors: none, see shared_entries.h; the first
// failure of a row of them is logged.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "cache/shared_entries.h"
#include "redis/redis_client.h"

namespace weir::cache {

struct RedisEntriesOptions {
  Millis ttl{3'600'000};
  Millis patience{1'000};  // of the thread of its own, for one answer
  std::size_t waiting_max = 20'000;
  Millis rest_min{200};
  Millis rest_max{30'000};
};

class RedisEntries final : public SharedEntries {
 public:
  RedisEntries(redis::ClientOptions client, RedisEntriesOptions options);
  ~RedisEntries() override;

  bool reachable() const override { return reachable_; }
  std::optional<std::vector<std::optional<std::string>>> get(std::span<const std::string> names,
                                                             Millis timeout) override;
  void put(std::vector<NamedEntry> entries) override;
  SharedEntriesState state() const override;

 private:
  void run(const std::stop_token& stop);
  bool write(std::vector<NamedEntry> entries);
  // by_the_way_back: of the one question that looks whether Redis is back.
  void failed(const Error& why, bool by_the_way_back = false);

  const RedisEntriesOptions options_;
  const std::string ttl_ms_;
  redis::Client client_;
  std::atomic<bool> reachable_{false};
  mutable std::mutex mutex_;
  std::condition_variable_any work_;
  std::deque<NamedEntry> waiting_;  // guarded by mutex_
  SharedEntriesState counted_;      // guarded by mutex_
  std::string refusal_;             // guarded by mutex_; of the last write, where it was refused
  bool wanted_ = false;             // guarded by mutex_; a reader found no connection
  Millis rest_{0};                  // guarded by mutex_; 0 where the last call was answered
  SteadyTime ask_again_{};          // guarded by mutex_
  std::jthread thread_;             // last: it uses the rest
};

}  // namespace weir::cache
