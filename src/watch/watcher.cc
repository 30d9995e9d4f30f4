#include "watch/watcher.h"

#include <algorithm>
#include <cstdio>

#include "base/log.h"
#include "base/text.h"
#include "base/time_text.h"
#include "format/prediction_message.h"
#include "produce/producer.h"
#include "watch/actual_message.h"

namespace weir::watch {
namespace {

constexpr Millis kIdle{100};
constexpr Millis kJudgeEvery{1'000};
constexpr Millis kLoadAgainAfter{1'000};
constexpr Millis kRequestGoodFor{600'000};
constexpr Millis kAfterRefusal{60'000};

std::string figure(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

record::MemberRecord self_of(const WatcherOptions& options) {
  record::MemberRecord self;
  self.type = record::MemberType::kTrainer;  // it has no gate, and nobody waits for it
  self.member = options.member;
  self.role = "watcher";
  return self;
}

// What comes again and again is told of the first, the tenth, the hundredth time.
bool is_power_of_ten(std::uint64_t count) {
  while (count >= 10 && count % 10 == 0) count /= 10;
  return count == 1;
}

// Every n-th, so that no more than `most` are looked at.
std::size_t stride_of(std::size_t count, std::size_t most) { return (count + most - 1) / most; }

}  // namespace

Watcher::Watcher(WatcherOptions options, stream::Broker& broker, registry::ModelRegistry& models,
                 Clock& clock)
    : options_(std::move(options)),
      broker_(broker),
      models_(models),
      clock_(clock),
      waiting_(clock, options_.member),
      accuracy_(options_.accuracy) {}

Result<std::unique_ptr<Watcher>> Watcher::open(WatcherOptions options, stream::Broker& broker,
                                               registry::ModelRegistry& models, Clock& clock) {
  std::unique_ptr<Watcher> watcher(new Watcher(std::move(options), broker, models, clock));
  const WatcherOptions& own = watcher->options_;
  const auto log = [&](const std::string& topic) {
    return during(broker.open_log(topic, stream::StartAt::kEnd), "opening the topic " + topic);
  };
  watcher->features_ = WEIR_TRY(log(own.features_topic));
  watcher->predictions_ = WEIR_TRY(log(own.predictions_topic));
  watcher->actuals_ = WEIR_TRY(log(own.actuals_topic));
  watcher->membership_ =
      WEIR_TRY(gate::Membership::open(broker, own.members_topic, self_of(own), clock));
  watcher->control_ = WEIR_TRY(gate::ControlFollower::open(broker, own.control_topic));
  WEIR_TRY(watcher->control_->catch_up(own.broker_timeout));
  return watcher;
}

Status Watcher::step(Millis wait_max, std::stop_token) {
  WEIR_TRY(control_->poll(Millis{0}));
  WEIR_TRY(follow_control());
  WEIR_TRY(read(std::min(wait_max, kIdle)));
  if (clock_.steady() >= next_judgement_) {
    next_judgement_ = clock_.steady() + kJudgeEvery;
    if (watched_) judge();
  }
  WEIR_TRY(follow_request());
  if (!wanted_because_.empty() && may_ask()) WEIR_TRY(ask_for_training());
  return membership_->heartbeat([this] {
    record::MemberProgress progress;
    progress.model = watched_ ? watched_->version : 0;
    progress.model_epoch = watched_ ? watched_->epoch : 0;
    progress.waiting_for = summary();
    progress.waiting_ms = waiting_.lasts().count();
    progress.watch = report();
    return progress;
  });
}

// ---- the model in force ----

Status Watcher::follow_control() {
  const record::ControlState& state = control_->state();
  if (state.version == 0) {
    waiting_.waits("model", "waiting for the first model", log::Level::kDebug);
    return {};
  }
  if (watched_ && watched_->version == state.version) {
    watched_->epoch = state.ruling_epoch;
    return {};
  }
  if (clock_.steady() < next_load_) return {};
  const Status loaded = load(state.version, state.ruling_epoch, state.sha256);
  if (loaded) {
    waiting_.moves();
    return {};
  }
  // The model before is no measure for what comes now.
  watched_.reset();
  next_load_ = clock_.steady() + kLoadAgainAfter;
  waiting_.waits("model",
                 "model " + std::to_string(state.version) +
                     " cannot be compared with: " + loaded.error().message(),
                 log::Level::kWarn);
  return {};
}

Status Watcher::load(std::uint64_t version, std::uint64_t epoch, const std::string& sha256) {
  const registry::LoadedModel loaded = WEIR_TRY(models_.load(version, sha256));
  const auto records = WEIR_TRY(produce::rows_to_produce(models_, version));
  const record::Schema& schema = loaded.model->schema();
  auto parser = std::make_unique<format::FeatureParser>(schema, loaded.model->inputs());
  std::vector<double> rows;
  for (const auto& record : records) {
    if (!parser->parse(record.value, rows)) {
      return fail(Code::kCorrupt, "one of its held-out rows is none: " + parser->refusal().text);
    }
  }
  const double psi_max = options_.psi_max.value_or(0);
  const double rmse_max = options_.rmse_max.value_or(0);
  watched_.emplace(Watched{
      version, epoch, loaded.model,
      loaded.manifest.has_held_out ? std::optional(loaded.manifest.held_out.rmse) : std::nullopt,
      std::move(parser),
      std::make_unique<DriftMeter>(schema.features.size(), loaded.model->inputs(), rows,
                                   options_.window),
      std::vector<Alarm>(schema.features.size(),
                         Alarm(psi_max, psi_max * options_.clear_fraction, options_.lasting)),
      std::vector<std::string>(schema.features.size()), "",
      Alarm(rmse_max, rmse_max * options_.clear_fraction, options_.lasting), "", 0, 0});
  accuracy_.clear();
  wanted_because_.clear();
  log::info("watching the stream", {{"member", options_.member},
                                    {"version", version},
                                    {"held_out_rows", rows.size() / schema.features.size()}});
  return {};
}

// ---- what comes ----

Status Watcher::read(Millis wait_max) {
  const auto features = WEIR_TRY(during(features_->poll(wait_max), "reading features"));
  const auto predictions = WEIR_TRY(during(predictions_->poll(Millis{0}), "reading predictions"));
  const auto actuals = WEIR_TRY(during(actuals_->poll(Millis{0}), "reading true values"));
  if (!watched_) return {};
  count_features(features);
  count_predictions(predictions);
  count_actuals(actuals);
  return {};
}

void Watcher::count_features(const std::vector<stream::LogEntry>& entries) {
  const std::size_t features = watched_->model->schema().features.size();
  const std::size_t stride = stride_of(entries.size(), kRowsOfStepMax);
  for (std::size_t i = 0; i < entries.size(); i += stride) {
    row_.clear();
    if (!watched_->parser->parse(entries[i].value, row_)) {
      ++watched_->features_refused;
      continue;
    }
    for (std::size_t at = 0; at < row_.size(); at += features) {
      watched_->drift->add(std::span(row_).subspan(at, features));
    }
  }
}

void Watcher::count_predictions(const std::vector<stream::LogEntry>& entries) {
  for (const auto& entry : entries) {
    if (!accuracy_.follows(entry.key)) continue;
    const auto prediction = format::parse_prediction(entry.value);
    // A record of many rows has one id for all of them.
    if (!prediction || prediction->many || prediction->model != watched_->version) continue;
    accuracy_.add_prediction(entry.key, prediction->values[0], clock_.steady());
  }
}

void Watcher::count_actuals(const std::vector<stream::LogEntry>& entries) {
  for (const auto& entry : entries) {
    const auto actual = parse_actual(entry.key, entry.value);
    if (actual) {
      accuracy_.add_actual(actual->id, actual->value, clock_.steady());
      continue;
    }
    if (!is_power_of_ten(++watched_->actuals_refused)) continue;
    log::warn("ignored a true value", {{"topic", options_.actuals_topic},
                                       {"partition", entry.partition},
                                       {"offset", entry.offset},
                                       {"so_many_ignored", watched_->actuals_refused},
                                       {"reason", actual.error()}});
  }
}

// ---- what is out of bounds ----

void Watcher::judge() {
  if (options_.psi_max) {
    const bool drifted = drifting() > 0;
    for (std::size_t i = 0; i < watched_->alarms.size(); ++i) judge_drift(i);
    const bool judged = watched_->drift->rows() >= options_.rows_min;
    if ((drifting() > 0) != drifted || (judged && watched_->drift_since.empty())) {
      watched_->drift_since = format_time(clock_.wall());
    }
  }
  if (options_.rmse_max) judge_accuracy();
  if (!any_raised()) wanted_because_.clear();
}

void Watcher::judge_drift(std::size_t feature) {
  Alarm& alarm = watched_->alarms[feature];
  const DriftMeter& drift = *watched_->drift;
  if (drift.rows() < options_.rows_min || drift.model_rows() == 0) return alarm.unknown();
  const double psi = drift.psi(feature);
  const AlarmChange change = alarm.update(psi, clock_.steady());
  std::string& since = watched_->since[feature];
  if (change != AlarmChange::kNone || since.empty()) since = format_time(clock_.wall());
  if (change == AlarmChange::kNone) return;
  const bool raised = change == AlarmChange::kRaised;
  tell(change, "feature '" + one_line(watched_->model->schema().features[feature]) + "' " +
                   (raised ? "drifts" : "drifts no more") + ": its population stability index is " +
                   figure(psi) + " over the last " + std::to_string(drift.rows()) +
                   " rows, against model " + std::to_string(watched_->version) + "'s " +
                   std::to_string(drift.model_rows()) + "; watch.psi_max is " +
                   figure(*options_.psi_max));
}

void Watcher::judge_accuracy() {
  Alarm& alarm = watched_->accuracy_alarm;
  if (accuracy_.pairs() < options_.actuals_min) return alarm.unknown();
  const double rmse = accuracy_.rmse();
  const AlarmChange change = alarm.update(rmse, clock_.steady());
  std::string& since = watched_->accuracy_since;
  if (change != AlarmChange::kNone || since.empty()) since = format_time(clock_.wall());
  if (change == AlarmChange::kNone) return;
  const bool raised = change == AlarmChange::kRaised;
  tell(change, std::string("the predictions of model ") + std::to_string(watched_->version) +
                   (raised ? " have become worse" : " are good enough again") + ": RMSE " +
                   figure(rmse) + " over the last " + std::to_string(accuracy_.pairs()) +
                   " true values; watch.rmse_max is " + figure(*options_.rmse_max));
}

void Watcher::tell(AlarmChange change, std::string words) {
  if (change == AlarmChange::kRaised) {
    log::warn(words, {{"member", options_.member}});
    if (!options_.retrain_dataset.empty()) wanted_because_ = words;
  } else {
    log::info(words, {{"member", options_.member}});
  }
  if (events_.size() == record::kEventsToldMax) events_.erase(events_.begin());
  events_.push_back({format_time(clock_.wall()), std::move(words)});
}

std::size_t Watcher::drifting() const {
  return static_cast<std::size_t>(std::count_if(watched_->alarms.begin(), watched_->alarms.end(),
                                                [](const Alarm& alarm) { return alarm.raised(); }));
}

bool Watcher::any_raised() const { return watched_->accuracy_alarm.raised() || drifting() > 0; }

// ---- a training, asked for ----

// Not while one is under way, nor soon after the last: by the control log, so that a watcher that
// is made anew does not begin anew.
bool Watcher::may_ask() const {
  const record::ControlState& state = control_->state();
  if (request_ || state.begun || clock_.steady() < ask_not_before_) return false;
  const auto last = state.last_taken_up ? parse_time(state.last_taken_up->at) : std::nullopt;
  if (!last) return true;
  const Millis elapsed = clock_.wall() - *last;
  return elapsed >= options_.retrain_interval || elapsed < Millis{0};
}

Status Watcher::ask_for_training() {
  const gate::TrainingWish wish{options_.member, options_.retrain_dataset, control_->state().epoch,
                                kRequestGoodFor};
  request_ = WEIR_TRY(gate::TrainingRequest::send(broker_, options_.members_topic, wish, clock_));
  request_until_ = clock_.steady() + kRequestGoodFor;
  ask_not_before_ = clock_.steady() + options_.retrain_interval;
  log::info("asked for a training", {{"member", options_.member},
                                     {"dataset", options_.retrain_dataset},
                                     {"because", wanted_because_}});
  return {};
}

Status Watcher::follow_request() {
  if (!request_) return {};
  const auto answer = WEIR_TRY(request_->poll(Millis{0}));
  if (answer && answer->epoch > 0) {
    tell(AlarmChange::kNone, "a training on " + one_line(answer->dataset) + " has begun as epoch " +
                                 std::to_string(answer->epoch) + ", because " + wanted_because_);
  } else if (answer) {
    log::warn("the trainer does not train as it was asked",
              {{"dataset", options_.retrain_dataset}, {"reason", answer->reason}});
    tell(AlarmChange::kNone, "the trainer does not train on " + one_line(options_.retrain_dataset) +
                                 ": " + one_line(answer->reason));
    request_.reset();
    // It may have been for a passing reason: asked again later, as long as there is reason to.
    ask_not_before_ = std::max(ask_not_before_, clock_.steady() + kAfterRefusal);
    return {};
  } else if (clock_.steady() < request_until_) {
    return {};
  } else {
    log::warn("no trainer has answered a request", {{"dataset", options_.retrain_dataset}});
    request_.reset();
    return {};  // and asks again, as long as it has reason to
  }
  request_.reset();
  wanted_because_.clear();
  return {};
}

// ---- for people ----

std::string Watcher::summary() const {
  if (!watched_) return waiting_.words();
  const DriftMeter& drift = *watched_->drift;
  std::string words;
  if (drift.rows() < options_.rows_min) {
    words = "gathers rows: " + std::to_string(drift.rows()) + " of " +
            std::to_string(options_.rows_min);
  } else {
    const auto& names = watched_->model->schema().features;
    std::size_t worst = 0;
    const std::size_t raised = drifting();
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (drift.psi(i) > drift.psi(worst)) worst = i;
    }
    words = (raised > 0 ? std::to_string(raised) + " features drift" : "no drift") +
            std::string(", PSI ") + figure(drift.psi(worst)) + " at most ('" +
            one_line(names[worst]) + "')";
  }
  if (accuracy_.pairs() == 0) return words;
  return words + "; RMSE " + figure(accuracy_.rmse()) + " of " + std::to_string(accuracy_.pairs()) +
         " true values" + (watched_->accuracy_alarm.raised() ? ", too high" : "");
}

// Those that drift, then by how far they are from the model's; as many as a heartbeat takes.
std::vector<record::WatchedFeature> Watcher::told_features() const {
  const DriftMeter& drift = *watched_->drift;
  const auto& names = watched_->model->schema().features;
  std::vector<record::WatchedFeature> features;
  for (std::size_t i = 0; i < names.size() && drift.rows() > 0; ++i) {
    features.push_back({names[i], drift.psi(i), drift.by_chance(i), watched_->alarms[i].raised(),
                        watched_->since[i]});
  }
  std::stable_sort(features.begin(), features.end(), [](const auto& a, const auto& b) {
    return a.drifts != b.drifts ? a.drifts : a.psi > b.psi;
  });
  if (features.size() > record::kFeaturesToldMax) features.resize(record::kFeaturesToldMax);
  return features;
}

record::WatchReport Watcher::report() const {
  record::WatchReport report;
  report.rows_min = options_.rows_min;
  report.psi_max = options_.psi_max;
  report.events = events_;
  report.accuracy.pairs_min = options_.actuals_min;
  report.accuracy.rmse_max = options_.rmse_max;
  if (!watched_) return report;
  report.version = watched_->version;
  report.epoch = watched_->epoch;
  report.rows = watched_->drift->rows();
  report.model_rows = watched_->drift->model_rows();
  report.refused = watched_->features_refused;
  report.features_known = watched_->alarms.size();
  report.drifting = drifting();
  report.drift_since = watched_->drift_since;
  report.features = told_features();
  report.accuracy.pairs = accuracy_.pairs();
  report.accuracy.joined = accuracy_.joined();
  report.accuracy.waiting = accuracy_.waiting();
  report.accuracy.refused = watched_->actuals_refused;
  report.accuracy.one_in = accuracy_.one_in();
  report.accuracy.rmse = accuracy_.rmse();
  report.accuracy.mae = accuracy_.mae();
  report.accuracy.held_out_rmse = watched_->held_out_rmse;
  report.accuracy.too_high = watched_->accuracy_alarm.raised();
  report.accuracy.since = watched_->accuracy_since;
  return report;
}

}  // namespace weir::watch
