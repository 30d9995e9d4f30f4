// bench_consume BROKERS TOPIC GROUP: reads a topic to its end by batches, and does nothing with it.
//
// The ceiling of all that reads: fetch, check, decompress, hand over. Prints one line of JSON: how
// many records and bytes of values, and the seconds from the first batch to the last.
#include <chrono>
#include <cstdio>
#include <vector>

#include "kafka.h"

namespace weir::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kRecordsPerPoll = 10'000;
constexpr int kPatienceMs = 30'000;

void consume(const std::string& brokers, const char* topic, const char* group) {
  const auto client = must(client_factory(brokers).consumer(
      group, group, std::make_shared<stream::KafkaClientContext>("consume")));
  const stream::QueuePtr queue(rd_kafka_queue_get_consumer(client->get()));
  const stream::PartitionListPtr partitions = all_partitions(client->get(), topic);
  must(rd_kafka_assign(client->get(), partitions.get()), "assigning");
  std::vector<rd_kafka_message_t*> messages(kRecordsPerPoll);
  unsigned long long records = 0;
  unsigned long long bytes = 0;
  Clock::time_point first{};
  for (int ended = 0; ended < partitions->cnt;) {
    ssize_t count = rd_kafka_consume_batch_queue(queue.get(), 0, messages.data(), messages.size());
    if (count == 0) {
      count = rd_kafka_consume_batch_queue(queue.get(), kPatienceMs, messages.data(), 1);
    }
    if (count <= 0) die(std::string("nothing comes from ") + topic);
    if (records == 0) first = Clock::now();
    for (ssize_t i = 0; i < count; ++i) {
      rd_kafka_message_t* message = messages[static_cast<std::size_t>(i)];
      if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        ++ended;
      } else {
        must(message->err, "reading");
        ++records;
        bytes += message->len;
      }
      rd_kafka_message_destroy(message);
    }
  }
  std::printf("{\"records\": %llu, \"value_bytes\": %llu, \"seconds\": %.6f}\n", records, bytes,
              std::chrono::duration<double>(Clock::now() - first).count());
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  if (argc != 4) weir::bench::die("usage: bench_consume BROKERS TOPIC GROUP");
  weir::bench::consume(argv[1], argv[2], argv[3]);
}
