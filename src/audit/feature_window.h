// One partition of the features topic, read along with its answers.
//
// Answers come roughly in the order of their records, so only the records between the oldest
// without an answer and the newest with one are kept, up to a bound; what stays behind that is kept
// apart as a copy, up to another. Beyond, a record's answers are still counted but no longer
// compared.
//
// Owner: one audit. Threads: one. Errors: those of the history. Memory: two bits a record, and the
// two bounds below.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "stream/topic_history.h"

namespace weir::audit {

// Of one partition.
struct FeatureWindowLimits {
  std::size_t window_records_max = 200'000;
  std::size_t straggler_bytes_max = std::size_t{64} << 20;
};

// A record as an answer is compared with it.
struct FeatureRecord {
  std::optional<std::string_view> key;
  std::string_view value;
  bool tombstone = false;
  std::function<stream::Headers()> headers;
};

class FeatureWindow {
 public:
  FeatureWindow(stream::TopicHistory& history, stream::PartitionSpan span, Millis timeout,
                FeatureWindowLimits limits = {});

  // What the window makes of one answer.
  enum class Match {
    kFirst,    // the record's first answer
    kAgain,    // it has had one
    kAbsent,   // there is no such record
    kOutside,  // before the span: not judged
  };
  // Marks the record at `offset` as answered, reading on as far as that needs. On kFirst `compare`
  // is called with the record, unless it is no longer kept.
  using Compare = std::function<void(const FeatureRecord&)>;
  Result<Match> answer(std::int64_t offset, const Compare& compare);

  // Reads to the end; then calls back for each record without an answer.
  using Unanswered = std::function<void(std::int64_t offset, std::int64_t timestamp_ms)>;
  Status finish(const Unanswered& unanswered);

  const stream::PartitionSpan& span() const { return span_; }
  std::uint64_t records() const { return records_; }
  std::uint64_t not_compared() const { return not_compared_; }

 private:
  struct Slot {
    std::shared_ptr<const stream::RecordBatch> batch;
    std::size_t index = 0;
    std::int64_t offset = 0;
    std::int64_t timestamp_ms = 0;
    bool answered = false;
  };
  struct Straggler {
    std::optional<std::string> key;
    std::string value;
    bool tombstone = false;
    stream::Headers headers;
    std::int64_t timestamp_ms = 0;
    bool kept = true;  // false: only the time is known any more
  };

  Status read_on();
  void retire_front();
  std::size_t index_of(std::int64_t offset) const {
    return static_cast<std::size_t>(offset - span_.begin);
  }
  void compare_straggler(std::int64_t offset, const Compare& compare);

  stream::TopicHistory& history_;
  const stream::PartitionSpan span_;
  const Millis timeout_;
  const FeatureWindowLimits limits_;
  std::vector<bool> there_;     // by offset - span.begin
  std::vector<bool> answered_;  // the same
  std::deque<Slot> window_;     // by rising offset; the first is not answered
  std::map<std::int64_t, Straggler> stragglers_;
  std::size_t straggler_bytes_ = 0;
  std::int64_t next_ = 0;  // all below has been read
  bool ended_ = false;
  std::uint64_t records_ = 0;
  std::uint64_t not_compared_ = 0;
};

}  // namespace weir::audit
