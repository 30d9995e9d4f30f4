// A Kafka cluster, by librdkafka.
//
// Owner: cli; it outlives what it opened. Threads: any for KafkaBroker; one for each thing that it
// opened. Errors: kBadConfig from make(), naming the property; the rest as in broker.h.
//
// A source joins its group under its member's name (group.instance.id), if that is of at most 249
// of a-z A-Z 0-9 . _ -; under another name it joins as nobody in particular, as leaderships do. It
// leaves when it is closed; one that is killed is waited for until session.timeout.ms (10 s), or
// until its successor comes. The name goes into client.id too, for people.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/crash_point.h"
#include "stream/broker.h"

namespace weir::stream {

using KafkaProperties = std::map<std::string, std::string>;

// Bounds on what would otherwise wait for a broker for ever. What a role names itself, as
// poll(timeout), is not here.
struct KafkaTimeouts {
  // From the first record of a transaction on, the brokers end it by themselves:
  // transaction.timeout.ms. What a scorer that died left open blocks its partitions for so long.
  Millis transaction{10000};
  Millis commit{30000};  // send offsets, flush and commit, together
  Millis abort{10000};
  Millis queue_full{30000};  // one send() while the brokers take nothing
  Millis lookup{5000};       // committed offsets, watermarks
  Millis close{10000};       // leaving a group; ending a client
};

class KafkaClientFactory;

class KafkaBroker final : public Broker {
 public:
  // Checks every property; reaches no server. A commit reaches the crash point "offsets-sent".
  static Result<std::unique_ptr<KafkaBroker>> make(const KafkaProperties& properties,
                                                   const KafkaTimeouts& timeouts = {},
                                                   const CrashPoints& crash_points = {});
  ~KafkaBroker() override;

  Status ensure_topics(const std::vector<TopicSpec>& topics, Millis timeout) override;
  Result<std::unique_ptr<RecordSource>> open_source(
      const std::string& topic, const std::string& group, const std::string& member,
      RebalanceListener& listener, const std::vector<std::string>& evidence = {}) override;
  Result<std::unique_ptr<TransactionalSink>> open_sink(const std::string& transactional_id,
                                                       Millis timeout,
                                                       Places places = Places::kNotTold) override;
  Result<std::unique_ptr<RecordPublisher>> open_publisher() override;
  Result<std::unique_ptr<LogReader>> open_log(const std::string& topic, StartAt start,
                                              std::int64_t time_ms = 0) override;
  Result<std::unique_ptr<Leadership>> open_leadership(const std::string& topic,
                                                      const std::string& group,
                                                      const std::string& member) override;
  Result<std::unique_ptr<TopicHistory>> open_history(const std::string& topic,
                                                     const HistoryStart& start) override;
  Result<std::unique_ptr<TopicTail>> open_tail(const std::string& topic,
                                               const TailStart& start) override;
  Result<std::vector<PartitionOffset>> committed_offsets(const std::string& group,
                                                         const std::string& topic,
                                                         Millis timeout) override;
  Result<std::vector<PartitionOffset>> log_ends(const std::string& topic, Millis timeout) override;
  Status fence(const std::string& transactional_id, Millis timeout) override;

 private:
  explicit KafkaBroker(std::shared_ptr<const KafkaClientFactory> factory);
  const std::shared_ptr<const KafkaClientFactory> factory_;
};

// "librdkafka 2.12.1 (gzip, snappy, ssl, …)", for `weir --version`.
std::string kafka_version();

}  // namespace weir::stream
