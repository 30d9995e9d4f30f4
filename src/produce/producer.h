// The producer: random rows of the live model's held-out sample, at a rate, behind the gate.
//
// A record is the flat JSON shape, its key "<version>:<row number in the data set>"; the target is
// left out, numbers are numbers, other texts strings, and what is missing is null. Rows are drawn
// with replacement, from the seed. A model that was imported without rows has none: then those of
// the model that it followed are sent, or of the one before, as long as they have all features that
// the model takes; their keys name the version that they are of.
//
// Owner: whoever drives the role. Threads: one. Errors of step(): the role is to be made anew.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/role.h"
#include "gate/control_log.h"
#include "gate/members.h"
#include "gate/waiting_notice.h"
#include "record/control_topic.h"
#include "registry/model_registry.h"
#include "stream/broker.h"

namespace weir::produce {

struct ProducerOptions {
  std::string features_topic;
  record::ControlTopic control_topic;
  std::string members_topic;
  std::string member;
  std::optional<double> rate;  // rows per second; nullopt: as fast as they go
  std::uint64_t count = 0;     // 0: no end
  std::uint64_t seed = 1;
  Millis broker_timeout{30'000};
};

struct FeatureRecord {
  std::string key;
  std::string value;
};

// The rows of a version's test.csv as records. kCorrupt where it is not what publish() wrote.
Result<std::vector<FeatureRecord>> records_of_test_csv(std::uint64_t version,
                                                       const std::string& test_csv,
                                                       const std::string& target);

// The rows of a version, or of the nearest that went before it in force and has rows with all of
// the version's features. kNotFound where there are none, with what was looked for.
Result<std::vector<FeatureRecord>> rows_to_produce(const registry::ModelRegistry& models,
                                                   std::uint64_t version);

// Rows of this process, over all lives of its producer, readable from any thread.
struct ProducerCounters {
  std::atomic<std::uint64_t> produced{0};     // taken by the client, less those given up
  std::atomic<std::uint64_t> undelivered{0};  // on their way; after the end: lost
};

class Producer final : public Role {
 public:
  // `counters` outlives the producer and goes on over its lives.
  static Result<std::unique_ptr<Producer>> open(ProducerOptions options, stream::Broker& broker,
                                                registry::ModelRegistry& models, Clock& clock,
                                                ProducerCounters& counters);
  // Rows that a failed life leaves undelivered are taken off, so that the next one makes up for
  // them.
  ~Producer() override;
  Status step(Millis wait_max, std::stop_token stop) override;
  // Waits until the last rows are acknowledged or given up (Kafka's message.timeout.ms); what is
  // lost then is counted as such.
  void finish() override;
  bool done() const { return options_.count != 0 && counters_.produced >= options_.count; }

 private:
  Producer(ProducerOptions options, stream::Broker& broker, registry::ModelRegistry& models,
           Clock& clock, ProducerCounters& counters);
  void look_for_progress();
  Status follow_control();
  Status load_rows();
  std::uint64_t rows_due();
  Status send(std::uint64_t rows);
  std::uint64_t take_off_undelivered();

  const ProducerOptions options_;
  registry::ModelRegistry& models_;
  Clock& clock_;
  ProducerCounters& counters_;

  std::unique_ptr<gate::Membership> membership_;
  std::unique_ptr<gate::ControlFollower> control_;
  std::unique_ptr<stream::RecordPublisher> publisher_;
  std::mt19937_64 random_;
  std::vector<FeatureRecord> rows_;
  std::uint64_t rows_version_ = 0;
  bool gate_open_ = false;
  SteadyTime next_row_{};  // when the next row is due, where there is a rate
  SteadyTime next_load_{};
  std::string why_no_rows_;  // told of last
  bool finished_ = false;
  gate::WaitingNotice waiting_;
};

}  // namespace weir::produce
