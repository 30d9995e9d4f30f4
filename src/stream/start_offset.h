// Where a group begins in a partition that it was just given. One rule for Kafka and its twin.
//
//   committed here                       -> there; if the log no longer has that offset, kCorrupt
//   committed nowhere in this topic      -> the group's first start: the earliest record
//   committed elsewhere in this topic,
//     and nothing was ever deleted here  -> 0: the partition is new, or it had no records so far. A
//                                           group's offsets in one topic expire together, so that
//                                           one offset missing alone was never committed, and no
//                                           record is scored twice
//     and records were deleted here      -> kCorrupt: records went by that were never scored
//
// What no group can know: all of its offsets were deleted, say after seven idle days. It looks like
// a first start. Hence `evidence` in Broker::open_source, and offsets_lost().
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"

namespace weir::stream {

struct PartitionStart {
  std::string topic;
  std::int32_t partition = 0;
  std::optional<std::int64_t> committed;
  std::int64_t log_start = 0;
};

Result<std::int64_t> start_offset(const PartitionStart& at, bool group_committed_in_topic);

// The error for a group that has no offsets and yet has written to `evidence`.
Error offsets_lost(const std::string& group, const std::string& topic, const std::string& evidence);

// The error for a position that the log does not have (any more).
Error out_of_range(const std::string& topic, std::int32_t partition, std::int64_t offset);

}  // namespace weir::stream
