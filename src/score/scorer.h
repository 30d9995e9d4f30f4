// The scorer: exactly-once scoring behind the gate.
//
// Any number of scorers share the features topic as one consumer group. Each reads the control log
// to its end before it scores anything, and again whenever it is given partitions: so the epochs
// never fall along a partition. No transaction is open while the gate is closed.
//
// A model is loaded beside the scoring. Where the stream was halted, the gate opens once it is
// there; with while_training: continue the old one goes on until then, for `old_model_max` at most
// and not over a partition that came meanwhile.
//
// Owner: whoever drives the role. Threads: one. Errors of step(): the role is to be made anew; what
// was not committed is scored again by whoever gets the partitions, once.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/crash_point.h"
#include "base/role.h"
#include "gate/control_log.h"
#include "gate/members.h"
#include "gate/waiting_notice.h"
#include "record/control_topic.h"
#include "score/batch_scorer.h"
#include "score/model_loader.h"
#include "score/swap_notes.h"
#include "stream/broker.h"

namespace weir::cache {
class CacheAccess;
}

namespace weir::score {

struct ScorerOptions {
  std::string pipeline;
  std::string features_topic;
  std::string predictions_topic;
  std::string dead_topic;
  record::ControlTopic control_topic;
  std::string members_topic;
  std::string swaps_topic;
  std::string group;
  std::string member;           // unique among the live; also makes the transactional id
  Millis commit_interval{100};  // from the begin of a commit to that of the next, about
  std::size_t batch_records_max = 10'000;
  std::size_t transaction_records_max = 100'000;
  Millis old_model_max{10'000};
  Millis broker_timeout{30'000};
  cache::CacheAccess* cache = nullptr;  // outlives the scorer; none: each row is predicted
  trace::Tracer* tracer = nullptr;      // outlives the scorer; null: traces are not exported
};

// Committed figures, readable from any thread.
struct ScorerCounters {
  std::atomic<std::uint64_t> scored{0};
  std::atomic<std::uint64_t> dead{0};
  std::atomic<std::uint64_t> transactions{0};
};

class Scorer final : public Role, private stream::RebalanceListener {
 public:
  // `counters` outlives the scorer and goes on over its lives.
  static Result<std::unique_ptr<Scorer>> open(ScorerOptions options, stream::Broker& broker,
                                              std::unique_ptr<ModelLoader> loader, Clock& clock,
                                              CrashPoints crash_points, ScorerCounters& counters);
  Status step(Millis wait_max, std::stop_token stop) override;
  void finish() override;

  // Everything that the topic held has been scored and committed.
  bool at_end() const { return gate_open_ && !transaction_ && !score_again_ && source_->at_end(); }

 private:
  struct Transaction {
    SteadyTime began;
    std::size_t records = 0;
    ScoreCounts counts;
    std::map<std::int32_t, std::int64_t> next_offsets;
    std::shared_ptr<const stream::GroupMetadata> group;
  };

  struct ModelName {
    std::uint64_t version = 0;
    std::string sha256;

    bool operator==(const ModelName&) const = default;
  };

  Scorer(ScorerOptions options, stream::Broker& broker, std::unique_ptr<ModelLoader> loader,
         Clock& clock, CrashPoints crash_points, ScorerCounters& counters);

  void on_assigned(std::span<const std::int32_t> partitions) override;
  void on_revoked(std::span<const std::int32_t> partitions) override;
  void on_lost(std::span<const std::int32_t> partitions) override;

  void look_for_progress(const stream::RecordBatch& batch);
  record::MemberProgress progress() const;
  std::string transactional_id() const { return options_.pipeline + "." + options_.member; }
  Status follow_control();
  Status close_gate(std::uint64_t epoch);
  bool behind() const;
  Status change_over();
  void fetch_model();
  Status stop_old_model(const char* why);
  Status score(const stream::RecordBatch& batch);
  Status note_swaps(const stream::RecordBatch& batch);
  Millis poll_wait(Millis wait_max) const;
  Status commit_if_due(bool more_there);
  Status commit_open();
  Status try_commit();
  Status recover(const Error& why);
  void pause_after(const Error& refusal);
  void pause_or_flow() { source_->set_paused(!gate_open_ || score_again_); }

  const ScorerOptions options_;
  stream::Broker& broker_;
  const std::unique_ptr<ModelLoader> loader_;
  Clock& clock_;
  const CrashPoints crash_points_;
  ScorerCounters& counters_;

  std::unique_ptr<gate::Membership> membership_;
  std::unique_ptr<gate::ControlFollower> control_;
  std::unique_ptr<stream::TransactionalSink> sink_;
  std::unique_ptr<BatchScorer> scorer_;  // of the model in force, once one was loaded
  std::optional<Transaction> transaction_;
  SteadyTime commit_due_{};
  SwapNotes swap_notes_;
  RecordTraces traces_;
  bool gate_open_ = false;
  bool recovered_ = false;           // since the last poll: its batch is void
  bool assigned_ = false;            // partitions came: read the control log to its end first
  std::optional<Error> to_recover_;  // found inside a rebalance: handled after the poll
  ModelName model_name_;             // of the last model that was loaded
  std::shared_ptr<const model::Model> model_;
  std::optional<ModelName> requested_;  // of the loader, and not taken yet
  std::string load_error_;              // of the last try to load the model in force
  SteadyTime next_load_{};              // a model that cannot be loaded is tried again from then on
  // Since when the gate is open for a model that rules no more.
  std::optional<SteadyTime> behind_since_;
  // After a commit that the next attempt will not mend either: paused until then.
  std::optional<SteadyTime> score_again_;
  Millis refusal_pause_{0};  // the last such pause; 0 after a commit
  gate::WaitingNotice waiting_;
  std::map<std::int32_t, std::int64_t> last_record_ms_;  // by partition, since 1970
  // Last: its destructor may call the listener, which uses the rest.
  std::unique_ptr<stream::RecordSource> source_;
};

}  // namespace weir::score
