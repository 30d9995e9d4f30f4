#include "simulation/gateway.h"

namespace weir::simulation {
namespace {

constexpr Millis kFlushTimeout{5'000};
constexpr Millis kBetweenPushes{400};

}  // namespace

Result<std::unique_ptr<Gateway>> Gateway::open(stream::Broker& broker, const TopicNames& topics,
                                               GatewayLedger& ledger, Clock& clock,
                                               std::uint64_t seed) {
  std::unique_ptr<Gateway> gateway(new Gateway(topics, ledger, clock, seed));
  gateway->publisher_ = WEIR_TRY(broker.open_publisher());
  gateway->predictions_ =
      WEIR_TRY(broker.open_log(topics.predictions, stream::StartAt::kEarliest, 0));
  gateway->dead_ = WEIR_TRY(broker.open_log(topics.dead, stream::StartAt::kEarliest, 0));
  return gateway;
}

Status Gateway::step(Millis, std::stop_token) {
  WEIR_TRY(watch(*predictions_));
  WEIR_TRY(watch(*dead_));
  if (clock_.steady() < next_push_) return {};
  next_push_ = clock_.steady() + kBetweenPushes;
  return push();
}

Status Gateway::push() {
  if (!ledger_.pending) {
    if (ledger_.acknowledged.size() >= ledger_.wanted) return {};
    ledger_.pending = "push-" + std::to_string(ledger_.acknowledged.size());
  }
  const std::string value = make_features(random_, FeatureKind::kFlat);
  WEIR_TRY(publisher_->send({topics_.features, std::nullopt, *ledger_.pending, value, nullptr}));
  WEIR_TRY(publisher_->flush(kFlushTimeout));
  ledger_.acknowledged.push_back(*std::exchange(ledger_.pending, std::nullopt));
  return {};
}

Status Gateway::watch(stream::LogReader& answers) {
  for (const stream::LogEntry& entry : WEIR_TRY(answers.poll(Millis{0}))) {
    if (entry.key.starts_with("push-")) ledger_.answered.insert(entry.key);
  }
  return {};
}

void check_gateway(const GatewayLedger& ledger, const stream::MemoryBroker& broker,
                   const TopicNames& topics, bool answers_expected,
                   std::vector<std::string>& problems) {
  std::set<std::string> in_stream;
  for (const auto& record : broker.records(topics.features)) {
    if (record.key) in_stream.insert(*record.key);
  }
  for (const std::string& id : ledger.acknowledged) {
    if (!in_stream.contains(id))
      problems.push_back("the gateway's " + id + " was acknowledged and lost");
    if (answers_expected && !ledger.answered.contains(id)) {
      problems.push_back("the gateway never saw an answer to " + id);
    }
  }
}

}  // namespace weir::simulation
