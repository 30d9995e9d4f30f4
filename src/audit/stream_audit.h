// Predictions and dead letters against the features, record by record: promises 1, 2 and 3.
//
// The output partitions are read in the order of their records' times, all at once, and each answer
// is compared with its record, so that one pass over everything is enough.
//
// Owner: one audit. Threads: one. Errors: those of the histories, and of `progress`.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "audit/answer.h"
#include "audit/control_history.h"
#include "audit/feature_window.h"
#include "audit/findings.h"
#include "audit/recompute.h"
#include "base/clock.h"
#include "stream/topic_history.h"

namespace weir::audit {

// Where an epoch took over a feature partition, as the scorers noted it.
struct SwapNote {
  std::int64_t offset = 0;  // the lowest noted
  std::uint64_t version = 0;
};
using SwapNotes = std::map<std::int32_t, std::map<std::uint64_t, SwapNote>>;  // partition -> epoch

struct StreamEvidence {
  std::string features_topic;
  std::string predictions_topic;
  std::string dead_topic;
  stream::TopicHistory* features = nullptr;
  stream::TopicHistory* predictions = nullptr;
  stream::TopicHistory* dead = nullptr;
  // The group's next offsets by feature partition: before the ends of the answers were looked up,
  // and after. What is below the former has to be answered, what is not below the latter must not.
  std::map<std::int32_t, std::int64_t> committed_before;
  std::map<std::int32_t, std::int64_t> committed_after;
  const ControlHistory* control = nullptr;
  const SwapNotes* swaps = nullptr;
  const std::map<std::uint64_t, AuditModel>* models = nullptr;  // the whole ones, by version
};

struct StreamCounts {
  std::uint64_t features = 0;
  std::uint64_t predictions = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t compared = 0;      // answers held against their records
  std::uint64_t waiting = 0;       // records at or above the committed offset, not yet answered
  std::uint64_t not_compared = 0;  // answers too far from their records to be held against them
  std::uint64_t not_judged = 0;    // records or answers whose counterpart lies before the window
};

struct StreamAuditOptions {
  Millis timeout{60'000};    // without an answer from a broker
  Millis clock_skew{2'000};  // between the clocks of scorers and trainer
};

// Called now and then with answers read and answers in all; an error stops the audit.
using StreamProgress = std::function<Status(std::uint64_t done, std::uint64_t total)>;

class StreamAudit {
 public:
  StreamAudit(const StreamEvidence& evidence, const StreamAuditOptions& options,
              Findings& findings);
  Result<StreamCounts> run(const StreamProgress& progress);

 private:
  struct Output {
    bool dead = false;
    stream::TopicHistory* history = nullptr;
    stream::PartitionSpan span;
    std::unique_ptr<stream::RecordBatch> batch;
    std::size_t at = 0;
    bool ended = false;
    std::map<std::int32_t, std::int64_t> last_offset_of;  // feature partition -> offset
    const stream::Record& record() const { return batch->records()[at]; }
  };
  // Of one epoch along one feature partition.
  struct Reach {
    std::int64_t first = 0;
    std::int64_t last = 0;
  };

  void add_outputs(stream::TopicHistory& history, bool dead);
  Status fill(Output& output);
  Output* earliest();
  Status take(Output& output);
  Status match(Output& output, const Answer& answer);
  void compare(const Output& output, const Answer& answer, const FeatureRecord& record);
  void compare_prediction(const Output& output, const Answer& answer, const FeatureRecord& record);
  void compare_dead_letter(const Output& output, const Answer& answer, const FeatureRecord& record);
  bool refused_for_good_reason(const Answer& answer, const FeatureRecord& record);
  void judge_epoch(const Output& output, const Answer& answer);
  void judge_reign(const Output& output, const Answer& answer, const Reign& reign);
  void judge_reaches();
  void judge_swap(std::int32_t partition, std::uint64_t epoch, const Reach& reach,
                  const Reach* before);
  Status finish_windows();
  std::string place(const Output& output) const;
  std::string feature_place(std::int32_t partition, std::int64_t offset) const;

  const StreamEvidence& evidence_;
  const StreamAuditOptions options_;
  Findings& findings_;
  StreamCounts counts_;
  std::map<std::int32_t, FeatureWindow> windows_;
  std::vector<std::unique_ptr<Output>> outputs_;
  AnswerReader reader_;
  Recomputer recomputer_;
  std::map<std::int32_t, std::map<std::uint64_t, Reach>> reaches_;  // partition -> epoch
  std::map<std::int32_t, std::uint64_t> ahead_;  // answers not covered, by feature partition
  std::map<std::int32_t, std::int64_t> ahead_last_;
  std::int64_t cut_ms_ = 0;  // answers from before this time may have been deleted
};

}  // namespace weir::audit
