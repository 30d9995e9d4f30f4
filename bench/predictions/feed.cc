// bench_feed BROKERS sqlite:FOLDER|redis://HOST:PORT COUNT: how many records a second the feed
// keeps up with, and how long questions take then.
//
// Makes three topics of 4 partitions, named after this process, fills them with COUNT feature
// records of about 300 bytes and as many predictions, as a scorer writes them (read committed,
// 1,000 to a transaction, lz4), then runs the feed on an empty store until it has caught up. One
// record and its prediction count as one. Prints one JSON line. BROKERS "memory" takes the
// in-memory twin: what store and feed cost without Kafka. The topics are left to be deleted by
// whoever runs it.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "format/prediction_message.h"
#include "predictions/prediction_feed.h"
#include "predictions/redis_prediction_store.h"
#include "predictions/sqlite_prediction_store.h"
#include "stream/kafka_broker.h"
#include "stream/memory_broker.h"

namespace weir::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::int32_t kPartitions = 4;
constexpr std::int64_t kPerTransaction = 1'000;
constexpr Millis kPatience{60'000};

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "bench_feed: %s\n", why.c_str());
  std::exit(1);
}

template <typename T>
T must(Result<T>&& result) {
  if (!result) die(result.error().message());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

double seconds_since(SteadyClock::time_point began) {
  return std::chrono::duration<double>(SteadyClock::now() - began).count();
}

std::string id_of(std::int64_t i) { return "record-" + std::to_string(i); }

std::string features_of(std::int64_t i) {
  std::string json = "{";
  for (int column = 0; column < 13; ++column) {
    json += (column ? ", \"" : "\"") + std::string("c") + std::to_string(column) +
            "\": " + std::to_string(static_cast<double>(i % 1'000) * 1.000123 + column);
  }
  return json + "}";
}

struct Topics {
  std::string features;
  std::string predictions;
  std::string dead;
};

void send(stream::TransactionalSink& sink, const std::string& topic, std::int64_t i,
          const std::string& value) {
  const std::string key = id_of(i);
  stream::OutRecord record;
  record.topic = topic;
  record.partition = static_cast<std::int32_t>(i % kPartitions);
  record.key = key;
  record.value = value;
  must(sink.send(record));
}

// Record i stands in partition i % 4; its prediction in the same. Each transaction leaves a marker,
// so that offsets are found by reading the topic.
void fill(stream::Broker& broker, const Topics& topics, std::int64_t count) {
  const auto sink = must(broker.open_sink("feedbench." + std::to_string(::getpid()), kPatience));
  for (std::int64_t i = 0; i < count;) {
    must(sink->begin());
    const std::int64_t end = std::min(count, i + kPerTransaction);
    for (; i < end; ++i) send(*sink, topics.features, i, features_of(i));
    must(sink->commit("", {}, nullptr));
  }
  auto tail = must(broker.open_tail(topics.features, {}));
  std::string json;
  for (std::int64_t i = 0; i < count;) {
    const auto batch = must(tail->poll(kPerTransaction, kPatience));
    must(sink->begin());
    for (const stream::Record& from : batch->records()) {
      record::Prediction prediction{{20.098064617498025 + static_cast<double>(i % 977)},
                                    false,
                                    1 + static_cast<std::uint64_t>(i * 3 / count),
                                    1,
                                    from.partition,
                                    from.offset};
      json.clear();
      static_cast<void>(format::append_prediction(json, prediction));
      stream::OutRecord record;
      record.topic = topics.predictions;
      record.partition = from.partition;
      record.key = from.key;
      record.value = json;
      must(sink->send(record));
      ++i;
    }
    must(sink->commit("", {}, nullptr));
  }
}

std::string percentiles(std::vector<double> milliseconds) {
  std::sort(milliseconds.begin(), milliseconds.end());
  const auto at = [&](double part) {
    return milliseconds[static_cast<std::size_t>(part *
                                                 static_cast<double>(milliseconds.size() - 1))];
  };
  char text[100];
  std::snprintf(text, sizeof text, "{\"p50_ms\": %.3f, \"p99_ms\": %.3f}", at(0.5), at(0.99));
  return text;
}

template <typename Question>
std::string ask(int times, const Question& question) {
  std::vector<double> milliseconds;
  for (int i = 0; i < times; ++i) {
    const auto began = SteadyClock::now();
    question(i);
    milliseconds.push_back(1'000 * seconds_since(began));
  }
  return percentiles(std::move(milliseconds));
}

std::string questions(predictions::PredictionStore& store, std::int64_t count) {
  std::string line;
  line += ", \"by_id\": " + ask(1'000, [&](int i) {
            if (!must(store.by_id(id_of(i * 7'919LL % count)))) die("an id is missing");
          });
  line += ", \"find_1000_ids\": " + ask(50, [&](int i) {
            std::vector<std::string> ids;
            for (int k = 0; k < 1'000; ++k) ids.push_back(id_of((i * 1'000LL + k) * 7'919 % count));
            if (!must(store.find_ids(ids))[0]) die("an id is missing");
          });
  predictions::ListQuery query;
  line += ", \"page_of_100\": " + ask(200, [&](int) {
            const auto page = must(store.list(query));
            query.cursor = page.next;
          });
  query.cursor.clear();
  query.id_prefix = "record-12";
  line += ", \"page_of_100_by_prefix\": " + ask(50, [&](int) { must(store.list(query)); });
  return line;
}

int run(const std::string& brokers, const std::string& where, std::int64_t count) {
  std::unique_ptr<stream::Broker> broker;
  if (brokers == "memory") {
    broker = std::make_unique<stream::MemoryBroker>();
  } else {
    broker = must(stream::KafkaBroker::make({{"bootstrap.servers", brokers}}));
  }
  const std::string name = "feedbench." + std::to_string(::getpid());
  const Topics topics{name + ".features", name + ".predictions", name + ".dead"};
  must(broker->ensure_topics({{topics.features, kPartitions},
                              {topics.predictions, kPartitions},
                              {topics.dead, kPartitions}},
                             kPatience));
  fill(*broker, topics, count);

  std::optional<redis::Client> client;
  std::unique_ptr<predictions::PredictionStore> store;
  if (where.starts_with("sqlite:")) {
    store = must(predictions::SqlitePredictionStore::open(
        {.folder = where.substr(7), .pipeline = name, .features_topic = topics.features}));
  } else {
    redis::ClientOptions options;
    options.address = must(redis::parse_address(where));
    client.emplace(options);
    store = std::make_unique<predictions::RedisPredictionStore>(
        *client, predictions::RedisStoreOptions{name, topics.features});
  }
  predictions::AnswerBoard board;
  predictions::FeedProgress progress;
  predictions::FeedOptions options;
  options.features_topic = topics.features;
  options.predictions_topic = topics.predictions;
  options.dead_topic = topics.dead;
  options.records_max = static_cast<std::uint64_t>(count);
  const auto began = SteadyClock::now();
  const std::clock_t cpu_began = std::clock();
  auto feed = must(
      predictions::PredictionFeed::open(options, *broker, *store, board, progress, system_clock()));
  while (progress.answers() < static_cast<std::uint64_t>(count)) {
    must(feed->step(Millis(100), {}));
    if (progress.trouble()) die(progress.trouble()->message());
  }
  const double seconds = seconds_since(began);
  const double cpu = static_cast<double>(std::clock() - cpu_began) / CLOCKS_PER_SEC;
  const auto stats = must(store->stats());
  std::printf(
      "{\"store\": \"%s\", \"brokers\": \"%s\", \"records\": %llu, \"seconds\": %.2f, "
      "\"records_per_second\": %.0f, \"cpu_seconds\": %.2f, \"bytes_per_record\": %.0f%s}\n",
      stats.kind.c_str(), brokers == "memory" ? "memory" : "kafka",
      static_cast<unsigned long long>(stats.records), seconds, static_cast<double>(count) / seconds,
      cpu, static_cast<double>(stats.bytes) / static_cast<double>(stats.records),
      questions(*store, count).c_str());
  return stats.records == static_cast<std::uint64_t>(count) ? 0 : 1;
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr,
                 "usage: bench_feed BROKERS|memory sqlite:FOLDER|redis://HOST:PORT COUNT\n");
    return 2;
  }
  return weir::bench::run(argv[1], argv[2], std::atoll(argv[3]));
}
