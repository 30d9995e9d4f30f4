// How far the feed has come, for whoever waits for it, and for metrics.
//
// Owner: whoever drives the feed; it outlives all its lives. Threads: any. Errors: none.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "stream/record_source.h"
#include "stream/records.h"

namespace weir::predictions {

struct TopicLag {
  std::string topic;
  std::int64_t behind = 0;  // offsets between what is in the store and the topic's ends
};

class FeedProgress {
 public:
  // Whether everything below these ends of a topic is in the store. False before the feed has
  // begun.
  bool caught_up_to(const std::string& topic, std::span<const stream::PartitionOffset> ends) const;
  std::vector<TopicLag> lag() const;
  // Why the feed stands still, where it does: the store is full or away, or no broker answers.
  std::optional<Error> trouble() const;

  // Since the start of the process.
  std::uint64_t records() const { return records_; }
  std::uint64_t answers() const { return answers_; }
  std::uint64_t unreadable() const { return unreadable_; }  // answers that no scorer wrote
  std::uint64_t dropped() const { return dropped_; }
  std::uint64_t refills() const { return refills_; }  // how often the store had lost its content

  // ---- of the feed ----
  void applied(std::uint64_t records, std::uint64_t answers);
  void reached(const std::string& topic, std::vector<stream::PartitionPosition> positions);
  void add_unreadable() { ++unreadable_; }
  void add_dropped(std::uint64_t count) { dropped_ += count; }
  void add_refill() { ++refills_; }
  // True where it is news: no trouble before, or one of another code.
  bool set_trouble(const Error& error);
  bool clear_trouble();  // true where there was one
  // The store has to be filled from the beginning: nothing is caught up with any more.
  void reset();
  // Rises with each reset(): what was found in the store before says nothing about it now.
  std::uint64_t generation() const { return generation_; }

 private:
  std::atomic<std::uint64_t> records_{0};
  std::atomic<std::uint64_t> answers_{0};
  std::atomic<std::uint64_t> unreadable_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint64_t> refills_{0};
  std::atomic<std::uint64_t> generation_{0};
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<stream::PartitionPosition>> reached_;  // guarded by mutex_
  std::optional<Error> trouble_;                                           // guarded by mutex_
};

}  // namespace weir::predictions
