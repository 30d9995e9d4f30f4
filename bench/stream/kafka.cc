#include "kafka.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <vector>

namespace weir::bench {
namespace {

constexpr int kAskTimeoutMs = 30'000;
constexpr std::size_t kRecordsPerPoll = 10'000;

}  // namespace

void die(std::string_view what) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(what.size()), what.data());
  std::exit(1);
}

void must(rd_kafka_error_t* error, std::string_view what) {
  if (error) die(std::string(what) + ": " + rd_kafka_error_string(error));
}

void must(rd_kafka_resp_err_t error, std::string_view what) {
  if (error) die(std::string(what) + ": " + rd_kafka_err2str(error));
}

stream::KafkaClientFactory client_factory(const std::string& brokers) {
  return stream::KafkaClientFactory({{"bootstrap.servers", brokers}}, {});
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9E3779B97F4A7C15U;
  return hash ^ (hash >> 32);
}

std::uint64_t mix(std::uint64_t hash, std::string_view bytes) {
  hash = mix(hash, bytes.size());
  while (!bytes.empty()) {
    std::uint64_t word = 0;
    const std::size_t count = std::min(bytes.size(), sizeof word);
    std::memcpy(&word, bytes.data(), count);
    hash = mix(hash, word);
    bytes.remove_prefix(count);
  }
  return hash;
}

stream::PartitionListPtr all_partitions(rd_kafka_t* client, const char* topic) {
  const rd_kafka_metadata_t* metadata = nullptr;
  rd_kafka_topic_t* handle = rd_kafka_topic_new(client, topic, nullptr);
  must(rd_kafka_metadata(client, 0, handle, &metadata, kAskTimeoutMs), "asking for partitions");
  const int count = metadata->topics[0].partition_cnt;
  rd_kafka_metadata_destroy(metadata);
  rd_kafka_topic_destroy(handle);
  if (count == 0) die(std::string("there is no topic ") + topic);
  stream::PartitionListPtr list(rd_kafka_topic_partition_list_new(count));
  for (int i = 0; i < count; ++i) {
    rd_kafka_topic_partition_list_add(list.get(), topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
  }
  return list;
}

void produce(rd_kafka_t* client, rd_kafka_topic_t* topic, std::string_view key,
             std::string_view value) {
  while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                          const_cast<char*>(value.data()), value.size(), key.data(), key.size(),
                          nullptr) != 0) {
    if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      must(rd_kafka_last_error(), "producing");
    }
    rd_kafka_poll(client, 1);
  }
}

std::span<rd_kafka_message_t* const> poll_batch(rd_kafka_queue_t* queue,
                                                std::vector<rd_kafka_message_t*>& messages,
                                                int timeout_ms) {
  ssize_t count = rd_kafka_consume_batch_queue(queue, 0, messages.data(), messages.size());
  if (count == 0) {  // it waits until the array is full: ask for one
    count = rd_kafka_consume_batch_queue(queue, timeout_ms, messages.data(), 1);
  }
  if (count < 0) die("consume_batch_queue failed");
  return {messages.data(), static_cast<std::size_t>(count)};
}

void read_topic(const std::string& brokers, const char* topic, const std::string& name,
                const std::function<void(const rd_kafka_message_t&)>& take) {
  const auto client = must(client_factory(brokers).consumer(
      name, name, std::make_shared<stream::KafkaClientContext>(name)));
  const stream::QueuePtr queue(rd_kafka_queue_get_consumer(client->get()));
  const stream::PartitionListPtr partitions = all_partitions(client->get(), topic);
  must(rd_kafka_assign(client->get(), partitions.get()), "assigning");
  std::vector<rd_kafka_message_t*> messages(kRecordsPerPoll);
  std::set<std::int32_t> ended;
  while (ended.size() < static_cast<std::size_t>(partitions->cnt)) {
    const auto batch = poll_batch(queue.get(), messages, kAskTimeoutMs);
    if (batch.empty()) die(std::string("nothing comes from ") + topic);
    for (rd_kafka_message_t* const message : batch) {
      if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        // A transaction that was committed just now has its mark in some partitions later than in
        // others; until then the end is before its records. The end is told again after them.
        std::int64_t low = 0;
        std::int64_t high = 0;
        must(rd_kafka_get_watermark_offsets(client->get(), topic, message->partition, &low, &high),
             "asking for the end");
        if (message->offset >= high) ended.insert(message->partition);
      } else {
        must(message->err, "reading");
        take(*message);
      }
      rd_kafka_message_destroy(message);
    }
  }
}

}  // namespace weir::bench
