// The format is that of Prometheus' page "Exposition formats", text-based, version 0.0.4.
#include "serve/prometheus_text.h"

#include "base/moment.h"
#include "base/text.h"
#include "serve/metrics_page.h"
#include "serve/watch_json.h"

namespace weir::serve {
namespace {

double in_seconds(std::int64_t milliseconds) { return static_cast<double>(milliseconds) / 1000; }

void add_epochs(MetricsPage& page, const record::ControlState& state, Clock& clock) {
  page.begin_gauge("weir_gate_open", "1 where records are scored, 0 where they wait.");
  page.sample(state.gate_open() ? 1 : 0);
  const record::ControlRecord* begin = gate_since(state);
  const auto moment = begin ? parse_moment(begin->at, clock.wall()) : std::nullopt;
  if (moment) {
    page.begin_gauge("weir_gate_since_timestamp_seconds", "Since when the gate is as it is.");
    page.sample(in_seconds(moment->time_since_epoch().count()));
  }
  page.begin_gauge("weir_model_version", "The version in force, 0 before the first.");
  page.sample(static_cast<double>(state.version));
  page.begin_gauge("weir_epoch", "The epoch in force, 0 before the first.");
  page.sample(static_cast<double>(state.ruling_epoch));
  page.begin_gauge("weir_epoch_under_way",
                   "1 while a data set is trained on or a rollback is going on.");
  page.sample(state.begun ? 1 : 0);
}

void add_totals(MetricsPage& page, const PipelineStatus& status) {
  const EpochTotals& epochs = status.epochs;
  if (const auto trained = epochs.trained(status.control.version)) {
    page.gauge("weir_model_trained_timestamp_seconds",
               "When the model in force had been trained, or imported.",
               in_seconds(trained->time_since_epoch().count()));
  }
  page.begin_counter("weir_epochs_total", "Epochs that have ended, by how.");
  for (const record::Outcome outcome : EpochTotals::kOutcomes) {
    const auto found = epochs.by_outcome.find(outcome);
    page.sample(found == epochs.by_outcome.end() ? 0 : static_cast<double>(found->second),
                {{"outcome", std::string(record::outcome_name(outcome))}});
  }
  page.counter("weir_halts_total", "Halts of the stream that have ended.", epochs.halts);
  page.begin_counter("weir_halted_seconds_total", "How long the stream was halted by them all.");
  page.sample(in_seconds(epochs.halted.count()));
  page.gauge("weir_last_halt_seconds", "How long the last halt that has ended took.",
             in_seconds(epochs.last_halt.count()));
}

void add_partitions(MetricsPage& page, const PipelineStatus& status, const std::string& topic) {
  const auto each = [&](const std::string& name, const std::string& help, auto value_of) {
    page.begin_gauge(name, help);
    for (const auto& [number, at] : status.partitions) {
      const std::optional<double> value = value_of(at);
      if (value) page.sample(*value, {{"topic", topic}, {"partition", std::to_string(number)}});
    }
  };
  using Value = std::optional<double>;
  each("weir_partition_committed_offset", "The next offset that the scorers want.",
       [](const PartitionStatus& at) { return Value(static_cast<double>(at.committed)); });
  each("weir_partition_end_offset", "The offset after the last record.",
       [](const PartitionStatus& at) { return Value(static_cast<double>(at.end)); });
  each("weir_partition_lag_records", "Records that wait to be scored.",
       [](const PartitionStatus& at) { return Value(static_cast<double>(at.lag())); });
  each("weir_partition_held", "1 where a live scorer holds the partition.",
       [](const PartitionStatus& at) { return Value(at.member.empty() ? 0.0 : 1.0); });
  each("weir_partition_last_record_age_seconds",
       "The age of the last record that a scorer was handed.", [](const PartitionStatus& at) {
         return at.last_record_age_ms ? Value(in_seconds(*at.last_record_age_ms)) : Value();
       });
}

void add_members(MetricsPage& page, const PipelineStatus& status, Clock& clock) {
  const auto each = [&](const std::string& name, const std::string& help, auto value_of) {
    page.begin_gauge(name, help);
    for (const auto& member : status.members) {
      page.sample(value_of(member),
                  {{"member", member.latest.member}, {"role", member.latest.role}});
    }
  };
  using Member = gate::MemberTable::Member;
  each("weir_member_up", "1 where the member was heard of lately.",
       [](const Member& member) { return member.silent ? 0.0 : 1.0; });
  each("weir_member_heard_of_seconds", "How long ago the member was heard of.",
       [&](const Member& member) { return in_seconds(heard_ms(member, clock)); });
  each("weir_member_waiting_seconds",
       "How long the member has made no progress, 0 where it does ('weir status' says why).",
       [](const Member& member) { return in_seconds(member.latest.progress.waiting_ms); });
  each("weir_member_model_version", "The version that the member works with, 0 for none.",
       [](const Member& member) { return static_cast<double>(member.latest.progress.model); });
}

void add_scorers(MetricsPage& page, const PipelineStatus& status) {
  const auto each = [&](const std::string& name, const std::string& help, auto value_of) {
    page.begin_counter(name, help);
    for (const auto& member : status.members) {
      if (member.latest.role != "scorer") continue;
      page.sample(static_cast<double>(value_of(member.latest.progress)),
                  {{"member", member.latest.member}});
    }
  };
  each("weir_scored_records_total", "Records that became predictions, since the scorer's start.",
       [](const record::MemberProgress& progress) { return progress.scored; });
  each("weir_dead_letters_total", "Records that became dead letters, since the scorer's start.",
       [](const record::MemberProgress& progress) { return progress.dead; });
}

void add_drift(MetricsPage& page, const record::WatchReport& report) {
  page.begin_gauge("weir_watch_psi",
                   "Population stability index of a feature, the 50 foremost of them.");
  for (const auto& one : report.features) page.sample(one.psi, {{"feature", one.feature}});
  if (report.psi_max) {
    page.gauge("weir_watch_psi_bound", "Above it a feature drifts (watch.psi_max).",
               *report.psi_max);
  }
  page.gauge("weir_watch_features_drifting", "So many features drift.",
             static_cast<double>(report.drifting));
  page.gauge("weir_watch_rows", "Rows of the stream that are compared.",
             static_cast<double>(report.rows));
}

void add_accuracy(MetricsPage& page, const record::WatchedAccuracy& accuracy) {
  if (accuracy.pairs > 0) {
    page.gauge("weir_watch_live_rmse",
               "Of the last predictions whose true values have come, in the target's unit.",
               accuracy.rmse);
    page.gauge("weir_watch_live_mae",
               "Of the last predictions whose true values have come, in the target's unit.",
               accuracy.mae);
  }
  if (accuracy.rmse_max) {
    page.gauge("weir_watch_live_rmse_bound", "Above it predictions are too bad (watch.rmse_max).",
               *accuracy.rmse_max);
  }
  if (accuracy.held_out_rmse) {
    page.gauge("weir_watch_held_out_rmse", "Of the model in force, in training.",
               *accuracy.held_out_rmse);
  }
  page.counter("weir_watch_joined_total",
               "Predictions whose true values have come, of the model in force.", accuracy.joined);
  page.gauge("weir_watch_waiting_ids", "Ids that wait for their prediction or true value.",
             static_cast<double>(accuracy.waiting));
  page.counter("weir_watch_actuals_refused_total", "Records of the actuals topic that are none.",
               accuracy.refused);
}

void add_watch(MetricsPage& page, const PipelineStatus& status) {
  const gate::MemberTable::Member* watcher = watcher_of(status);
  page.gauge("weir_watch_up", "1 where a watcher was heard of lately.", watcher ? 1 : 0);
  if (!watcher) return;
  const record::WatchReport& report = *watcher->latest.progress.watch;
  page.begin_gauge("weir_watch_alarm", "1 where features drift, or predictions are too bad.");
  page.sample(report.drifting > 0 ? 1 : 0, {{"kind", "drift"}});
  page.sample(report.accuracy.too_high ? 1 : 0, {{"kind", "accuracy"}});
  add_drift(page, report);
  add_accuracy(page, report.accuracy);
}

}  // namespace

std::string prometheus_text(const PipelineStatus& status, const std::string& pipeline,
                            const std::string& features_topic, Clock& clock) {
  MetricsPage page(pipeline);
  add_epochs(page, status.control, clock);
  add_totals(page, status);
  add_partitions(page, status, features_topic);
  add_members(page, status, clock);
  add_scorers(page, status);
  add_watch(page, status);
  return page.take();
}

}  // namespace weir::serve
