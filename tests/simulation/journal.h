// What happened in a simulated run, in the one order in which it took effect.
//
// The topics say what is there at the end; the journal says what came before what over all topics.
// The wrappers of watched_broker.h write it. Owner: a World. Threads: one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir::simulation {

// An answer, or the note of one, as it was sent.
struct SentPrediction {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::uint64_t epoch = 0;
};

struct Event {
  enum class Kind {
    kControl,    // a control record was committed: value
    kConcluded,  // the trainer takes it that nothing of an earlier epoch is in flight
    kFenced,     // who: a transactional id
    kCommitted,  // who: a transactional id; what it committed
  };
  Kind kind = Kind::kControl;
  std::string who;
  std::string value;
  std::vector<SentPrediction> predictions;
  std::vector<SentPrediction> dead;   // dead letters, which name no epoch
  std::vector<SentPrediction> noted;  // notes of the swaps topic
  std::uint64_t epoch = 0;            // kConcluded: of which the trainer takes it
};

using Journal = std::vector<Event>;

}  // namespace weir::simulation
