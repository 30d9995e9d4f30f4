#include "serve/pipeline_status.h"

namespace weir::serve {
namespace {

constexpr Millis kTimeout{10'000};

}  // namespace

std::int64_t PipelineStatus::lag() const {
  std::int64_t records = 0;
  for (const auto& [number, at] : partitions) records += at.lag();
  return records;
}

std::int64_t heard_ms(const gate::MemberTable::Member& member, Clock& clock) {
  return std::chrono::duration_cast<Millis>(clock.steady() - member.last_heard).count();
}

const record::ControlRecord* gate_since(const record::ControlState& state) {
  if (state.version == 0) return nullptr;
  if (!state.gate_open()) return &*state.begun;
  return &*state.last_resume;
}

Result<std::unique_ptr<PipelineWatch>> PipelineWatch::open(
    PipelineNames names, stream::Broker& broker, Clock& clock,
    std::function<void(const record::ControlRecord&)> on_control) {
  std::unique_ptr<PipelineWatch> watch(new PipelineWatch(std::move(names), broker, clock));
  watch->control_ = WEIR_TRY(gate::ControlFollower::open(broker, watch->names_.control_topic));
  watch->control_->on_record(
      [own = watch.get(), told = std::move(on_control)](const record::ControlRecord& record) {
        own->epochs_.apply(record);
        if (told) told(record);
      });
  WEIR_TRY(watch->control_->catch_up(kTimeout));
  watch->members_ = WEIR_TRY(gate::MemberTable::open(broker, watch->names_.members_topic, clock));
  return watch;
}

Result<PipelineStatus> PipelineWatch::look() {
  PipelineStatus status;
  WEIR_TRY(control_->catch_up(kTimeout));
  status.control = control_->state();
  status.epochs = epochs_;
  WEIR_TRY(members_->refresh(kTimeout));
  status.members = members_->all();
  std::erase_if(status.members, [&](const auto& member) {
    return heard_ms(member, clock_) > record::kMemberForgotten.count();
  });
  WEIR_TRY(look_at_partitions(status));
  return status;
}

Status PipelineWatch::look_at_partitions(PipelineStatus& status) {
  const std::string& features = names_.features_topic;
  // Committed first: what is committed lies below an end that is looked up later.
  const auto committed =
      WEIR_TRY(during(broker_.committed_offsets(names_.score_group, features, kTimeout),
                      "looking up what " + names_.score_group + " has committed"));
  for (const auto& at : WEIR_TRY(during(broker_.log_ends(features, kTimeout),
                                        "looking up where " + features + " ends"))) {
    status.partitions[at.partition].end = at.next_offset;
  }
  for (const auto& at : committed) status.partitions[at.partition].committed = at.next_offset;
  for (const auto& member : status.members) {
    if (member.silent) continue;
    for (const auto& range : member.latest.progress.also_holds) {
      const auto end = status.partitions.upper_bound(range.last);
      auto at = status.partitions.lower_bound(range.first);
      for (; range.first <= range.last && at != end; ++at) at->second.member = member.latest.member;
    }
    for (const auto& told : member.latest.progress.partitions) {
      PartitionStatus& partition = status.partitions[told.partition];
      partition.member = member.latest.member;
      partition.answered = told.answered.value_or(0);
      if (!told.last_record_age_ms) continue;
      // It was that old when the member told of it.
      partition.last_record_age_ms = *told.last_record_age_ms + heard_ms(member, clock_);
    }
  }
  return {};
}

}  // namespace weir::serve
