#include "serve/alerts.h"

#include <algorithm>
#include <cstdio>

#include "base/moment.h"
#include "base/text.h"

namespace weir::serve {
namespace {

// Lag counts where it is worth so many seconds of what arrives, and has grown by a fifth in a
// minute.
constexpr double kLagSeconds = 5;
constexpr double kLagGrowth = 1.2;
constexpr double kDeadShare = 0.01;
constexpr double kDeadPerSecondMin = 0.1;

std::string duration_text(Millis duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 7'200) return std::to_string(seconds / 60) + " min";
  return std::to_string(seconds / 3'600) + " h";
}

std::string records_text(std::int64_t count) {
  return std::to_string(count) + (count == 1 ? " record" : " records");
}

class Alerts {
 public:
  Alerts(const AlertSources& sources, Clock& clock) : from_(sources), clock_(clock) {}

  std::vector<Alert> take() {
    look_at_troubles();
    if (from_.status) {
      look_at_gate(*from_.status);
      look_at_members(*from_.status);
    }
    look_at_flow();
    std::stable_sort(found_.begin(), found_.end(),
                     [](const Alert& a, const Alert& b) { return a.urgent && !b.urgent; });
    return std::move(found_);
  }

 private:
  void add(std::string name, bool urgent, std::string words) {
    found_.push_back({std::move(name), urgent, std::move(words)});
  }

  void look_at_troubles() {
    if (!from_.kafka_trouble.empty()) {
      add("kafka_away", true, "Kafka cannot be read: " + one_line(from_.kafka_trouble));
    } else if (from_.status_age && *from_.status_age > kViewNormal) {
      add("kafka_away", true,
          "Kafka has not answered for " + duration_text(*from_.status_age) +
              "; what is shown is as old as that");
    }
    if (!from_.model_trouble.empty()) {
      add("model_trouble", true,
          "the model in force cannot be loaded: " + one_line(from_.model_trouble));
    }
    if (!from_.store_trouble.empty()) {
      add("store_trouble", false,
          "predictions cannot be kept for looking up: " + one_line(from_.store_trouble));
    }
    if (!from_.push_trouble.empty()) {
      add("push_trouble", false, "records cannot be pushed: " + one_line(from_.push_trouble));
    }
    if (from_.copy_behind > kCopyBehindNormal) {
      add("copy_behind", false,
          "the kept copy of the stream is " + records_text(from_.copy_behind) +
              " behind; figures of the flow lag as much");
    }
  }

  void look_at_gate(const PipelineStatus& status) {
    const record::ControlState& state = status.control;
    if (state.version == 0 || state.gate_open()) return;
    const auto since = parse_moment(state.begun->at, clock_.wall());
    if (!since || clock_.wall() - *since <= kHaltNormal) return;
    add("halted_long", true,
        "the stream has been halted for " + duration_text(clock_.wall() - *since) + ": " +
            cause_of(*state.begun));
  }

  void look_at_members(const PipelineStatus& status) {
    const std::int64_t lag = status.lag();
    bool scorer = false;
    bool trainer = false;
    for (const auto& member : status.members) {
      if (member.silent) {
        add("member_silent", false,
            "the " + one_line(member.latest.role) + " " + one_line(member.latest.member) +
                " has not been heard of for " + duration_text(Millis(heard_ms(member, clock_))));
        continue;
      }
      scorer |= member.latest.role == "scorer";
      trainer |= member.latest.role == "trainer";
    }
    if (!scorer) {
      add("no_scorer", true,
          "no scorer is there" + (lag > 0 ? "; " + records_text(lag) + " wait" : std::string()));
    }
    if (!trainer) add("no_trainer", false, "no trainer is there: a new data set will only wait");
  }

  void look_at_flow() {
    const FlowFigures& flow = from_.flow;
    const bool open = from_.status && from_.status->control.gate_open();
    std::int64_t before = 0;
    if (flow.steps.size() > Flow::kAnswerTimeSteps) {
      before = flow.steps[flow.steps.size() - Flow::kAnswerTimeSteps - 1].lag.value_or(0);
    }
    if (open && flow.lag && before > 0) {
      const auto now = static_cast<double>(*flow.lag);
      if (now > kLagSeconds * flow.arrived_per_s &&
          now > kLagGrowth * static_cast<double>(before) && flow.arrived_per_s > 0) {
        add("lag_grows", false,
            records_text(*flow.lag) + " wait, " + std::to_string(*flow.lag - before) +
                " more than a minute ago: more arrive than are scored; start another scorer");
      }
    }
    const double answered = flow.predicted_per_s + flow.dead_per_s;
    if (flow.dead_per_s >= kDeadPerSecondMin && flow.dead_per_s > kDeadShare * answered) {
      char share[16];
      std::snprintf(share, sizeof share, "%.0f %%", 100 * flow.dead_per_s / answered);
      add("dead_letters", false,
          std::string(share) + " of what is answered are dead letters: their headers say why");
    }
  }

  const AlertSources& from_;
  Clock& clock_;
  std::vector<Alert> found_;
};

}  // namespace

std::string cause_of(const record::ControlRecord& begun) {
  if (begun.dataset) return "data set " + one_line(begun.dataset->path) + " is being trained on";
  return "a rollback to version " + std::to_string(begun.rollback_to.value_or(0));
}

AlertSources alert_sources(const LiveView* view, const std::optional<Error>& trouble,
                           Clock& clock) {
  AlertSources sources;
  if (view) {
    sources.status = &view->status;
    sources.status_age = std::chrono::duration_cast<Millis>(clock.steady() - view->looked_at);
    if (view->model_trouble) sources.model_trouble = view->model_trouble->message();
  }
  if (trouble) sources.kafka_trouble = trouble->message();
  return sources;
}

std::vector<Alert> alerts_of(const AlertSources& sources, Clock& clock) {
  return Alerts(sources, clock).take();
}

}  // namespace weir::serve
