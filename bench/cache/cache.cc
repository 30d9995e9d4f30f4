// The cache of predictions in front of models of several sizes, beside the same models alone, on
// one thread: batches of 1,000 rows as a scorer asks for them. Every value is compared with the
// model's, bit for bit, outside the time. Contestants take turns, and a ratio is taken within each
// round.
//
//   bench_cache ROUNDS ROWS [HOST PORT]     prints JSON, a line for each case
//
// With a Redis: `shared` is another process with nothing in memory, after one that has predicted
// each row once and shared it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "cache/prediction_cache.h"
#include "cache/redis_entries.h"
#include "random_models.h"

namespace {

using namespace weir;
using ModelPointer = std::shared_ptr<const model::Model>;

constexpr std::size_t kFeatures = 13;
constexpr std::size_t kBatch = 1'000;
constexpr std::size_t kKinds = 10'000;  // of rows that come again

ModelPointer linear() {
  std::vector<double> coefficients;
  for (std::size_t i = 0; i < kFeatures; ++i) {
    coefficients.push_back(0.1 * static_cast<double>(i) - 0.5);
  }
  return bench::linear_model(22.5, std::move(coefficients));
}

ModelPointer trees(std::size_t count, int depth) {
  return bench::boosted_model(
      kFeatures, bench::random_trees(count, depth, kFeatures, std::normal_distribution<>(), 0.1));
}

// `again`: of kKinds kinds, some far more often than others; else each row is new.
std::vector<double> make_rows(std::size_t count, bool again, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::mt19937_64 random_kind(7);
  std::vector<double> kinds(again ? kKinds * kFeatures : 0);
  for (double& value : kinds) value = normal(random_kind);
  std::vector<double> rows;
  rows.reserve(count * kFeatures);
  for (std::size_t i = 0; i < count; ++i) {
    if (!again) {
      for (std::size_t j = 0; j < kFeatures; ++j) rows.push_back(normal(random));
      continue;
    }
    const double part = std::uniform_real_distribution<>(0, 1)(random);
    const auto kind = static_cast<std::size_t>(part * part * kKinds);
    const auto* const row = kinds.data() + kind * kFeatures;
    rows.insert(rows.end(), row, row + kFeatures);
  }
  return rows;
}

// Seconds.
double predict(const model::Model& model, const std::vector<double>& rows,
               std::vector<double>& out) {
  const std::size_t count = rows.size() / kFeatures;
  out.resize(count);
  const auto begun = std::chrono::steady_clock::now();
  for (std::size_t at = 0; at < count; at += kBatch) {
    const std::size_t some = std::min(kBatch, count - at);
    model.predict(std::span(rows).subspan(at * kFeatures, some * kFeatures),
                  std::span(out).subspan(at, some));
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

struct Redis {
  std::string host;
  int port = 0;
};

std::unique_ptr<cache::SharedEntries> entries_in(const Redis& redis) {
  redis::ClientOptions client;
  client.address.host = redis.host;
  client.address.port = redis.port;
  client.failures_max = std::numeric_limits<int>::max();
  auto entries = std::make_unique<cache::RedisEntries>(client, cache::RedisEntriesOptions{});
  while (!entries->reachable()) std::this_thread::yield();
  return entries;
}

struct Process {
  explicit Process(const std::string& sha256, const ModelPointer& model,
                   std::unique_ptr<cache::SharedEntries> shared)
      : cache(options(), system_clock(), std::move(shared)),
        access(cache),
        cached(access.in_front_of(model, 1, sha256)) {}
  static cache::PredictionCacheOptions options() {
    cache::PredictionCacheOptions made;
    made.secret = "a secret of a bench that nobody has to know";
    return made;
  }
  cache::PredictionCache cache;
  cache::CacheAccess access;
  ModelPointer cached;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void expect_same(const std::vector<double>& one, const std::vector<double>& other) {
  if (std::memcmp(one.data(), other.data(), one.size() * sizeof(double)) == 0) return;
  std::fprintf(stderr, "bench_cache: a value from the cache is not the model's\n");
  std::exit(1);
}

void share_all(const Process& process, const std::vector<double>& rows) {
  std::vector<double> out;
  // Slowly enough that nothing is dropped.
  const std::size_t count = rows.size() / kFeatures;
  for (std::size_t at = 0; at < count; at += kBatch) {
    const std::size_t some = std::min(kBatch, count - at);
    out.resize(some);
    process.cached->predict(std::span(rows).subspan(at * kFeatures, some * kFeatures), out);
    const auto done = [&] {
      const auto state = process.access.state();
      return state.shared.written + state.shared.not_written >=
             state.shared.asked - state.hits_shared;
    };
    // What Redis has not answered in time is not written either.
    for (int i = 0; i < 200 && !done(); ++i) std::this_thread::sleep_for(Millis(1));
  }
}

void run_case(const std::string& name, const std::string& sha256, const ModelPointer& model,
              bool again, int rounds, std::size_t count, const Redis& redis) {
  std::vector<double> alone_s;
  std::vector<double> cached_s;
  std::vector<double> shared_s;
  std::vector<double> ratio;
  std::vector<double> shared_ratio;
  std::vector<double> truth;
  std::vector<double> out;
  Process process(sha256, model, nullptr);
  record::CacheState shared_state;
  for (int round = 0; round <= rounds; ++round) {
    const auto rows = make_rows(count, again, 100 + static_cast<unsigned>(round));
    const double alone = predict(*model, rows, truth);
    const double cached = predict(*process.cached, rows, out);
    expect_same(truth, out);
    if (round == 0) continue;  // nothing is in memory yet, and nothing is measured
    alone_s.push_back(alone);
    cached_s.push_back(cached);
    ratio.push_back(alone / cached);
    if (redis.port == 0 || !again) continue;
    const auto kinds = make_rows(kKinds, true, 3);
    share_all(Process(sha256, model, entries_in(redis)), kinds);
    const Process late(sha256, model, entries_in(redis));
    const double shared_alone = predict(*model, kinds, truth);
    const double shared = predict(*late.cached, kinds, out);
    expect_same(truth, out);
    shared_s.push_back(shared);
    shared_ratio.push_back(shared_alone / shared);
    shared_state = late.access.state();
  }
  const auto state = process.access.state();
  const auto rows = static_cast<double>(count);
  nlohmann::ordered_json json = {{"model", name},
                                 {"rows", again ? "repeated" : "all new"},
                                 {"alone_ns", median(alone_s) / rows * 1e9},
                                 {"cached_ns", median(cached_s) / rows * 1e9},
                                 {"ratio", median(ratio)},
                                 {"hit_rate", state.hit_rate()},
                                 {"bypass", state.bypass},
                                 {"reason", state.bypass_reason}};
  if (!shared_s.empty()) {
    json["shared_ns"] = median(shared_s) / kKinds * 1e9;
    json["shared_ratio"] = median(shared_ratio);
    json["shared_hits"] = shared_state.hits_shared;
    json["shared_reason"] = shared_state.shared.bypass_reason;
  }
  std::printf("%s\n", json.dump().c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 5) return 2;
  const int rounds = std::atoi(argv[1]);
  const auto count = static_cast<std::size_t>(std::atoll(argv[2]));
  const Redis redis = argc == 5 ? Redis{argv[3], std::atoi(argv[4])} : Redis{};
  const std::vector<std::pair<std::string, ModelPointer>> models = {
      {"linear, 13 features", linear()},
      {"100 trees of depth 4", trees(100, 4)},
      {"400 trees of depth 8", trees(400, 8)},
      {"900 trees of depth 8", trees(900, 8)}};
  char letter = 'a';
  for (const auto& [name, model] : models) {
    const std::string sha256(64, letter++);
    for (const bool again : {true, false}) {
      run_case(name, sha256, model, again, rounds, count, redis);
    }
  }
}
