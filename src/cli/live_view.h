// Watches a running pipeline from outside, as any other consumer would: the control log, the model
// versions and the predictions topic; prints what a person cares about on stdout.
//
// It takes part in nothing: the pipeline runs the same without it. At a high rate a few predictions
// a second are shown. Owner: a command. Threads: one. Shapes: text for people, or one JSON object a
// line (--output json).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/role.h"
#include "gate/control_log.h"
#include "record/control_topic.h"
#include "registry/model_registry.h"
#include "stream/broker.h"

namespace weir::cli {

// How far the control log has been shown, over all lives of the view: an outage leaves no gap.
struct ControlShown {
  bool began = false;
  std::uint64_t begun = 0;  // epochs
  std::uint64_t resumed = 0;
};

struct LiveViewOptions {
  record::ControlTopic control_topic;
  std::string predictions_topic;
  std::string dead_topic;
  bool json = false;
  bool color = false;
  bool predictions = true;  // --quiet leaves them out
};

class LiveView final : public Role {
 public:
  // `shown` outlives the view.
  static Result<std::unique_ptr<LiveView>> open(LiveViewOptions options, stream::Broker& broker,
                                                registry::ModelRegistry& models, Clock& clock,
                                                ControlShown& shown);
  Status step(Millis wait_max, std::stop_token stop) override;
  void finish() override {}

 private:
  LiveView(LiveViewOptions options, registry::ModelRegistry& models, Clock& clock,
           ControlShown& shown)
      : options_(std::move(options)), models_(models), clock_(clock), shown_(shown) {}
  void show_beginning();
  void show_control(const record::ControlRecord& record);
  void show_begun(const record::ControlRecord& begun);
  void show_resume(const record::ControlRecord& resume);
  void show_model(const registry::LoadedModel& loaded);
  Status show_prediction(const stream::LogEntry& entry);
  void show_dead_letter(const stream::LogEntry& entry);
  void load_actual_values(std::uint64_t version);
  std::string mark(const char* symbol, const char* color) const;

  const LiveViewOptions options_;
  registry::ModelRegistry& models_;
  Clock& clock_;
  ControlShown& shown_;
  std::unique_ptr<gate::ControlFollower> control_;
  std::unique_ptr<stream::LogReader> predictions_;
  std::unique_ptr<stream::LogReader> dead_;
  // The target by row number of the held-out sample, for the last few versions.
  std::map<std::uint64_t, std::map<std::string, std::string>> actual_values_;
  SteadyTime next_shown_{};  // no prediction is shown before
  SteadyTime next_dead_shown_{};
  std::uint64_t not_shown_ = 0;
  bool heading_shown_ = false;
};

}  // namespace weir::cli
