// bench_digest BROKERS TOPIC records                what is in a topic, as it is
// bench_digest BROKERS TOPIC features MODEL.json    also, what its predictions have to be
// bench_digest BROKERS TOPIC known VALUES VERSION   the same, from predictions that are known
// bench_digest BROKERS TOPIC predictions            what predictions are in a topic
//
// Reads the whole topic as a read_committed reader and prints one JSON line: how many records, a
// sum over them that does not depend on their order, and when the broker took them (the topics of
// the bench carry the broker's time of append). The sum is one of hashes: of key and value for
// records; of key, place of the input, model version and the bits of the prediction for
// predictions. Of "features" both sums are printed, the second from predictions computed here, by a
// parser and a dot product that share nothing with those of weir; or, of "known", taken from a file
// that has one on each line, in the order of the records of records.h. Both shapes are read. For
// programs that add in another order, whose predictions differ in the last bits, there is also a
// sum without the predictions, and the predictions' own sum.
#include <bit>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "kafka.h"
#include "records.h"

namespace weir::bench {
namespace {

struct LinearModel {
  std::vector<std::string> features;
  std::vector<double> coefficients;
  double intercept = 0;
  std::uint64_t version = 0;
};

LinearModel read_model(const char* path) {
  std::ifstream file(path);
  const auto json = nlohmann::json::parse(file);
  return {json.at("features"), json.at("coefficients"), json.at("intercept"), json.at("version")};
}

std::vector<double> read_values(const char* path) {
  std::ifstream file(path);
  std::vector<double> values;
  for (std::string line; std::getline(file, line);) {
    double value = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
    if (error != std::errc()) die("no number: " + line);
    values.push_back(value);
  }
  if (values.empty()) die(std::string("cannot read ") + path);
  return values;
}

// Walks over text that must be as expected.
class Walker {
 public:
  explicit Walker(std::string_view text) : at_(text.data()), end_(at_ + text.size()), text_(text) {}

  void literal(std::string_view expected) {
    if (!goes_on_with(expected)) wrong();
  }
  bool goes_on_with(std::string_view text) {
    if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(text))
      return false;
    at_ += text.size();
    return true;
  }
  template <typename Number>
  Number number() {
    Number value{};
    const auto [end, error] = std::from_chars(at_, end_, value);
    if (error != std::errc()) wrong();
    at_ = end;
    return value;
  }

 private:
  [[noreturn]] void wrong() { die("not as expected: " + std::string(text_)); }

  const char* at_;
  const char* end_;
  std::string_view text_;
};

struct Digest {
  std::uint64_t count = 0;
  std::uint64_t value_bytes = 0;
  std::uint64_t sum = 0;
  std::uint64_t predictions_sum = 0;
  std::uint64_t places_sum = 0;
  long double predictions_total = 0;
  std::map<std::int64_t, std::uint64_t> appended;  // how many, by the broker's clock in ms

  void add(std::string_view key, std::uint64_t version, std::int32_t partition, std::int64_t offset,
           double prediction) {
    std::uint64_t hash = mix(0, key);
    hash = mix(hash, version);
    hash = mix(hash, static_cast<std::uint64_t>(partition));
    hash = mix(hash, static_cast<std::uint64_t>(offset));
    places_sum += hash;
    predictions_sum += mix(hash, std::bit_cast<std::uint64_t>(prediction));
    predictions_total += static_cast<long double>(prediction);
  }
};

void add_expected(Digest& digest, const LinearModel& model, const rd_kafka_message_t& message) {
  Walker json(value_of(message));
  const bool columns = json.goes_on_with(R"({"sample": )");
  double prediction = model.intercept;
  for (std::size_t j = 0; j < model.features.size(); ++j) {
    json.literal(j == 0 ? R"({")" : R"(, ")");
    json.literal(model.features[j]);
    json.literal(columns ? R"(": {"0": )" : R"(": )");
    prediction += model.coefficients[j] * json.number<double>();
    if (columns) json.literal("}");
  }
  json.literal(columns ? "}}" : "}");
  digest.add(key_of(message), model.version, message.partition, message.offset, prediction);
}

void add_found(Digest& digest, const rd_kafka_message_t& message) {
  Walker json(value_of(message));
  json.literal("{\"prediction\": ");
  const bool many = json.goes_on_with("[");
  const auto prediction = json.number<double>();
  if (many) json.literal("]");
  json.literal(", \"model\": ");
  const auto version = json.number<std::uint64_t>();
  json.literal(", \"epoch\": ");
  json.number<std::uint64_t>();
  json.literal(", \"partition\": ");
  const auto partition = json.number<std::int32_t>();
  json.literal(", \"offset\": ");
  const auto offset = json.number<std::int64_t>();
  json.literal("}");
  digest.add(key_of(message), version, partition, offset, prediction);
}

template <typename Take>
Digest digest_of(const std::string& brokers, const char* topic, Take take) {
  Digest digest;
  read_topic(brokers, topic, "bench.digest", [&](const rd_kafka_message_t& message) {
    ++digest.count;
    digest.value_bytes += message.len;
    ++digest.appended[rd_kafka_message_timestamp(&message, nullptr)];
    take(digest, message);
  });
  return digest;
}

void print(const Digest& digest) {
  std::printf(
      "{\"count\": %llu, \"value_bytes\": %llu, \"sum\": \"%016llx\", "
      "\"predictions_sum\": \"%016llx\", \"places_sum\": \"%016llx\", "
      "\"predictions_total\": %.18Lg, \"appended\": [",
      static_cast<unsigned long long>(digest.count),
      static_cast<unsigned long long>(digest.value_bytes),
      static_cast<unsigned long long>(digest.sum),
      static_cast<unsigned long long>(digest.predictions_sum),
      static_cast<unsigned long long>(digest.places_sum), digest.predictions_total);
  const char* between = "";
  for (const auto& [time, count] : digest.appended) {
    std::printf("%s[%lld, %llu]", between, static_cast<long long>(time),
                static_cast<unsigned long long>(count));
    between = ", ";
  }
  std::printf("]}\n");
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  const std::string_view mode = argc > 3 ? argv[3] : "";
  if (mode == "records" && argc == 4) {
    print(digest_of(argv[1], argv[2], [](Digest& digest, const rd_kafka_message_t& message) {
      digest.sum += mix(mix(0, key_of(message)), value_of(message));
    }));
  } else if (mode == "features" && argc == 5) {
    const LinearModel model = read_model(argv[4]);
    print(digest_of(argv[1], argv[2], [&](Digest& digest, const rd_kafka_message_t& message) {
      digest.sum += mix(mix(0, key_of(message)), value_of(message));
      add_expected(digest, model, message);
    }));
  } else if (mode == "known" && argc == 6) {
    const std::vector<double> values = read_values(argv[4]);
    const auto version = static_cast<std::uint64_t>(std::atoll(argv[5]));
    print(digest_of(argv[1], argv[2], [&](Digest& digest, const rd_kafka_message_t& message) {
      digest.sum += mix(mix(0, key_of(message)), value_of(message));
      digest.add(key_of(message), version, message.partition, message.offset,
                 values[number_of(key_of(message)) % values.size()]);
    }));
  } else if (mode == "predictions" && argc == 4) {
    print(digest_of(argv[1], argv[2], add_found));
  } else {
    die("usage: bench_digest BROKERS TOPIC records|predictions|features MODEL.json|known VALUES "
        "VERSION");
  }
}
