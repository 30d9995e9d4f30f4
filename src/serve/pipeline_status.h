// How a pipeline gets on, gathered: the gate, who is there, what they wait for, and how far each
// partition is behind.
//
// It decides nothing, and asks nobody but Kafka: the control log says what rules, the members topic
// what the members have said last, the brokers where the features end and what was committed.
//
// Owner: a command, or the gateway for as long as it runs. Threads: one. Errors: those of stream;
// then there is no status, and a watch can be asked again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "gate/control_log.h"
#include "gate/members.h"
#include "record/control.h"
#include "serve/epoch_totals.h"

namespace weir::serve {

struct PartitionStatus {
  std::int64_t committed = 0;  // the next offset that the group wants
  std::int64_t end = 0;
  std::string member;  // who says that it holds it; empty: nobody
  std::optional<std::int64_t> last_record_age_ms;
  // Who holds it has said that every record below is answered; 0 where nobody has. It may lie
  // behind what is committed, over the marks of transactions, which take offsets, too.
  std::int64_t answered = 0;

  std::int64_t scored_up_to() const { return std::max(committed, answered); }
  std::int64_t lag() const { return std::max<std::int64_t>(end - scored_up_to(), 0); }
};

struct PipelineStatus {
  record::ControlState control;
  EpochTotals epochs;
  std::vector<gate::MemberTable::Member> members;
  std::map<std::int32_t, PartitionStatus> partitions;
  std::int64_t lag() const;  // of all partitions together
};

struct PipelineNames {
  record::ControlTopic control_topic;
  std::string members_topic;
  std::string features_topic;
  std::string score_group;
};

class PipelineWatch {
 public:
  // `on_control` hears of each record of the control log, from its beginning.
  static Result<std::unique_ptr<PipelineWatch>> open(
      PipelineNames names, stream::Broker& broker, Clock& clock,
      std::function<void(const record::ControlRecord&)> on_control = nullptr);

  // The control log alone: true where something has come.
  Result<bool> poll(Millis timeout) { return control_->poll(timeout); }
  const record::ControlState& control() const { return control_->state(); }
  // All of it, as it is now.
  Result<PipelineStatus> look();

 private:
  PipelineWatch(PipelineNames names, stream::Broker& broker, Clock& clock)
      : names_(std::move(names)), broker_(broker), clock_(clock) {}
  Status look_at_partitions(PipelineStatus& status);

  const PipelineNames names_;
  stream::Broker& broker_;
  Clock& clock_;
  EpochTotals epochs_;
  std::unique_ptr<gate::ControlFollower> control_;
  std::unique_ptr<gate::MemberTable> members_;
};

// How long ago a member was heard of.
std::int64_t heard_ms(const gate::MemberTable::Member& member, Clock& clock);

// The record since which the gate is as it is; none before the first model.
const record::ControlRecord* gate_since(const record::ControlState& state);

}  // namespace weir::serve
