// What the feed is tested on: a broker and a clock in the test's hands, a real store behind one
// that refuses on demand.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/simulated_clock.h"
#include "format/dead_letter.h"
#include "format/prediction_message.h"
#include "predictions/prediction_feed.h"
#include "predictions/store_contract_test.h"
#include "stream/memory_broker.h"

namespace weir::predictions {

// A store that refuses on demand, and counts.
class FaultyStore final : public PredictionStore {
 public:
  explicit FaultyStore(PredictionStore& inner) : inner_(inner) {}
  Result<Positions> positions() override {
    if (fault && *fault != Code::kCorrupt) return fail(*fault, "planted");
    fault.reset();
    return inner_.positions();
  }
  Status apply(const Batch& batch) override {
    if (fault) return fail(*fault, "planted");
    ++applied;
    return inner_.apply(batch);
  }
  Result<std::uint64_t> drop(std::int64_t before_ms, std::uint64_t records_max) override {
    if (fault) return fail(*fault, "planted");
    return inner_.drop(before_ms, records_max);
  }
  Status clear() override { return inner_.clear(); }
  Result<std::optional<ById>> by_id(std::string_view id) override { return inner_.by_id(id); }
  Result<std::optional<Kept>> by_place(const Place& place) override {
    return inner_.by_place(place);
  }
  Result<Page> list(const ListQuery& query) override { return inner_.list(query); }
  Result<std::vector<std::optional<FirstOfId>>> find_ids(
      std::span<const std::string> ids) override {
    return inner_.find_ids(ids);
  }
  Result<StoreStats> stats() override { return inner_.stats(); }

  std::optional<Code> fault;
  int applied = 0;

 private:
  PredictionStore& inner_;
};

class PredictionFeedOnMemory : public ::testing::Test {
 protected:
  void SetUp() override {
    home_ = make_sqlite_home();
    inner_ = home_->open();
    ASSERT_TRUE(inner_);
    WEIR_ASSERT_OK(broker_.ensure_topics({{"f", 2}, {"p", 2}, {"d", 2}}, Millis(1'000)));
    options_.features_topic = "f";
    options_.predictions_topic = "p";
    options_.dead_topic = "d";
    reopen();
  }

  // Another life of the gateway on the same store.
  void reopen() {
    feed_.reset();
    store_.emplace(*inner_);
    open_feed();
  }

  void open_feed() {
    auto opened = PredictionFeed::open(options_, broker_, *store_, board_, progress_, clock_);
    WEIR_ASSERT_OK(opened);
    feed_ = std::move(*opened);
  }

  std::int64_t push(const std::string& id, std::int32_t partition = 0,
                    const std::string& value = "{\"x\": 1}") {
    return broker_.produce("f", id, value, partition);
  }

  // As the scorer does: with the record's key, in a transaction.
  void predict(std::int64_t offset, double value, const std::string& id, std::uint64_t model = 1,
               std::int32_t partition = 0) {
    record::Prediction prediction;
    prediction.values = {value};
    prediction.model = model;
    prediction.epoch = model + 1;
    prediction.partition = partition;
    prediction.offset = offset;
    std::string json;
    ASSERT_TRUE(format::append_prediction(json, prediction));
    commit("p", id, json, {}, partition);
  }

  void refuse(std::int64_t offset, const std::string& id, const std::string& topic = "f",
              stream::Headers own = {}) {
    const auto headers =
        format::dead_letter_headers_not_finite({topic, 0, offset, "boston", "scorer-1"});
    own.insert(own.end(), headers.begin(), headers.end());
    commit("d", id, "{\"x\": 1}", own);
  }

  void commit(const std::string& topic, const std::string& id, const std::string& value,
              const stream::Headers& headers = {}, std::int32_t partition = 0) {
    auto sink = broker_.open_sink("scorer", Millis(1'000));
    WEIR_ASSERT_OK(sink);
    WEIR_ASSERT_OK((*sink)->begin());
    stream::OutRecord record;
    record.topic = topic;
    record.partition = partition;
    record.key = id;
    record.value = value;
    record.headers = &headers;
    WEIR_ASSERT_OK((*sink)->send(record));
    WEIR_ASSERT_OK((*sink)->commit("", {}, nullptr));
  }

  void steps(int count = 5) {
    for (int i = 0; i < count; ++i) WEIR_ASSERT_OK(feed_->step(Millis(100), {}));
  }

  // Steps on a clock that goes on, until it is so.
  bool steps_until(const std::function<bool()>& so) {
    for (int i = 0; i < 500; ++i) {
      const Status stepped = feed_->step(Millis(100), {});
      EXPECT_TRUE(stepped) << stepped.error().message();
      if (!stepped) return false;
      if (so()) return true;
      clock_.advance(Millis(50));
    }
    return false;
  }

  std::uint64_t count() { return store_->stats()->records; }

  std::optional<Kept> kept(std::int64_t offset, std::int32_t partition = 0) {
    const auto found = store_->by_place({partition, offset});
    EXPECT_TRUE(found) << found.error().message();
    return found ? *found : std::nullopt;
  }

  bool caught_up(const std::string& topic) {
    const auto ends = broker_.log_ends(topic, Millis(1'000));
    EXPECT_TRUE(ends);
    return progress_.caught_up_to(topic, *ends);
  }

  SimulatedClock clock_;
  stream::MemoryBroker broker_{clock_};
  std::unique_ptr<StoreHome> home_;
  std::unique_ptr<PredictionStore> inner_;
  std::optional<FaultyStore> store_;
  AnswerBoard board_;
  FeedProgress progress_;
  FeedOptions options_;
  std::unique_ptr<PredictionFeed> feed_;
};

}  // namespace weir::predictions
