#include "gate/training_request.h"

#include <atomic>

namespace weir::gate {
namespace {

constexpr Millis kSayTimeout{10'000};

// Told apart from every other request: of other processes by the name, of an earlier process of
// this name by the time, of this process by the number.
std::string new_id(const std::string& member, Clock& clock) {
  static std::atomic<std::uint64_t> number{0};
  return member + ":" + std::to_string(clock.wall().time_since_epoch().count()) + ":" +
         std::to_string(++number);
}

}  // namespace

Result<std::unique_ptr<TrainingRequest>> TrainingRequest::send(stream::Broker& broker,
                                                               const std::string& members_topic,
                                                               const TrainingWish& wish,
                                                               Clock& clock) {
  // First the ear, then the voice: no answer can be missed.
  auto log = WEIR_TRY(during(broker.open_log(members_topic, stream::StartAt::kEnd),
                             "opening the topic " + members_topic));
  record::MemberRecord ask;
  ask.type = record::MemberType::kAskTrain;
  ask.member = wish.member;
  ask.dataset = wish.dataset;
  ask.epoch = wish.epoch_seen;
  ask.within_ms = wish.within.count();
  ask.request = new_id(wish.member, clock);
  const auto attempt = [&]() -> Status {
    auto publisher = WEIR_TRY(broker.open_publisher());
    WEIR_TRY(publisher->send({members_topic, 0, ask.member, ask.to_json(), nullptr}));
    return publisher->flush(kSayTimeout);
  };
  WEIR_TRY(during(attempt(), "asking the trainer on " + members_topic));
  return std::unique_ptr<TrainingRequest>(new TrainingRequest(std::move(log), ask.request));
}

Result<std::optional<record::MemberRecord>> TrainingRequest::poll(Millis timeout) {
  for (const auto& entry : WEIR_TRY(log_->poll(timeout))) {
    auto record = record::MemberRecord::parse(entry.value);
    if (!record || record->type != record::MemberType::kAnswer || record->request != id_) continue;
    return std::optional(std::move(*record));
  }
  return std::optional<record::MemberRecord>();
}

}  // namespace weir::gate
