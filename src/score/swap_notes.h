// Which swaps this scorer has on record: for each partition, the epoch whose first answer it has
// noted since it was given the partition.
//
// A note travels in the transaction of the answer and counts once that has committed: where the
// transaction comes to nothing, or nobody knows, the next one notes its own first answer. Then the
// topic may hold two notes of one (epoch, partition); readers take the lowest.
//
// Owner: the scorer. Threads: one. Errors: none.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "stream/records.h"

namespace weir::score {

class SwapNotes {
 public:
  struct First {
    std::int32_t partition = 0;
    std::int64_t offset = 0;

    bool operator==(const First&) const = default;
  };

  // The records of a batch that are to be noted with their answers, now that `epoch` rules; they
  // count as noted in the open transaction.
  std::vector<First> take(std::span<const stream::Record> records, std::uint64_t epoch);
  void committed();  // the open transaction has
  void aborted();    // or has not, or nobody knows
  // Given to us, or taken from us: the next owner cannot know what we noted, nor can we.
  void forget(std::span<const std::int32_t> partitions);

 private:
  bool is_noted(std::int32_t partition, std::uint64_t epoch) const;

  std::map<std::int32_t, std::uint64_t> noted_;      // partition -> epoch
  std::map<std::int32_t, std::uint64_t> in_flight_;  // the same, of the open transaction
};

}  // namespace weir::score
