// The trainer: the one that begins and ends epochs.
//
// One data set at a time: halt -> every live member has halted or is fenced -> train -> publish the
// version -> resume -> move the data set. With while_training: continue there is no halt. Of
// several trainers the leader acts. After a crash the next leader reads the control log, then the
// store, and finishes what was begun: nothing is remembered anywhere else. The story is in
// trainer.cc; what is taken up, and when, in trainer_taking_up.cc; what people ask for in
// trainer_requests.cc.
//
// Owner: whoever drives the role. Threads: one. Errors of step(): the broker's, kFenced included;
// whatever is wrong with a data set or the store ends the epoch with the old model, loudly.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/crash_point.h"
#include "base/role.h"
#include "base/schedule.h"
#include "gate/control_log.h"
#include "gate/members.h"
#include "record/control_topic.h"
#include "registry/dataset_folder.h"
#include "registry/model_registry.h"
#include "stream/broker.h"
#include "train/dataset_training.h"
#include "train/epoch_trace.h"
#include "train/output_watch.h"
#include "train/trainer_voice.h"

namespace weir::train {

// Trains on a data set, as train_on_dataset() does with everything else bound. kBadData,
// kUnsupported, kInvalidArgument and kCorrupt are the data set's fault.
using TrainFunction =
    std::function<Result<TrainedModel>(const registry::Dataset&, const ProgressFunction&)>;

struct TrainerOptions {
  record::ControlTopic control_topic;
  std::string members_topic;
  std::string predictions_topic;  // where they end is written into each resume
  std::string dead_topic;
  std::string group;             // of the trainers, for leadership
  std::string name;              // "host:pid", in records and logs
  std::string transactional_id;  // the one of all trainers of the pipeline
  bool halt_while_training = true;
  Millis halt_timeout{10'000};
  Millis watch_interval{2'000};
  Millis settle_time{0};
  std::vector<std::string> copy_from;  // folders, or data sets, that requests may name beside ours
  Schedule schedule;                   // when data sets are taken up
  Millis min_interval{0};  // between the begins of two epochs, unless a person asks for one
  Millis broker_timeout{30'000};
  int training_tries_max = 3;
  std::string program_version;
  TrainingOptions training;         // a data set that is dropped again under others is new
  registry::QualityBounds require;  // what a model must be worth to be put in force
  std::string pipeline;             // in traces
  trace::Tracer* tracer = nullptr;  // outlives the trainer; null: traces are not exported
};

struct TrainerCounts {
  std::uint64_t trained = 0;
  std::uint64_t refused = 0;
  std::uint64_t failed = 0;
};

class Trainer final : public Role {
 public:
  static Result<std::unique_ptr<Trainer>> open(TrainerOptions options, stream::Broker& broker,
                                               store::FileStore& store,
                                               const std::string& dataset_path,
                                               const std::string& models_path, TrainFunction train,
                                               Clock& clock, CrashPoints crash_points);

  Status step(Millis wait_max, std::stop_token stop) override;
  void finish() override { voice_.leave(); }

  bool leads() const { return writer_ != nullptr; }
  // Nothing is begun, and the last looks found nothing that may be taken up now or soon.
  bool idle() const { return leads() && !begun() && looks_without_work_ >= 2; }
  const TrainerCounts& counts() const { return counts_; }

 private:
  Trainer(TrainerOptions options, stream::Broker& broker, store::FileStore& store,
          const std::string& dataset_path, const std::string& models_path, TrainFunction train,
          Clock& clock, CrashPoints crash_points);

  // A training asked for, not answered yet.
  struct Wish {
    record::MemberRecord ask;
    std::string path;  // to take up, once it is known to be there
    SteadyTime until;
    std::string trouble;  // why it is not known to be there
    bool of_all() const { return ask.dataset.empty(); }
    bool is_placed() const { return !path.empty(); }
  };
  // A data set that could not be compared at some looks in a row, or a duplicate that could not be
  // moved away: not looked at again before that time.
  struct PassedOver {
    int looks = 0;
    SteadyTime until{};
  };

  const std::optional<record::ControlRecord>& begun() const { return control_->state().begun; }

  Status lead_or_stand_by(Millis wait_max);
  Status stand_by();
  Status take_over();
  Status finish_last_move();
  Status watch(Millis wait_max, std::stop_token stop);
  Status set_aside_duplicate(const registry::Dataset& dataset);
  Result<std::optional<std::uint64_t>> version_of_same_bytes(const registry::Dataset& dataset);
  Status begin(const registry::Dataset& dataset);
  Status answer_requests(std::stop_token stop);
  Status begin_rollback(const record::MemberRecord& request);
  Status take_wish(const gate::MemberTable::Request& request, std::stop_token stop);
  Status place_wishes(std::stop_token stop);
  void expire(const Wish& wish);
  bool may_be_asked_for(const std::string& path) const;
  Result<std::string> path_to_take_up(const Wish& wish, std::stop_token stop);
  std::string path_in_drop_folder(const std::string& dataset) const;
  void want_what_waits(const std::vector<registry::Dataset>& ready);
  void answer(const record::MemberRecord& ask, std::uint64_t epoch, const std::string& dataset,
              const std::string& reason);
  void answer_wishes_for(const std::string& path, std::uint64_t epoch, const std::string& reason);
  std::string who_wants(const std::string& path) const;
  bool is_due(const registry::Dataset& dataset);
  void hold_since_last_begin();
  std::string why_nothing_is_taken_up(const std::vector<registry::Dataset>& held_back);
  Status still_wanted(std::stop_token stop);
  Status await_halt(Millis wait_max, std::stop_token stop);
  Status conclude(std::stop_token stop);
  Status conclude_rollback();
  Status conclude_with_model(const registry::Manifest& manifest);
  Status conclude_without(record::Outcome outcome, const Error& why);
  Result<registry::Manifest> train_and_publish(std::stop_token stop);
  Result<registry::Manifest> train_once(std::stop_token stop);
  Status resume(record::ControlRecord record);
  record::ControlRecord new_record(record::ControlType type, std::uint64_t epoch) const;

  const TrainerOptions options_;
  stream::Broker& broker_;
  store::FileStore& store_;
  registry::DatasetFolder folder_;
  registry::ModelRegistry models_;
  const TrainFunction train_;
  Clock& clock_;
  const CrashPoints crash_points_;

  std::unique_ptr<stream::Leadership> leadership_;
  std::unique_ptr<gate::ControlFollower> control_;
  std::unique_ptr<gate::MemberTable> members_;
  OutputWatch outputs_;
  TrainerVoice voice_;
  EpochTrace trace_;
  std::unique_ptr<gate::ControlWriter> writer_;  // set while this trainer leads

  SteadyTime next_look_{};
  SteadyTime next_move_{};
  SteadyTime halt_deadline_{};
  bool halt_deadline_set_ = false;
  bool move_pending_ = false;  // the last epoch's data set still has to be moved
  int looks_without_work_ = 0;
  std::map<std::string, PassedOver> passed_over_;  // by path
  TrainerCounts counts_;

  SteadyTime next_begin_{};  // min_interval lies behind
  std::vector<Wish> wishes_;
  std::set<std::string> wanted_;  // paths that are taken up whatever the schedule says

  static constexpr Millis kPollSlice{100};
  static constexpr Millis kLookAgainAfter{10'000};
};

}  // namespace weir::train
