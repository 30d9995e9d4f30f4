#include "gate/members.h"

#include <algorithm>

#include "base/log.h"

namespace weir::gate {
namespace {

constexpr Millis kSayTimeout{10'000};
constexpr Millis kLeaveTimeout{1'000};
constexpr std::size_t kRequestsMax = 100;

}  // namespace

Result<std::unique_ptr<Membership>> Membership::open(stream::Broker& broker,
                                                     const std::string& topic,
                                                     record::MemberRecord self, Clock& clock) {
  auto publisher = WEIR_TRY(during(broker.open_publisher(), "opening the topic " + topic));
  std::unique_ptr<Membership> membership(
      new Membership(std::move(publisher), topic, std::move(self), clock));
  WEIR_TRY(membership->say(membership->self_.type, 0));
  return membership;
}

Status Membership::say(record::MemberType type, std::uint64_t epoch,
                       record::MemberProgress progress) {
  record::MemberRecord record = self_;
  record.type = type;
  record.epoch = epoch;
  record.progress = std::move(progress);
  const std::string value = record.to_json();
  const auto attempt = [&]() -> Status {
    WEIR_TRY(publisher_->send({topic_, 0, self_.member, value, nullptr}));
    return publisher_->flush(type == record::MemberType::kLeft ? kLeaveTimeout : kSayTimeout);
  };
  last_said_ = clock_.steady();
  return during(attempt(), "telling the trainer on " + topic_);
}

Status Membership::heartbeat(const std::function<record::MemberProgress()>& progress) {
  if (clock_.steady() - last_said_ < record::kMemberHeartbeat) return {};
  if (halted_epoch_ != 0) return say(record::MemberType::kHalted, halted_epoch_, progress());
  return say(self_.type, 0, progress());
}

Status Membership::acknowledge_halt(std::uint64_t epoch) {
  if (halted_epoch_ == epoch) return {};
  WEIR_TRY(say(record::MemberType::kHalted, epoch));
  halted_epoch_ = epoch;
  return {};
}

void Membership::leave() {
  auto said = say(record::MemberType::kLeft, 0);
  if (!said) log::debug("could not say goodbye", {{"reason", said.error()}});
}

Result<std::unique_ptr<MemberTable>> MemberTable::open(stream::Broker& broker,
                                                       const std::string& topic, Clock& clock) {
  const Millis back = record::kMemberForgotten + record::kClockSkewMax;
  const std::int64_t since = (clock.wall().time_since_epoch() - back).count();
  auto log = WEIR_TRY(
      during(broker.open_log(topic, stream::StartAt::kTime, since), "opening the topic " + topic));
  return std::unique_ptr<MemberTable>(new MemberTable(std::move(log), topic, clock));
}

Status MemberTable::refresh(Millis timeout) {
  const auto entries =
      WEIR_TRY(during(log_->read_to_end(timeout), "reading the members topic " + topic_));
  for (const auto& entry : entries) apply(entry);
  first_read_ = false;
  last_refresh_ = clock_.steady();
  for (auto* heard : {&members_, &trainers_}) {
    for (auto& [name, member] : *heard) {
      member.silent = clock_.steady() - member.last_heard > record::kMemberSilence;
    }
    std::erase_if(*heard, [&](const auto& item) {
      const Member& member = item.second;
      const bool nothing_to_fence = member.silent && member.latest.transactional_id.empty();
      return nothing_to_fence || clock_.steady() - member.last_read > record::kMemberForgotten;
    });
  }
  return {};
}

Millis MemberTable::age_of(const stream::LogEntry& entry) const {
  const Millis age = clock_.wall().time_since_epoch() - Millis{entry.timestamp_ms};
  const Millis age_max = first_read_
                             ? record::kMemberForgotten + record::kClockSkewMax
                             : std::chrono::duration_cast<Millis>(clock_.steady() - last_refresh_);
  return std::clamp(age, Millis{0}, age_max);
}

void MemberTable::apply(const stream::LogEntry& entry) {
  auto record = record::MemberRecord::parse(entry.value);
  if (!record) {
    log::warn("ignored a record on the members topic",
              {{"topic", topic_}, {"offset", entry.offset}, {"reason", record.error()}});
    return;
  }
  switch (record->type) {
    case record::MemberType::kLeft:
      members_.erase(record->member);
      trainers_.erase(record->member);
      return;
    case record::MemberType::kAskTrain:
    case record::MemberType::kAskRollback:
      if (requests_.size() < kRequestsMax) {
        requests_.push_back({std::move(*record), clock_.steady() - age_of(entry)});
      }
      return;
    case record::MemberType::kAnswer:
      // A new leader reads again what the one before has answered.
      std::erase_if(requests_, [&](const Request& request) {
        return !record->request.empty() && request.record.request == record->request;
      });
      return;
    case record::MemberType::kAlive:
    case record::MemberType::kHalted: return hear(members_, std::move(*record), entry);
    case record::MemberType::kTrainer: return hear(trainers_, std::move(*record), entry);
  }
}

void MemberTable::hear(std::map<std::string, Member>& heard, record::MemberRecord record,
                       const stream::LogEntry& entry) const {
  Member& member = heard[record.member];
  member.halted_epoch = record.type == record::MemberType::kHalted ? record.epoch : 0;
  member.last_heard = clock_.steady();
  member.last_read = member.last_heard;
  // What a new leader finds may be minutes old; what comes later was said since the last look.
  if (first_read_) member.last_heard -= age_of(entry);
  member.latest = std::move(record);
}

std::vector<MemberTable::Member> MemberTable::not_halted(std::uint64_t epoch) const {
  std::vector<Member> waiting;
  for (const auto& [name, member] : members_) {
    if (member.halted_epoch != epoch) waiting.push_back(member);
  }
  return waiting;
}

std::size_t MemberTable::live_count() const {
  return static_cast<std::size_t>(std::count_if(
      members_.begin(), members_.end(), [](const auto& item) { return !item.second.silent; }));
}

std::vector<MemberTable::Member> MemberTable::all() const {
  std::vector<Member> found;
  for (const auto* heard : {&members_, &trainers_}) {
    for (const auto& [name, member] : *heard) found.push_back(member);
  }
  return found;
}

std::optional<MemberTable::Request> MemberTable::take_request() {
  if (requests_.empty()) return std::nullopt;
  Request request = std::move(requests_.front());
  requests_.erase(requests_.begin());
  return request;
}

}  // namespace weir::gate
