// bench_null_sink BROKERS TOPIC GROUP MODEL.json: scores a topic to its end, and writes nothing.
//
// What `weir score` does without the half that writes: its source, its parser, its model and its
// formatter, by its own code, with a sink that counts. Beside bench_consume it tells what scoring
// itself costs. Prints one line of JSON: how many records and bytes of predictions, and the seconds
// from the first record to the end.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "kafka.h"
#include "model/model.h"
#include "score/batch_scorer.h"
#include "stream/kafka_broker.h"

namespace weir::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kIdle{100};
constexpr std::chrono::seconds kPatience{30};
constexpr std::size_t kBatchRecords = 10'000;  // as score.batch_records_max of weir

class NullSink final : public stream::TransactionalSink {
 public:
  Status begin() override { return {}; }
  Status send(const stream::OutRecord& record) override {
    bytes += record.value.size();
    return {};
  }
  Status commit(std::string_view, std::span<const stream::PartitionOffset>,
                const stream::GroupMetadata*) override {
    return {};
  }
  Status abort() override { return {}; }

  unsigned long long bytes = 0;
};

class Nobody final : public stream::RebalanceListener {
 public:
  void on_assigned(std::span<const std::int32_t>) override {}
  void on_revoked(std::span<const std::int32_t>) override {}
  void on_lost(std::span<const std::int32_t>) override {}
};

std::shared_ptr<const model::Model> read_model(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) die(std::string("cannot read ") + path);
  return must(model::parse_model(text.str()));
}

void score(const std::string& brokers, const char* topic, const char* group,
           std::shared_ptr<const model::Model> model) {
  const auto broker = must(stream::KafkaBroker::make({{"bootstrap.servers", brokers}}));
  Nobody nobody;
  const auto source = must(broker->open_source(topic, group, group, nobody));
  score::BatchScorer scorer({"bench", topic, "predictions", "dead", group}, std::move(model), 1, 1);
  NullSink sink;
  score::ScoreCounts counts;
  Clock::time_point first{};
  Clock::time_point last = Clock::now();
  while (!source->at_end()) {
    const auto batch = must(source->poll(kBatchRecords, kIdle));
    if (batch->records().empty()) {
      if (Clock::now() - last > kPatience) die(std::string("nothing comes from ") + topic);
      continue;
    }
    last = Clock::now();
    if (counts.scored == 0) first = last;
    const score::ScoreCounts found = must(scorer.score(*batch, sink));
    counts.scored += found.scored;
    counts.dead += found.dead;
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - first).count();
  if (counts.dead > 0) die("there were dead letters");
  source->close();
  std::printf("{\"records\": %llu, \"prediction_bytes\": %llu, \"seconds\": %.6f}\n",
              static_cast<unsigned long long>(counts.scored), sink.bytes, seconds);
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  if (argc != 5) die("usage: bench_null_sink BROKERS TOPIC GROUP MODEL.json");
  score(argv[1], argv[2], argv[3], read_model(argv[4]));
}
