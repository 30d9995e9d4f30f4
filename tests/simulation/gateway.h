// Stands for a gateway: takes messages from outside, pushes them to the stream under ids, tells the
// sender once the broker has them, tries again where it does not know, and watches for the answers.
//
// Owner: an actor; broker, clock and ledger outlive it. The ledger is what the senders know: it
// survives the process. Threads: one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/role.h"
#include "simulation/data_sets.h"
#include "simulation/watched_broker.h"

namespace weir::simulation {

struct GatewayLedger {
  std::uint64_t wanted = 0;               // messages in all
  std::optional<std::string> pending;     // taken, and not acknowledged: its sender tries again
  std::vector<std::string> acknowledged;  // ids: these must never be lost
  std::set<std::string> answered;         // ids of which a prediction or a dead letter was seen
};

class Gateway final : public Role {
 public:
  static Result<std::unique_ptr<Gateway>> open(stream::Broker& broker, const TopicNames& topics,
                                               GatewayLedger& ledger, Clock& clock,
                                               std::uint64_t seed);
  Status step(Millis wait_max, std::stop_token stop) override;
  void finish() override {}

 private:
  Gateway(const TopicNames& topics, GatewayLedger& ledger, Clock& clock, std::uint64_t seed)
      : topics_(topics), ledger_(ledger), clock_(clock), random_(seed) {}
  Status push();
  Status watch(stream::LogReader& answers);

  const TopicNames& topics_;
  GatewayLedger& ledger_;
  Clock& clock_;
  Random random_;
  std::unique_ptr<stream::RecordPublisher> publisher_;
  std::unique_ptr<stream::LogReader> predictions_;
  std::unique_ptr<stream::LogReader> dead_;
  SteadyTime next_push_{};
};

// Every message that was acknowledged is in the stream; where the gate is open, its answer was
// seen.
void check_gateway(const GatewayLedger& ledger, const stream::MemoryBroker& broker,
                   const TopicNames& topics, bool answers_expected,
                   std::vector<std::string>& problems);

}  // namespace weir::simulation
