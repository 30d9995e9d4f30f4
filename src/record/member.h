// The records of the members topic: what producers and scorers say to the trainer, and trainers to
// people.
//
//   {"type":"alive","member":"scorer-host-0","role":"scorer","transactional_id":"…","model":3,
//    "model_epoch":3,"waiting_for":"no records in the topic","waiting_ms":400,"partitions":
//    [{"partition":0,"next":1207,"end":1207,"last_record_age_ms":412,
//    "answered":1207},…],"also_holds":[[200,599]],"cache":{…}}
//   {"type":"halted","member":…,"epoch":4}     the gate is closed, nothing of mine is in flight
//   {"type":"left","member":…}                 a clean end
//   {"type":"trainer","member":"host:4711","role":"trainer","waiting_for":…,"waiting_ms":…}
//                                              nobody waits for it: it has no gate; of a watcher
//                                              with "watch": see watch_report.h
//   {"type":"ask_rollback","member":…,"version":2,"epoch":5}     requests: the epoch is the one
//   that
//   {"type":"ask_train","member":…,"dataset":"a.csv","epoch":5,  their author saw
//    "request":"…","within_ms":60000}
//   {"type":"answer","member":…,"request":"…","epoch":6,"dataset":"/dataset/a.csv"}   by the
//   leading
//                                              trainer: begun; without an epoch refused: "reason"
//
// A member is live from its first "alive" until it leaves, is fenced, or stays silent for
// kMemberSilence. A silent one is fenced by the next halt, without a wait; it is forgotten after
// kMemberForgotten, when Kafka has long put it out of its group and ended its transaction.
// Threads: plain values. Errors: parse gives kBadData.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "record/cache_state.h"
#include "record/watch_report.h"

namespace weir::record {

enum class MemberType { kAlive, kHalted, kLeft, kAskTrain, kAskRollback, kTrainer, kAnswer };

struct PartitionProgress {
  std::int32_t partition = 0;
  std::int64_t next = 0;
  std::optional<std::int64_t> end;  // as of the last fetch
  std::optional<std::int64_t> last_record_age_ms;
  // Every record below has its answer, committed; absent while some are under way. It may lie
  // behind what the group has committed, over offsets that are no records.
  std::optional<std::int64_t> answered{};

  bool operator==(const PartitionProgress&) const = default;
};

// From the first to the last.
struct PartitionRange {
  std::int32_t first = 0;
  std::int32_t last = 0;

  bool operator==(const PartitionRange&) const = default;
};

// How a member gets on, told with its heartbeats for people to read: nothing is decided by it.
struct MemberProgress {
  std::uint64_t model = 0;        // at work, 0 = none
  std::uint64_t model_epoch = 0;  // that it answers in
  std::string waiting_for;        // in words; empty where something moves
  std::int64_t waiting_ms = 0;
  std::uint64_t scored = 0;  // of a scorer, since its process began
  std::uint64_t dead = 0;
  std::vector<PartitionProgress> partitions;  // held; at most kPartitionsToldMax
  std::optional<WatchReport> watch;           // of a watcher
  std::optional<CacheState> cache{};          // of a scorer that has one
  // Held as well, and not told of above; at most kRangesToldMax, which consecutive ones need few
  // of.
  std::vector<PartitionRange> also_holds{};

  bool operator==(const MemberProgress&) const = default;
};
// A heartbeat stays small, whatever is assigned.
inline constexpr std::size_t kPartitionsToldMax = 200;
inline constexpr std::size_t kRangesToldMax = 1'000;

struct MemberRecord {
  MemberType type = MemberType::kAlive;
  std::string member;
  std::string role;              // "scorer", "producer" or "trainer"
  std::string transactional_id;  // empty where the role has none
  std::uint64_t epoch = 0;       // halted: acknowledged; ask_…: seen; answer: begun, 0 = refused
  std::uint64_t version = 0;     // ask_rollback
  std::string request;           // ask_train and answer: which one is answered
  std::string dataset;           // ask_train: empty is all that waits; answer: the one taken up
  std::int64_t within_ms = 0;    // ask_train: void when it is older
  std::string reason;            // answer
  MemberProgress progress;       // alive, halted and trainer

  std::string to_json() const;
  static Result<MemberRecord> parse(std::string_view json);
};

inline constexpr Millis kMemberHeartbeat{2000};
inline constexpr Millis kMemberSilence{15000};
// More than max.poll.interval.ms (300 s) and transaction.timeout.ms (30 s) together.
inline constexpr Millis kMemberForgotten{600'000};
// By how much the clocks of hosts and brokers may differ. Records carry their writer's time: who
// reads the members topic for the first time looks back so much further, and forgets nobody by it.
inline constexpr Millis kClockSkewMax{3'600'000};

}  // namespace weir::record
