// What a topic held at one moment: every committed record from a start to the end that each
// partition had when the history was opened, without a group. For the audit and for replays.
//
// Owner: a command. Threads: one. Isolation: read_committed; the ends are last stable offsets, so
// that no open transaction hides a record below them. Kafka answers a commit a moment before its
// markers are in the log: a transaction committed just now may lie past the ends, whole. Partitions
// are read each at its own pace: reading one never waits for another, and what was fetched of those
// that are not being read is bounded. Errors: kUnavailable, kTimeout, kNotFound (topic),
// kPermissionDenied, kCorrupt where records were deleted before they were read, with topic,
// partition and offset named.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "stream/records.h"

namespace weir::stream {

// Where a history begins. Both empty: at the earliest record that is there. Both given:
// kInvalidArgument.
struct HistoryStart {
  std::optional<std::int64_t> time_ms;  // the first record of this time or a later one
  // By partition; those that are not named begin at the earliest record. An offset before the
  // earliest record is kCorrupt, one after the end an empty span.
  std::map<std::int32_t, std::int64_t> offsets;
};

// The records of a partition from `begin` up to, and without, `end`.
struct PartitionSpan {
  std::int32_t partition = 0;
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

class TopicHistory {
 public:
  virtual ~TopicHistory() = default;
  // By partition, all of them, from 0.
  virtual const std::vector<PartitionSpan>& spans() const = 0;
  // The next records of one partition, `records_max` at most, waiting at most `timeout` for the
  // first. An empty batch: the partition has been read to its end. After a retryable error the
  // next call goes on where this one stood. The batch stays good after the
  // next call, but holds on to fetched memory: do not keep many. Its group() is null.
  virtual Result<std::unique_ptr<RecordBatch>> next(std::int32_t partition, std::size_t records_max,
                                                    Millis timeout) = 0;
};

}  // namespace weir::stream
