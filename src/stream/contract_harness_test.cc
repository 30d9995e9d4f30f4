#include <librdkafka/rdkafka.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "stream/contract_harness_internal.h"
#include "stream/kafka_broker.h"

namespace weir::stream {
namespace {

int next_number() {
  static std::atomic<int> number{0};
  return ++number;
}

class MemoryHarness final : public Harness {
 public:
  Broker& broker() override { return broker_; }
  std::string fresh(const std::string& name) override { return name; }
  void delete_records_before(const std::string& topic, std::int32_t partition,
                             std::int64_t offset) override {
    broker_.delete_records_before(topic, partition, offset);
  }
  void delete_topic(const std::string& topic) override { broker_.delete_topic(topic); }
  void add_partitions(const std::string& topic, std::int32_t count) override {
    broker_.add_partitions(topic, count);
  }
  void crash_once_offsets_are_sent() override { broker_.fail_commit(1, CommitFault::kOffsetsSent); }
  std::int64_t committed(const std::string& group, const std::string& topic,
                         std::int32_t partition) override {
    const auto offsets = broker_.committed(group, topic);
    const auto found = offsets.find(partition);
    return found == offsets.end() ? -1 : found->second;
  }

 private:
  MemoryBroker broker_;
};

// Deletes what it made.
class KafkaHarness final : public Harness {
 public:
  explicit KafkaHarness(const std::string& servers) {
    const CrashPoints crash_points([this](std::string_view place) {
      if (place == "offsets-sent" && std::exchange(crash_, false)) throw SimulatedCrash{place};
    });
    auto made = KafkaBroker::make({{"bootstrap.servers", servers}, {"session.timeout.ms", "6000"}},
                                  {}, crash_points);
    EXPECT_TRUE(made) << made.error().message();
    broker_ = std::move(*made);
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", servers.c_str(), nullptr, 0);
    admin_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0);
    queue_ = rd_kafka_queue_new(admin_);
    servers_ = servers;
  }

  ~KafkaHarness() override {
    std::vector<rd_kafka_DeleteTopic_t*> topics;
    for (const auto& name : names_) topics.push_back(rd_kafka_DeleteTopic_new(name.c_str()));
    if (!topics.empty()) {
      rd_kafka_DeleteTopics(admin_, topics.data(), topics.size(), nullptr, queue_);
      wait();
      rd_kafka_DeleteTopic_destroy_array(topics.data(), topics.size());
    }
    rd_kafka_queue_destroy(queue_);
    rd_kafka_destroy(admin_);
  }

  Broker& broker() override { return *broker_; }
  void crash_once_offsets_are_sent() override { crash_ = true; }

  std::string fresh(const std::string& name) override {
    names_.push_back(
        "streamtest." + std::to_string(getpid()) + "." +
        std::to_string(std::chrono::system_clock::now().time_since_epoch().count() % 1000000007) +
        "." + std::to_string(next_number()) + "." + name);
    return names_.back();
  }

  void delete_records_before(const std::string& topic, std::int32_t partition,
                             std::int64_t offset) override {
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic.c_str(), partition)->offset = offset;
    rd_kafka_DeleteRecords_t* wish = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(admin_, &wish, 1, nullptr, queue_);
    wait();
    rd_kafka_DeleteRecords_destroy(wish);
    rd_kafka_topic_partition_list_destroy(list);
  }

  void delete_topic(const std::string& topic) override {
    rd_kafka_DeleteTopic_t* wish = rd_kafka_DeleteTopic_new(topic.c_str());
    rd_kafka_DeleteTopics(admin_, &wish, 1, nullptr, queue_);
    wait();
    rd_kafka_DeleteTopic_destroy(wish);
    // Brokers that have not heard of it yet would answer for the topic that was.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(15);
    while (broker_->log_ends(topic, Millis(5000)) && std::chrono::steady_clock::now() < deadline) {
    }
  }

  void add_partitions(const std::string& topic, std::int32_t count) override {
    char reason[256] = "";
    rd_kafka_NewPartitions_t* wish = rd_kafka_NewPartitions_new(
        topic.c_str(), static_cast<std::size_t>(count), reason, sizeof reason);
    rd_kafka_CreatePartitions(admin_, &wish, 1, nullptr, queue_);
    wait();
    rd_kafka_NewPartitions_destroy(wish);
  }

  std::int64_t committed(const std::string& group, const std::string& topic,
                         std::int32_t partition) override {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", servers_.c_str(), nullptr, 0);
    rd_kafka_conf_set(conf, "group.id", group.c_str(), nullptr, 0);
    rd_kafka_t* client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, nullptr, 0);
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic.c_str(), partition);
    EXPECT_EQ(rd_kafka_committed(client, list, 10000), RD_KAFKA_RESP_ERR_NO_ERROR);
    const std::int64_t offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(client);
    return offset < 0 ? -1 : offset;
  }

 private:
  void wait() {
    rd_kafka_event_t* event = rd_kafka_queue_poll(queue_, 10000);
    ASSERT_NE(event, nullptr);
    EXPECT_EQ(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(event);
  }

  std::string servers_;
  bool crash_ = false;
  std::unique_ptr<KafkaBroker> broker_;
  rd_kafka_t* admin_ = nullptr;
  rd_kafka_queue_t* queue_ = nullptr;
  std::vector<std::string> names_;
};

}  // namespace

