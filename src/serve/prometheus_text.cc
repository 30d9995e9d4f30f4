// The format is that of Prometheus' page "Exposition formats", text-based, version 0.0.4.
#include "serve/prometheus_text.h"

#include "base/moment.h"
#include "base/text.h"
#include "serve/metrics_page.h"

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

}  // namespace

std::string prometheus_text(const PipelineStatus& status, const std::string& pipeline,
                            const std::string& features_topic, Clock& clock) {
  MetricsPage page(pipeline);
  add_epochs(page, status.control, clock);
  add_partitions(page, status, features_topic);
  add_members(page, status, clock);
  return page.take();
}

}  // namespace weir::serve
