// The records of the swaps topic: from which offset on each epoch's model answered a partition.
//
//   {"type":"swap","epoch":3,"version":3,"partition":0,"offset":1207,"member":"scorer-host-0"}
//
// A scorer writes one in the very transaction that answers the first record of a partition that it
// has answered in an epoch since it was given the partition. So a note is there exactly where the
// answer is. A later owner of the partition notes its own first record again: the lowest offset of
// an (epoch, partition) is where the epoch took over.
//
// Threads: plain values. Errors: parse gives kBadData, or kUnsupported for a type of a later
// version of the program.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weir::record {

struct SwapRecord {
  std::uint64_t epoch = 0;
  std::uint64_t version = 0;   // the model that ruled in that epoch
  std::int32_t partition = 0;  // of the features topic
  std::int64_t offset = 0;  // the first feature record answered, by a prediction or a dead letter
  std::string member;       // who answered

  bool operator==(const SwapRecord&) const = default;

  std::string to_json() const;
  static Result<SwapRecord> parse(std::string_view json);
};

}  // namespace weir::record
