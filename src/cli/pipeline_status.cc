#include "cli/pipeline_status.h"

#include "cli/topic_uses.h"
#include "gate/control_log.h"

namespace weir::cli {
namespace {

constexpr Millis kTimeout{10'000};

}  // namespace

std::int64_t heard_ms(const gate::MemberTable::Member& member, Clock& clock) {
  return std::chrono::duration_cast<Millis>(clock.steady() - member.last_heard).count();
}

Result<PipelineStatus> look_at_pipeline(Context& context) {
  const config::Settings& own = context.settings();
  stream::Broker* broker = WEIR_TRY(context.broker());
  WEIR_TRY(context.ensure_topics(kStatusUses));
  PipelineStatus status;
  auto control = WEIR_TRY(gate::ControlFollower::open(*broker, context.control_topic()));
  WEIR_TRY(control->catch_up(kTimeout));
  status.control = control->state();
  auto members = WEIR_TRY(gate::MemberTable::open(*broker, own.topics.members, context.clock()));
  WEIR_TRY(members->refresh(kTimeout));
  status.members = members->all();
  std::erase_if(status.members, [&](const auto& member) {
    return heard_ms(member, context.clock()) > record::kMemberForgotten.count();
  });
  const std::string& features = own.topics.features;
  // Committed first: what is committed lies below an end that is looked up later.
  const auto committed =
      WEIR_TRY(during(broker->committed_offsets(own.score.group, features, kTimeout),
                      "looking up what " + own.score.group + " has committed"));
  for (const auto& at : WEIR_TRY(during(broker->log_ends(features, kTimeout),
                                        "looking up where " + features + " ends"))) {
    status.partitions[at.partition].end = at.next_offset;
  }
  for (const auto& at : committed) status.partitions[at.partition].committed = at.next_offset;
  for (const auto& member : status.members) {
    if (member.silent) continue;
    for (const auto& told : member.latest.progress.partitions) {
      PartitionStatus& partition = status.partitions[told.partition];
      partition.member = member.latest.member;
      if (!told.last_record_age_ms) continue;
      // It was that old when the member told of it.
      partition.last_record_age_ms = *told.last_record_age_ms + heard_ms(member, context.clock());
    }
  }
  return status;
}

const record::ControlRecord* gate_since(const record::ControlState& state) {
  if (state.version == 0) return nullptr;
  if (!state.gate_open()) return &*state.begun;
  return &*state.last_resume;
}

}  // namespace weir::cli
