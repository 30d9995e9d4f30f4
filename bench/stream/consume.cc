// bench_consume BROKERS TOPIC GROUP: reads a topic to its end by batches, and does nothing with it.
//
// The ceiling of all that reads: fetch, check, decompress, hand over. Prints one line of JSON: how
// many records and bytes of values, and the seconds from the first record to the end.
#include <chrono>
#include <cstdio>

#include "kafka.h"

namespace weir::bench {
namespace {

using Clock = std::chrono::steady_clock;

void consume(const std::string& brokers, const char* topic, const char* group) {
  unsigned long long records = 0;
  unsigned long long bytes = 0;
  Clock::time_point first{};
  read_topic(brokers, topic, group, [&](const rd_kafka_message_t& message) {
    if (records == 0) first = Clock::now();
    ++records;
    bytes += message.len;
  });
  std::printf("{\"records\": %llu, \"value_bytes\": %llu, \"seconds\": %.6f}\n", records, bytes,
              std::chrono::duration<double>(Clock::now() - first).count());
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  if (argc != 4) weir::bench::die("usage: bench_consume BROKERS TOPIC GROUP");
  weir::bench::consume(argv[1], argv[2], argv[3]);
}
