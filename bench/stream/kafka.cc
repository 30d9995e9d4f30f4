#include "kafka.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace weir::bench {

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

}  // namespace weir::bench
