// The records of the members topic: what producers and scorers say to the trainer.
//
//   {"type":"alive","member":"scorer-host-0","role":"scorer","transactional_id":"…","epoch":3}
//   {"type":"halted","member":…,"epoch":4}     the gate is closed, nothing of mine is in flight
//   {"type":"left","member":…}                 a clean end
//   {"type":"ask_train"} / {"type":"ask_rollback","version":2}   requests by people
//
// A member is live from its first "alive" until it leaves, is fenced, or stays silent for
// kMemberSilence. A silent one is fenced by the next halt, without a wait; it is forgotten after
// kMemberForgotten, when Kafka has long put it out of its group and ended its transaction.
// Threads: plain values. Errors: parse gives kBadData.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"

namespace weir::record {

enum class MemberType { kAlive, kHalted, kLeft, kAskTrain, kAskRollback };

struct MemberRecord {
  MemberType type = MemberType::kAlive;
  std::string member;
  std::string role;              // "scorer" or "producer"
  std::string transactional_id;  // empty where the role has none
  std::uint64_t epoch = 0;       // halted: the epoch that is acknowledged
  std::uint64_t version = 0;     // ask_rollback

  std::string to_json() const;
  static Result<MemberRecord> parse(std::string_view json);
};

inline constexpr Millis kMemberHeartbeat{2000};
inline constexpr Millis kMemberSilence{15000};
// More than max.poll.interval.ms (300 s) and transaction.timeout.ms (30 s) together.
inline constexpr Millis kMemberForgotten{600'000};

}  // namespace weir::record
