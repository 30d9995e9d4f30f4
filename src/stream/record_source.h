// A member of a consumer group on one topic.
//
// Owner: one role. Threads: one; the listener is called inside poll() and close(). Isolation:
// read_committed. The first start of a group begins at the earliest record; a group that has
// committed before and whose offset is gone (expired, or out of range) gets kCorrupt from poll with
// the topic, partition and offset named, never a silent jump.
// Errors: kUnavailable and kTimeout (brokers away: call again), kPermissionDenied, kNotFound
// (topic), kFenced (another joined under this name: every poll() from then on), kCorrupt. An
// exception of the listener comes out of the poll() or close() that called it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "stream/records.h"

namespace weir::stream {

// How far a partition has been handed out, and where it ends.
struct PartitionPosition {
  std::int32_t partition = 0;
  // The next offset to be handed out; at the end the end itself, as what lies before it may take
  // offsets and be no record (the marks of transactions).
  std::int64_t next = 0;
  // After the last record, as of the last fetch: nothing is fetched, and this stands still, while
  // paused. Absent before the first.
  std::optional<std::int64_t> end;
};

class RebalanceListener {
 public:
  virtual ~RebalanceListener() = default;
  // Before the first fetch of these partitions.
  virtual void on_assigned(std::span<const std::int32_t> partitions) = 0;
  // Still ours until this returns: the last chance to commit.
  virtual void on_revoked(std::span<const std::int32_t> partitions) = 0;
  // Someone else may own them already: abort.
  virtual void on_lost(std::span<const std::int32_t> partitions) = 0;
};

class RecordSource {
 public:
  virtual ~RecordSource() = default;

  // Up to `records_max` records, waiting at most `timeout` for the first; an empty batch where
  // nothing came. While paused, no records come, but the group membership is kept up: keep calling.
  // Records below the expected position are dropped here and never seen.
  virtual Result<std::unique_ptr<RecordBatch>> poll(std::size_t records_max, Millis timeout) = 0;

  // Stops or lets flow all partitions, those assigned later included.
  virtual void set_paused(bool paused) = 0;

  // Forgets what was polled and not committed: every assigned partition goes on at the group's
  // committed offset, or where it began if nothing was ever committed.
  virtual Status rewind_to_committed() = 0;

  virtual std::vector<std::int32_t> assignment() const = 0;
  // Of every assigned partition; asks no broker.
  virtual std::vector<PartitionPosition> positions() const = 0;

  // True once every assigned partition has been read to the end it had at some moment since the
  // last record was handed out. False while nothing is assigned.
  virtual bool at_end() const = 0;

  // Leaves the group at once, so that others take over without waiting for a session time-out. So
  // does the destructor, without the listener.
  virtual void close() = 0;
};

}  // namespace weir::stream
