// Where a history begins and ends in each partition. One rule for Kafka and its twin.
//
// Threads: any, it is a function. Errors: kInvalidArgument for a start that cannot be, kCorrupt for
// an offset whose records were deleted.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "stream/topic_history.h"

namespace weir::stream {

// What a partition had when the history was opened.
struct PartitionBounds {
  std::int64_t earliest = 0;    // offset of the first record that is there
  std::int64_t stable_end = 0;  // the last stable offset
  // The first offset of HistoryStart::time_ms or later; at or past stable_end where there is none.
  std::int64_t at_time = 0;
};

// `bounds` by partition, all of the topic.
Result<std::vector<PartitionSpan>> history_spans(const std::string& topic,
                                                 const HistoryStart& start,
                                                 std::span<const PartitionBounds> bounds);

// The error for records that were deleted between the opening and now.
Error history_deleted(const std::string& topic, std::int32_t partition, std::int64_t offset);

}  // namespace weir::stream
