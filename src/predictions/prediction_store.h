// Keeps, for a configured time, every feature record and what became of it, so that people can ask
// for it by id, by place or by time. The topics are the truth and this is a copy of their last
// part: whatever it loses, it is filled with again.
//
// Owner: whoever opened it; it outlives the feed and all who ask. Threads: any number may ask at
// the same time; apply(), drop(), clear() and positions() are the feed's, on one thread.
// Errors: kInvalidArgument (a cursor or limit that cannot be), kExhausted (disk or memory is full:
// what is kept stays readable), kUnavailable and kTimeout (call again), kCorrupt (what was kept is
// lost: the feed asks for positions() anew, and begins there), kPermissionDenied, kIo.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::predictions {

inline constexpr std::size_t kListLimitMax = 1'000;
// A page ends early with the record that brings its features beyond this.
inline constexpr std::size_t kPageBytesMax = std::size_t{8} << 20;
inline constexpr std::size_t kIdsAtOnceMax = 10'000;
// Of one id; where there are more, so many are told.
inline constexpr std::uint64_t kIdCountMax = 1'000;

// Where a feature record stands in the features topic.
struct Place {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  auto operator<=>(const Place&) const = default;
};

struct FeatureRecord {
  Place place;
  std::optional<std::string> id;        // the record's key, any bytes
  std::optional<std::string> features;  // the value as it came; absent for a tombstone
  std::int64_t arrived_ms = 0;          // its time in the topic, since 1970

  bool operator==(const FeatureRecord&) const = default;
};

// What a scorer said of one feature record: a prediction, or the reason why there is none.
struct Answer {
  Place of;                       // the feature record
  std::optional<std::string> id;  // the key, which an answer has from its record
  bool dead = false;
  // Of a prediction: the JSON value as it stands in the topic, "30.003" or "[1, 2.5]".
  std::string prediction;
  std::uint64_t model = 0;
  std::uint64_t epoch = 0;
  // Of a dead letter: "missing_feature", and in words.
  std::string reason;
  std::string message;
  Place at;  // where the answer stands in its own topic
  std::int64_t answered_ms = 0;

  bool operator==(const Answer&) const = default;
};

enum class State { kWaiting, kPredicted, kDead };

// One feature record with its answer. Of a record that is gone from the features topic there may be
// an answer alone: then arrived_ms is absent, and features with it.
struct Kept {
  Place place;
  std::optional<std::string> id;
  std::optional<std::string> features;
  std::optional<std::int64_t> arrived_ms;
  std::optional<Answer> answer;

  State state() const {
    if (!answer) return State::kWaiting;
    return answer->dead ? State::kDead : State::kPredicted;
  }
};

// How far a topic has been applied: everything below the next offset of a partition.
struct TopicPosition {
  std::string topic_id;  // see stream/topic_tail.h
  std::map<std::int32_t, std::int64_t> next;

  bool operator==(const TopicPosition&) const = default;
};
using Positions = std::map<std::string, TopicPosition>;  // by topic

struct Batch {
  std::vector<FeatureRecord> records;
  std::vector<Answer> answers;
  // Topics and partitions that are not named stay as they are. A lower offset than is kept counts
  // only for a topic of another id: another feed may be ahead, and what it applied is there.
  Positions positions;

  bool empty() const { return records.empty() && answers.empty() && positions.empty(); }
};

struct ById {
  Kept newest;
  std::uint64_t count = 0;  // records of this id, kIdCountMax at most
};

struct ListQuery {
  std::optional<std::int64_t> from_ms;   // arrived then or later
  std::optional<std::int64_t> until_ms;  // arrived before
  std::optional<std::uint64_t> model;
  std::optional<std::string> id_prefix;
  std::optional<State> state;
  std::string cursor;       // Page::next of the page before; empty: the newest
  std::size_t limit = 100;  // 1 to kListLimitMax
};

struct Page {
  std::vector<Kept> items;  // newest first; fewer than asked for where they are large
  std::string next;         // empty: there is no more
};

// The first 128 bits of SHA-256.
using ValueHash = std::array<std::uint8_t, 16>;
ValueHash hash_of(std::string_view value);

struct FirstOfId {
  Place place;
  ValueHash value_hash{};
};

struct StoreStats {
  std::string kind;  // "sqlite", "redis"
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::optional<std::int64_t> oldest_ms;
};

class PredictionStore {
 public:
  virtual ~PredictionStore() = default;

  // ---- of the feed ----
  // Where it stands. Makes a store that has lost its content usable again, empty.
  virtual Result<Positions> positions() = 0;
  // All of it or nothing, for good once it returns; the same batch twice is the same as once.
  virtual Status apply(const Batch& batch) = 0;
  // Drops what arrived before `before_ms`, and the oldest of more than `records_max`; some
  // thousands at a time. How many went; call again where it was not 0.
  virtual Result<std::uint64_t> drop(std::int64_t before_ms, std::uint64_t records_max) = 0;
  // Everything, the positions too: the stream is another one.
  virtual Status clear() = 0;

  // ---- of everybody ----
  virtual Result<std::optional<ById>> by_id(std::string_view id) = 0;
  virtual Result<std::optional<Kept>> by_place(const Place& place) = 0;
  // Pages go on where they left off, whatever arrives or goes meanwhile: nothing that stays is
  // shown twice or left out.
  virtual Result<Page> list(const ListQuery& query) = 0;
  // For each id the first record of it that is kept, if there is one: what a pushed message that is
  // sent again came to. kIdsAtOnceMax at most.
  virtual Result<std::vector<std::optional<FirstOfId>>> find_ids(
      std::span<const std::string> ids) = 0;
  virtual Result<StoreStats> stats() = 0;
};

}  // namespace weir::predictions
