#include "stream/kafka_broker.h"

#include "stream/kafka_client_internal.h"
#include "stream/kafka_config_internal.h"

namespace weir::stream {

KafkaBroker::KafkaBroker(std::shared_ptr<const KafkaClientFactory> factory)
    : factory_(std::move(factory)) {}

KafkaBroker::~KafkaBroker() = default;

Result<std::unique_ptr<KafkaBroker>> KafkaBroker::make(const KafkaProperties& properties,
                                                       const KafkaTimeouts& timeouts,
                                                       const CrashPoints& crash_points) {
  WEIR_TRY(check_properties(properties));
  return std::unique_ptr<KafkaBroker>(
      new KafkaBroker(std::make_shared<KafkaClientFactory>(properties, timeouts, crash_points)));
}

Status KafkaBroker::ensure_topics(const std::vector<TopicSpec>& topics, Millis timeout) {
  return ensure_kafka_topics(*factory_, topics, timeout);
}

Result<std::unique_ptr<RecordSource>> KafkaBroker::open_source(
    const std::string& topic, const std::string& group, const std::string& member,
    RebalanceListener& listener, const std::vector<std::string>& evidence) {
  return open_kafka_source(*factory_, topic, group, member, listener, evidence);
}

Result<std::unique_ptr<TransactionalSink>> KafkaBroker::open_sink(
    const std::string& transactional_id, Millis timeout, Places places) {
  return open_kafka_sink(*factory_, transactional_id, timeout, places);
}

Result<std::unique_ptr<RecordPublisher>> KafkaBroker::open_publisher() {
  return open_kafka_publisher(*factory_);
}

Result<std::unique_ptr<LogReader>> KafkaBroker::open_log(const std::string& topic, StartAt start,
                                                         std::int64_t time_ms) {
  return open_kafka_log(*factory_, topic, start, time_ms);
}

Result<std::unique_ptr<Leadership>> KafkaBroker::open_leadership(const std::string& topic,
                                                                 const std::string& group,
                                                                 const std::string& member) {
  return open_kafka_leadership(*factory_, topic, group, member);
}

Result<std::unique_ptr<TopicHistory>> KafkaBroker::open_history(const std::string& topic,
                                                                const HistoryStart& start) {
  return open_kafka_history(*factory_, topic, start);
}

Result<std::unique_ptr<TopicTail>> KafkaBroker::open_tail(const std::string& topic,
                                                          const TailStart& start) {
  return open_kafka_tail(*factory_, topic, start);
}

Result<std::vector<PartitionOffset>> KafkaBroker::committed_offsets(const std::string& group,
                                                                    const std::string& topic,
                                                                    Millis timeout) {
  return kafka_committed_offsets(*factory_, group, topic, timeout);
}

Result<std::vector<PartitionOffset>> KafkaBroker::log_ends(const std::string& topic,
                                                           Millis timeout) {
  const auto look_up = [&]() -> Result<std::vector<PartitionOffset>> {
    const auto client =
        WEIR_TRY(factory_->consumer("", "ends", std::make_shared<KafkaClientContext>("ends")));
    const int count = WEIR_TRY(kafka_partition_count(*client, to_describe(topic), timeout));
    const auto ends = WEIR_TRY(kafka_log_ends(*client, to_describe(topic), count, timeout));
    std::vector<PartitionOffset> found;
    for (int partition = 0; partition < count; ++partition) {
      found.push_back({partition, ends[static_cast<std::size_t>(partition)]});
    }
    return found;
  };
  return during(look_up(), "looking for the ends of " + topic);
}

Status KafkaBroker::fence(const std::string& transactional_id, Millis timeout) {
  return fence_kafka_producer(*factory_, transactional_id, timeout);
}

std::string kafka_version() {
  std::string features;
  if (const ConfPtr conf(rd_kafka_conf_new()); conf) {
    char text[512] = "";
    std::size_t size = sizeof text;
    if (rd_kafka_conf_get(conf.get(), "builtin.features", text, &size) == RD_KAFKA_CONF_OK) {
      features = text;
    }
  }
  return std::string("librdkafka ") + rd_kafka_version_str() + " (" + features + ")";
}

}  // namespace weir::stream
