// Who of several trainers acts: the one that a consumer group gives the control topic's partition.
//
// Owner: the trainer. Threads: one. Call it at least every few seconds, in the middle of a training
// too, or the group gives the partition to another. It is a hint for who should act; what makes a
// deposed leader harmless is its transactional id, which the new leader fences.
#pragma once

#include "base/clock.h"
#include "base/error.h"

namespace weir::stream {

class Leadership {
 public:
  virtual ~Leadership() = default;
  virtual Result<bool> is_leader(Millis timeout) = 0;
};

}  // namespace weir::stream
