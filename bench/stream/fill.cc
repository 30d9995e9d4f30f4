// bench_fill BROKERS TOPIC COUNT DATA.csv [RATE [flat|columns [ROWS.csv]]]: fills a topic with the
// records of records.h, as fast as it goes (also where RATE is 0) or at RATE records a second. The
// same numbers, each row once, go to ROWS.csv.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "kafka.h"
#include "records.h"

namespace weir::bench {
namespace {

// Waits until the record of this index is due.
void keep_pace(rd_kafka_t* client, std::chrono::steady_clock::time_point began, std::size_t index,
               long rate) {
  const auto due = began + std::chrono::microseconds(static_cast<long>(index) * 1'000'000 / rate);
  while (std::chrono::steady_clock::now() < due) rd_kafka_poll(client, 1);
}

// A rate of 0 is as fast as it goes.
void fill(const std::string& brokers, const char* topic_name, std::size_t count,
          const std::vector<std::string>& records, long rate) {
  auto context = std::make_shared<stream::KafkaClientContext>("fill");
  context->on_delivery_error = [](const rd_kafka_message_t& message) {
    die(std::string("not delivered: ") + rd_kafka_err2str(message.err));
  };
  const auto client = must(client_factory(brokers).producer("", context));
  rd_kafka_topic_t* topic = rd_kafka_topic_new(client->get(), topic_name, nullptr);
  std::size_t bytes = 0;
  const auto began = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    if (rate > 0) keep_pace(client->get(), began, i, rate);
    produce(client->get(), topic, Key(i).text(), records[i % records.size()]);
    bytes += records[i % records.size()].size();
  }
  must(rd_kafka_flush(client->get(), 120'000), "flushing");
  std::printf("{\"records\": %zu, \"value_bytes\": %zu}\n", count, bytes);
  rd_kafka_topic_destroy(topic);
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  if (argc < 5 || argc > 8) {
    die("usage: bench_fill BROKERS TOPIC COUNT DATA.csv [RATE [flat|columns [ROWS.csv]]]");
  }
  const auto shape = shape_of(argc > 6 ? argv[6] : "flat");
  const auto records = make_records(argv[4], shape, argc > 7 ? argv[7] : nullptr);
  fill(argv[1], argv[2], static_cast<std::size_t>(std::atol(argv[3])), records,
       argc > 5 ? std::atol(argv[5]) : 0);
}
