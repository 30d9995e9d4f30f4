// Writes records, and the offsets that they came from, all or none: one Kafka transaction at a
// time.
//
// Owner: one role. Threads: one. A sink is made open: opening it fences every other sink with the
// same transactional id and ends what that one left open.
// After any error but where said otherwise, the sink is spent: destroy it, open another, and rewind
// the source to its committed offsets. Errors:
//   kUnavailable     the transaction was aborted and nothing of it is visible
//   kUnknownOutcome  the commit may have happened: only the committed offsets tell
//   kFenced          a newer instance has this transactional id, or the trainer fenced us
//   kPermissionDenied, kNotFound (a topic): the transaction was aborted
//   kInvalidArgument from send(): a record larger than the client lets through; it was not written,
//                    and the transaction goes on, the sink is not spent
//   kInvalidArgument from commit(): the broker itself refused a record (its topic takes smaller
//   ones
//                    only): the transaction was aborted, and would be again
// begin() or send() out of turn is kInvalidArgument, too, and spends the sink. A sink that is
// destroyed in the middle of a transaction aborts it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/error.h"
#include "stream/records.h"

namespace weir::stream {

// Whether a sink tells where each record has come to stand (OutRecord::place). It costs an answer
// for each record, so whoever does not ask does not pay.
enum class Places { kNotTold, kTold };

class TransactionalSink {
 public:
  virtual ~TransactionalSink() = default;
  virtual Status begin() = 0;
  // Copies the record into the sink's queue; waits while the queue is full.
  virtual Status send(const OutRecord& record) = 0;
  // Commits the records sent since begin() together with the source's offsets; `group` is null
  // where there is no source.
  virtual Status commit(std::string_view source_topic, std::span<const PartitionOffset> offsets,
                        const GroupMetadata* group) = 0;
  virtual Status abort() = 0;
};

// Idempotent and acknowledged by all replicas, but not transactional: for members' records and for
// the producer role. flush() returns once every record sent is acknowledged, or the first error.
class RecordPublisher {
 public:
  virtual ~RecordPublisher() = default;
  virtual Status send(const OutRecord& record) = 0;
  virtual Status flush(std::chrono::milliseconds timeout) = 0;
  // Of all records sent so far, those that were given up or are still on their way.
  virtual std::uint64_t undelivered() const = 0;
};

}  // namespace weir::stream
