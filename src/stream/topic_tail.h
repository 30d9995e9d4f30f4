// Follows a topic for as long as it is asked to, from where its caller left off, without a group:
// for whoever keeps the next offsets himself, together with what he made of the records.
//
// Owner: one role. Threads: one. Isolation: read_committed. A start that the topic does not have
// (any more) is no error here: the tail begins at the earliest record and tells of the jump.
// Errors: kUnavailable, kTimeout, kNotFound (topic), kPermissionDenied, kCorrupt where the place
// that is to be read next is gone, by retention or because the topic was made anew: open another
// tail.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "stream/record_source.h"
#include "stream/records.h"

namespace weir::stream {

struct TailStart {
  // The next offset by partition. A partition that is not named begins at else_from_ms, or where
  // that is absent at its earliest record.
  std::map<std::int32_t, std::int64_t> offsets;
  std::optional<std::int64_t> else_from_ms;
  // What topic_id() said when the offsets were noted. Offsets of another topic of this name count
  // for nothing. Empty: not known.
  std::string topic_id;
};

// An offset that was asked for and that the topic does not have.
struct TailJump {
  std::int32_t partition = 0;
  std::int64_t wanted = 0;
  std::int64_t began = 0;
};

class TopicTail {
 public:
  virtual ~TopicTail() = default;
  // Stays with the topic for as long as it lives, and no other ever has it; empty where the brokers
  // are too old to tell.
  virtual const std::string& topic_id() const = 0;
  // The topic is not the one that the start's offsets are of: they were left alone, and each of its
  // partitions begins at its earliest record.
  virtual bool made_anew() const = 0;
  // Where the log has been cut behind the caller's back. Empty where made_anew().
  virtual const std::vector<TailJump>& jumps() const = 0;
  // What comes next, of all partitions, `records_max` at most, waiting at most `timeout` for the
  // first; an empty batch where nothing came. The batch stays good after the next call, but holds
  // on to fetched memory. Its group() is null. What is fetched ahead is bounded.
  virtual Result<std::unique_ptr<RecordBatch>> poll(std::size_t records_max, Millis timeout) = 0;
  // By partition: everything below `next` was handed out, or is no record. `end` is that of the
  // whole log, as far as is known. Partitions that the topic gets while it is followed appear here
  // within some seconds, and are followed from their beginning.
  virtual std::vector<PartitionPosition> positions() const = 0;
};

// Where the partitions begin. One rule for Kafka and its twin.
struct TailBounds {
  std::int64_t earliest = 0;
  std::int64_t end = 0;  // of the whole log
  // The first offset of TailStart::else_from_ms or later; `end` where there is none.
  std::int64_t at_time = 0;
};
struct TailPlan {
  std::vector<std::int64_t> begins;  // by partition
  std::vector<TailJump> jumps;
  bool made_anew = false;
};
// An offset past the end means that the topic was made anew, too: of a log that was only cut, the
// end stays.
TailPlan plan_tail(const TailStart& start, const std::string& topic_id,
                   const std::vector<TailBounds>& bounds);

}  // namespace weir::stream
