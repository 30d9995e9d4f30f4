#include "serve/prometheus_text.h"

#include <gtest/gtest.h>

#include "base/simulated_clock.h"

namespace weir::serve {
namespace {

gate::MemberTable::Member scorer(const std::string& name, SteadyTime heard) {
  gate::MemberTable::Member member;
  member.latest.member = name;
  member.latest.role = "scorer";
  member.latest.progress.model = 3;
  member.last_heard = heard;
  return member;
}

PipelineStatus status_at(SimulatedClock& clock) {
  PipelineStatus status;
  status.control.version = 3;
  status.control.epoch = 4;
  status.control.ruling_epoch = 3;
  status.control.last_resume.emplace().at = "1970-01-01T00:00:02.500Z";
  status.members = {scorer("scorer-\"a\\b\n", clock.steady())};
  status.members[0].latest.progress.waiting_ms = 250;
  status.members[0].latest.progress.scored = 9;
  status.members[0].latest.progress.dead = 1;
  status.epochs.by_outcome[record::Outcome::kRefused] = 2;
  status.epochs.halts = 3;
  status.epochs.halted = Millis{4'500};
  status.epochs.last_halt = Millis{1'500};
  status.epochs.trained_at[3] = WallTime(Millis{7'000});
  status.partitions[0] = {10, 12, "scorer-a", 1500};
  status.partitions[1] = {7, 5, "", std::nullopt};
  clock.advance(Millis{2000});
  return status;
}

constexpr const char* kExpected =
    R"(# HELP weir_gate_open 1 where records are scored, 0 where they wait.
# TYPE weir_gate_open gauge
weir_gate_open{pipeline="p"} 1
# HELP weir_gate_since_timestamp_seconds Since when the gate is as it is.
# TYPE weir_gate_since_timestamp_seconds gauge
weir_gate_since_timestamp_seconds{pipeline="p"} 2.5
# HELP weir_model_version The version in force, 0 before the first.
# TYPE weir_model_version gauge
weir_model_version{pipeline="p"} 3
# HELP weir_epoch The epoch in force, 0 before the first.
# TYPE weir_epoch gauge
weir_epoch{pipeline="p"} 3
# HELP weir_epoch_under_way 1 while a data set is trained on or a rollback is going on.
# TYPE weir_epoch_under_way gauge
weir_epoch_under_way{pipeline="p"} 0
# HELP weir_model_trained_timestamp_seconds When the model in force had been trained, or imported.
# TYPE weir_model_trained_timestamp_seconds gauge
weir_model_trained_timestamp_seconds{pipeline="p"} 7
# HELP weir_epochs_total Epochs that have ended, by how.
# TYPE weir_epochs_total counter
weir_epochs_total{pipeline="p",outcome="trained"} 0
weir_epochs_total{pipeline="p",outcome="refused"} 2
weir_epochs_total{pipeline="p",outcome="failed"} 0
weir_epochs_total{pipeline="p",outcome="rolled_back"} 0
# HELP weir_halts_total Halts of the stream that have ended.
# TYPE weir_halts_total counter
weir_halts_total{pipeline="p"} 3
# HELP weir_halted_seconds_total How long the stream was halted by them all.
# TYPE weir_halted_seconds_total counter
weir_halted_seconds_total{pipeline="p"} 4.5
# HELP weir_last_halt_seconds How long the last halt that has ended took.
# TYPE weir_last_halt_seconds gauge
weir_last_halt_seconds{pipeline="p"} 1.5
# HELP weir_partition_committed_offset The next offset that the scorers want.
# TYPE weir_partition_committed_offset gauge
weir_partition_committed_offset{pipeline="p",topic="p.features",partition="0"} 10
weir_partition_committed_offset{pipeline="p",topic="p.features",partition="1"} 7
# HELP weir_partition_end_offset The offset after the last record.
# TYPE weir_partition_end_offset gauge
weir_partition_end_offset{pipeline="p",topic="p.features",partition="0"} 12
weir_partition_end_offset{pipeline="p",topic="p.features",partition="1"} 5
# HELP weir_partition_lag_records Records that wait to be scored.
# TYPE weir_partition_lag_records gauge
weir_partition_lag_records{pipeline="p",topic="p.features",partition="0"} 2
weir_partition_lag_records{pipeline="p",topic="p.features",partition="1"} 0
# HELP weir_partition_held 1 where a live scorer holds the partition.
# TYPE weir_partition_held gauge
weir_partition_held{pipeline="p",topic="p.features",partition="0"} 1
weir_partition_held{pipeline="p",topic="p.features",partition="1"} 0
# HELP weir_partition_last_record_age_seconds The age of the last record that a scorer was handed.
# TYPE weir_partition_last_record_age_seconds gauge
weir_partition_last_record_age_seconds{pipeline="p",topic="p.features",partition="0"} 1.5
# HELP weir_member_up 1 where the member was heard of lately.
# TYPE weir_member_up gauge
weir_member_up{pipeline="p",member="scorer-\"a\\b\n",role="scorer"} 1
# HELP weir_member_heard_of_seconds How long ago the member was heard of.
# TYPE weir_member_heard_of_seconds gauge
weir_member_heard_of_seconds{pipeline="p",member="scorer-\"a\\b\n",role="scorer"} 2
# HELP weir_member_waiting_seconds How long the member has made no progress, 0 where it does ('weir status' says why).
# TYPE weir_member_waiting_seconds gauge
weir_member_waiting_seconds{pipeline="p",member="scorer-\"a\\b\n",role="scorer"} 0.25
# HELP weir_member_model_version The version that the member works with, 0 for none.
# TYPE weir_member_model_version gauge
weir_member_model_version{pipeline="p",member="scorer-\"a\\b\n",role="scorer"} 3
# HELP weir_scored_records_total Records that became predictions, since the scorer's start.
# TYPE weir_scored_records_total counter
weir_scored_records_total{pipeline="p",member="scorer-\"a\\b\n"} 9
# HELP weir_dead_letters_total Records that became dead letters, since the scorer's start.
# TYPE weir_dead_letters_total counter
weir_dead_letters_total{pipeline="p",member="scorer-\"a\\b\n"} 1
# HELP weir_watch_up 1 where a watcher was heard of lately.
# TYPE weir_watch_up gauge
weir_watch_up{pipeline="p"} 0
)";

TEST(PrometheusText, gives_each_metric_with_help_and_type_and_its_samples_together) {
  SimulatedClock clock;
  const PipelineStatus status = status_at(clock);
  const std::string text = prometheus_text(status, "p", "p.features", clock);
  EXPECT_EQ(text, kExpected);
}

TEST(PrometheusText, says_that_the_gate_is_closed_before_the_first_model) {
  SimulatedClock clock;
  const std::string text = prometheus_text({}, "p", "p.features", clock);
  EXPECT_NE(text.find("weir_gate_open{pipeline=\"p\"} 0\n"), std::string::npos);
  EXPECT_EQ(text.find("weir_gate_since"), std::string::npos);
}

// Offsets stay digits, whatever their size: no exponent of a shortest double that rounds.
TEST(PrometheusText, gives_offsets_exactly) {
  SimulatedClock clock;
  PipelineStatus status;
  status.partitions[0].end = 100'000'000'000'001;
  const std::string text = prometheus_text(status, "p", "f", clock);
  EXPECT_NE(text.find("weir_partition_end_offset{pipeline=\"p\",topic=\"f\",partition=\"0\"} "
                      "100000000000001\n"),
            std::string::npos)
      << text;
}

}  // namespace
}  // namespace weir::serve
