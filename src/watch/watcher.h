// The watcher: compares the features that come with those that the model in force was made of, and
// its predictions with the true values that come late; tells of what is out of bounds, and, where
// that is wanted, asks the trainer for a training.
//
// It decides nothing and holds nobody up: it follows the topics without a group, from when it was
// started, and keeps no state that must survive. What a model was made of is told by the held-out
// rows that lie beside it, which are a random sample of its data set.
//
// What it sees goes out with its heartbeats, and so reaches whoever shows it, in any process.
//
// Owner: whoever drives the role; broker, models and clock outlive it. Threads: one. Errors
// of step(): the broker's. A model or rows that cannot be loaded are tried again, and told of.
// Limits: of what comes at once, kRowsOfStepMax records are looked at, evenly spread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/role.h"
#include "format/feature_message.h"
#include "gate/control_log.h"
#include "gate/members.h"
#include "gate/training_request.h"
#include "gate/waiting_notice.h"
#include "registry/model_registry.h"
#include "stream/broker.h"
#include "watch/alarm.h"
#include "watch/drift_meter.h"
#include "watch/live_accuracy.h"

namespace weir::watch {

struct WatcherOptions {
  record::ControlTopic control_topic;
  std::string features_topic;
  std::string predictions_topic;
  std::string actuals_topic;
  std::string members_topic;
  std::string member;
  std::optional<double> psi_max = 0.25;
  std::optional<double> rmse_max;
  double clear_fraction = 0.8;      // of its bound, at which an alarm is cleared
  Millis lasting{60'000};           // that a figure has to be out of bounds, or in again
  std::uint64_t rows_min = 1'000;   // below that, nothing is said of drift
  std::uint64_t window = 10'000;    // rows that are compared
  std::uint64_t actuals_min = 100;  // below that, nothing is said of accuracy
  LiveAccuracyLimits accuracy;
  std::string retrain_dataset;  // empty: no training is asked for
  Millis retrain_interval{3'600'000};
  Millis broker_timeout{30'000};
};

class Watcher final : public Role {
 public:
  static Result<std::unique_ptr<Watcher>> open(WatcherOptions options, stream::Broker& broker,
                                               registry::ModelRegistry& models, Clock& clock);
  Status step(Millis wait_max, std::stop_token stop) override;
  void finish() override { membership_->leave(); }

  record::WatchReport report() const;
  std::string summary() const;  // in a few words, for weir status

  static constexpr std::size_t kRowsOfStepMax = 1'000;

 private:
  // What belongs to the model in force.
  struct Watched {
    std::uint64_t version = 0;
    std::uint64_t epoch = 0;
    std::shared_ptr<const model::Model> model;
    std::optional<double> held_out_rmse;
    std::unique_ptr<format::FeatureParser> parser;
    std::unique_ptr<DriftMeter> drift;
    std::vector<Alarm> alarms;       // one for each feature
    std::vector<std::string> since;  // that each is as it is; empty before it was looked at
    std::string drift_since;         // that any is raised, or none
    Alarm accuracy_alarm;
    std::string accuracy_since;
    std::uint64_t features_refused = 0;
    std::uint64_t actuals_refused = 0;
  };

  Watcher(WatcherOptions options, stream::Broker& broker, registry::ModelRegistry& models,
          Clock& clock);
  Status follow_control();
  Status load(std::uint64_t version, std::uint64_t epoch, const std::string& sha256);
  Status read(Millis wait_max);
  void count_features(const std::vector<stream::LogEntry>& entries);
  void count_predictions(const std::vector<stream::LogEntry>& entries);
  void count_actuals(const std::vector<stream::LogEntry>& entries);
  void judge();
  void judge_drift(std::size_t feature);
  void judge_accuracy();
  void tell(AlarmChange change, std::string words);
  std::size_t drifting() const;
  bool any_raised() const;
  Status follow_request();
  Status ask_for_training();
  bool may_ask() const;
  std::vector<record::WatchedFeature> told_features() const;

  const WatcherOptions options_;
  stream::Broker& broker_;
  registry::ModelRegistry& models_;
  Clock& clock_;

  std::unique_ptr<gate::Membership> membership_;
  std::unique_ptr<gate::ControlFollower> control_;
  std::unique_ptr<stream::LogReader> features_;
  std::unique_ptr<stream::LogReader> predictions_;
  std::unique_ptr<stream::LogReader> actuals_;
  gate::WaitingNotice waiting_;
  std::optional<Watched> watched_;
  LiveAccuracy accuracy_;
  std::vector<record::WatchEvent> events_;  // the last kEventsToldMax
  std::vector<double> row_;                 // scratch
  SteadyTime next_judgement_{};
  SteadyTime next_load_{};

  std::string wanted_because_;  // a training is to be asked for: why; empty: none
  std::unique_ptr<gate::TrainingRequest> request_;
  SteadyTime request_until_{};
  SteadyTime ask_not_before_{};
};

}  // namespace weir::watch