std::unique_ptr<Harness> make_memory_harness() { return std::make_unique<MemoryHarness>(); }
std::unique_ptr<Harness> make_kafka_harness(const std::string& servers) {
  return std::make_unique<KafkaHarness>(servers);
}

std::string contract_name(const ::testing::TestParamInfo<std::string>& info) { return info.param; }

void BrokerContract::SetUp() {
  if (GetParam() == "memory") {
    harness_ = make_memory_harness();
    return;
  }
  const char* servers = std::getenv("WEIR_TEST_KAFKA");
  if (!servers || !*servers) {
    GTEST_SKIP() << "WEIR_TEST_KAFKA=host:port is not set: not run against a real Kafka";
  }
  harness_ = make_kafka_harness(servers);
}

std::string BrokerContract::make_topic(const std::string& name, std::int32_t partitions) {
  const std::string topic = harness_->fresh(name);
  const Status made = broker().ensure_topics({{topic, partitions, false}}, Millis(20000));
  EXPECT_TRUE(made) << made.error().message();
  return topic;
}

void BrokerContract::write(const std::string& topic, const std::vector<std::string>& values,
                           std::int32_t partition) {
  auto publisher = broker().open_publisher();
  ASSERT_TRUE(publisher) << publisher.error().message();
  for (const auto& value : values) {
    OutRecord record;
    record.topic = topic;
    record.partition = partition;
    record.value = value;
    WEIR_ASSERT_OK((*publisher)->send(record));
  }
  WEIR_ASSERT_OK((*publisher)->flush(Millis(15000)));
}

std::unique_ptr<TransactionalSink> BrokerContract::sink(const std::string& id) {
  auto opened = broker().open_sink(id, Millis(20000));
  EXPECT_TRUE(opened) << opened.error().message();
  return opened ? std::move(*opened) : nullptr;
}

std::unique_ptr<RecordSource> BrokerContract::source(const std::string& topic,
                                                     const std::string& group,
                                                     const std::string& member,
                                                     RebalanceListener& listener) {
  auto opened = broker().open_source(topic, group, member, listener);
  EXPECT_TRUE(opened) << opened.error().message();
  return opened ? std::move(*opened) : nullptr;
}

std::vector<std::string> BrokerContract::take(RecordSource& source, std::size_t count,
                                              Millis limit) {
  std::vector<std::string> values;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (values.size() < count && std::chrono::steady_clock::now() < deadline) {
    auto batch = source.poll(count - values.size(), Millis(100));
    if (!batch) {
      ADD_FAILURE() << batch.error().message();
      break;
    }
    for (const Record& record : (*batch)->records()) values.emplace_back(record.value);
  }
  return values;
}

std::unique_ptr<RecordBatch> BrokerContract::take_one(RecordSource& source) {
  const auto deadline = std::chrono::steady_clock::now() + Millis(15000);
  while (std::chrono::steady_clock::now() < deadline) {
    auto batch = source.poll(1, Millis(100));
    if (!batch) {
      ADD_FAILURE() << batch.error().message();
      return nullptr;
    }
    if (!(*batch)->records().empty()) return std::move(*batch);
  }
  ADD_FAILURE() << "no record came";
  return nullptr;
}

bool BrokerContract::poll_until(const std::vector<RecordSource*>& sources,
                                const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + Millis(30000);
  while (std::chrono::steady_clock::now() < deadline) {
    for (RecordSource* source : sources) {
      auto batch = source->poll(100, Millis(20));
      if (!batch) {
        ADD_FAILURE() << batch.error().message();
        return false;
      }
    }
    if (done()) return true;
  }
  return false;
}

Status BrokerContract::commit(TransactionalSink& out, const std::string& topic,
                              const RecordBatch& batch) {
  const Record& last = batch.records().back();
  const PartitionOffset offset{last.partition, last.offset + 1};
  if (auto begun = out.begin(); !begun) return begun;
  return out.commit(topic, {&offset, 1}, batch.group().get());
}

std::vector<std::string> BrokerContract::visible(const std::string& topic) {
  std::vector<std::string> values;
  auto reader = broker().open_log(topic, StartAt::kEarliest);
  EXPECT_TRUE(reader) << reader.error().message();
  if (!reader) return values;
  auto entries = (*reader)->read_to_end(Millis(10000));
  EXPECT_TRUE(entries) << entries.error().message();
  if (!entries) return values;
  for (const LogEntry& entry : *entries) values.push_back(entry.value);
  return values;
}

}  // namespace weir::stream
