// What weir status tells, gathered: the gate, who is there, what they wait for, and how far each
// partition is behind.
//
// It decides nothing, and asks nobody but Kafka: the control log says what rules, the members topic
// what the members have said last, the brokers where the features end and what was committed.
//
// Threads: plain values. Errors: those of stream; then there is no status.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "cli/context.h"
#include "gate/members.h"
#include "record/control.h"

namespace weir::cli {

struct PartitionStatus {
  std::int64_t committed = 0;  // the next offset that the group wants
  std::int64_t end = 0;
  std::int64_t lag() const { return end > committed ? end - committed : 0; }
  std::string member;  // who says that it holds it; empty: nobody
  std::optional<std::int64_t> last_record_age_ms;
};

struct PipelineStatus {
  record::ControlState control;
  std::vector<gate::MemberTable::Member> members;
  std::map<std::int32_t, PartitionStatus> partitions;
};

Result<PipelineStatus> look_at_pipeline(Context& context);

// How long ago a member was heard of.
std::int64_t heard_ms(const gate::MemberTable::Member& member, Clock& clock);

// The record since which the gate is as it is; none before the first model.
const record::ControlRecord* gate_since(const record::ControlState& state);

}  // namespace weir::cli
