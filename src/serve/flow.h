// What flows, in figures: records that arrive, predictions and dead letters by the second, how long
// an answer takes, and how many records wait; now, and over the last quarter of an hour.
//
// This is the one place where they are made up: /v1/flow, /metrics, the page and `weir top` all
// show these. Counted is what was read from the topics, record by record (ends of topics count the
// markers of transactions, too), by the records' own times: a reader that was away for a while
// and catches up draws the same curve as one that was there. A time to an answer is that between
// two records, the feature record's and the answer's; the commit after that, about
// score.commit_interval at most, is not in it.
//
// Memory is bounded: 180 steps, and the arrival times of some records that wait for an answer.
// Where more than that wait, one in two is followed, then one in four, and so on.
//
// Owner: a command, or the gateway. Threads: any. Errors: none.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "predictions/prediction_store.h"

namespace weir::serve {

struct FlowStep {
  std::uint64_t arrived = 0;
  std::uint64_t predicted = 0;
  std::uint64_t dead = 0;
  std::optional<std::int64_t> lag;     // records that waited, as last seen in the step
  std::optional<double> p50_s, p95_s;  // seconds to an answer; absent: no answer in it
};

struct AnswerTimes {
  std::uint64_t answers = 0;
  double p50_s = 0;
  double p95_s = 0;
  double p99_s = 0;
};

struct FlowFigures {
  double arrived_per_s = 0;
  double predicted_per_s = 0;
  double dead_per_s = 0;
  std::optional<AnswerTimes> answer_times;  // of the last minute; absent: no answer in it
  std::optional<std::int64_t> lag;          // as last told
  WallTime steps_from{};                    // when the first of the steps began
  std::vector<FlowStep> steps;              // oldest first; the last one is not over yet
};

class Flow {
 public:
  static constexpr Millis kStep{5'000};
  static constexpr std::size_t kSteps = 180;
  // Rates are those of the step under way and of so many before it: 10 to 15 seconds.
  static constexpr std::size_t kRateSteps = 2;
  static constexpr std::size_t kAnswerTimeSteps = 12;

  explicit Flow(Clock& clock, std::size_t waiting_max = 100'000)
      : clock_(clock), waiting_max_(waiting_max) {}

  // What was read, each record once.
  void take(const predictions::Batch& batch);
  void note_lag(std::int64_t records);
  // What was read is read again from here on: nothing of it was counted. The lag stays.
  void clear();
  FlowFigures figures() const;
  // Arrival times that are kept for an answer to come.
  std::size_t waiting() const;

 private:
  // A bucket's upper end is 2^(1/4) times the one before: a percentile is at most 19 % too high.
  static constexpr std::size_t kBuckets = 96;  // from 1 ms to 4.6 hours
  using Histogram = std::array<std::uint32_t, kBuckets>;
  struct Slot {
    std::int64_t number = -1;  // of the step since 1970
    FlowStep step;
    Histogram times{};
  };
  struct Waiting {
    std::int64_t offset = 0;
    std::int64_t arrived_ms = 0;
  };

  static std::size_t bucket_of(std::int64_t ms);
  static std::optional<double> percentile(const Histogram& times, double share);
  Slot* slot_at(std::int64_t ms);  // null: too long ago
  void wait(const predictions::FeatureRecord& record);
  std::optional<std::int64_t> arrival_of(const predictions::Place& place);
  void halve();

  Clock& clock_;
  const std::size_t waiting_max_;
  mutable std::mutex mutex_;
  std::array<Slot, kSteps> slots_;                       // guarded by mutex_, as all below
  std::map<std::int32_t, std::deque<Waiting>> waiting_;  // by partition, offsets rise
  std::size_t waiting_count_ = 0;
  std::int64_t followed_mask_ = 0;  // offsets are followed that have none of these bits
  std::optional<std::int64_t> lag_;
};

}  // namespace weir::serve
