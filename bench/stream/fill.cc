// bench_fill BROKERS TOPIC COUNT BOSTON.csv [RATE]: fills a topic with flat JSON records of about
// 300 bytes, as fast as it goes or at RATE records a second.
//
// A record is a row of the Boston data set whose measured columns were moved by up to 5 %, written
// with 15 digits, as a program writes what it computed; the whole numbers stay as they are. The
// same count gives the same records. Keys are "record-00000000" upwards, so that the partitioner
// deals evenly and a lost or doubled record shows.
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "kafka.h"

namespace weir::bench {
namespace {

constexpr std::size_t kDistinctRecords = 50'000;  // then they come again, under other keys
constexpr int kDigits = 15;

struct Table {
  std::vector<std::string> names;
  std::vector<std::vector<std::string>> rows;
};

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> fields;
  std::stringstream stream(line);
  for (std::string field; std::getline(stream, field, ',');) fields.push_back(field);
  return fields;
}

Table read_csv(const char* path) {
  std::ifstream file(path);
  Table table;
  std::string line;
  if (std::getline(file, line)) table.names = split(line);
  while (std::getline(file, line)) table.rows.push_back(split(line));
  if (table.rows.empty()) die(std::string("cannot read ") + path);
  return table;
}

// A number between 0 and 1 (splitmix64).
double random_number(std::uint64_t& state) {
  std::uint64_t z = state += 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

std::string record_of(const Table& table, std::size_t index, std::uint64_t& random) {
  const auto& row = table.rows[index % table.rows.size()];
  std::string json = "{";
  for (std::size_t j = 0; j + 1 < table.names.size(); ++j) {  // the last column is the target
    const std::string& name = table.names[j];
    if (j > 0) json += ", ";
    json += '"' + name + "\": ";
    if (name == "chas" || name == "rad" || name == "tax") {
      json += row[j];
      continue;
    }
    const double moved = std::stod(row[j]) * (0.95 + 0.1 * random_number(random));
    char text[40];
    const auto end =
        std::to_chars(text, text + sizeof text, moved, std::chars_format::general, kDigits);
    json.append(text, end.ptr);
  }
  return json + "}";
}

// Waits until the record of this index is due.
void keep_pace(rd_kafka_t* client, std::chrono::steady_clock::time_point began, long index,
               long rate) {
  const auto due = began + std::chrono::microseconds(index * 1'000'000 / rate);
  while (std::chrono::steady_clock::now() < due) rd_kafka_poll(client, 1);
}

// A rate of 0 is as fast as it goes.
int fill(const std::string& brokers, const char* topic_name, long count, const char* csv,
         long rate) {
  const Table table = read_csv(csv);
  std::uint64_t random = 1;
  std::vector<std::string> records;
  for (std::size_t i = 0; i < kDistinctRecords; ++i) records.push_back(record_of(table, i, random));

  auto context = std::make_shared<stream::KafkaClientContext>("fill");
  context->on_delivery_error = [](const rd_kafka_message_t& message) {
    die(std::string("not delivered: ") + rd_kafka_err2str(message.err));
  };
  const auto client = must(client_factory(brokers).producer("", context));
  rd_kafka_topic_t* topic = rd_kafka_topic_new(client->get(), topic_name, nullptr);
  std::size_t bytes = 0;
  const auto began = std::chrono::steady_clock::now();
  for (long i = 0; i < count; ++i) {
    if (rate > 0) keep_pace(client->get(), began, i, rate);
    const std::string& value = records[static_cast<std::size_t>(i) % records.size()];
    char key[32];
    const int key_size = std::snprintf(key, sizeof key, "record-%08ld", i);
    while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                            const_cast<char*>(value.data()), value.size(), key,
                            static_cast<std::size_t>(key_size), nullptr) != 0) {
      if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
        must(rd_kafka_last_error(), "fill");
      rd_kafka_poll(client->get(), 5);
    }
    bytes += value.size();
  }
  must(rd_kafka_flush(client->get(), 120'000), "flushing");
  std::printf("{\"records\": %ld, \"value_bytes\": %zu}\n", count, bytes);
  rd_kafka_topic_destroy(topic);
  return 0;
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  if (argc != 5 && argc != 6) {
    weir::bench::die("usage: bench_fill BROKERS TOPIC COUNT BOSTON.csv [RATE]");
  }
  return weir::bench::fill(argv[1], argv[2], std::atol(argv[3]), argv[4],
                           argc == 6 ? std::atol(argv[5]) : 0);
}
