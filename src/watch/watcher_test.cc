#include "watch/watcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/sha256.h"
#include "base/simulated_clock.h"
#include "format/prediction_message.h"
#include "model/linear_model.h"
#include "store/memory_file_store.h"
#include "stream/memory_broker.h"

namespace weir::watch {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr Millis kTimeout{1'000};

class WatcherTest : public ::testing::Test {
 protected:
  WatcherTest() {
    EXPECT_TRUE(broker.ensure_topics({{"p.features", 2, false},
                                      {"p.predictions", 2, false},
                                      {"p.actuals", 2, false},
                                      {"p.control", 1, true},
                                      {"p.members", 1, false}},
                                     kTimeout));
    options.control_topic = std::string("p.control");
    options.features_topic = "p.features";
    options.predictions_topic = "p.predictions";
    options.actuals_topic = "p.actuals";
    options.members_topic = "p.members";
    options.member = "watcher-0";
    options.rows_min = 200;
    options.window = 1'000;
    options.actuals_min = 50;
    options.lasting = 10s;
  }

  // Puts a model of this epoch in force whose rows have a and b about `mean`.
  void put_in_force(std::uint64_t version, double mean) {
    const auto model = model::LinearModel::make({{"a", "b"}, "y"}, 0, {1, 1});
    ASSERT_TRUE(model);
    registry::Manifest manifest;
    manifest.version = version;
    manifest.schema = {{"a", "b"}, "y"};
    manifest.model_sha256 = sha256_hex(model->to_json());
    std::string csv = "weir_row,a,b,y\n";
    for (int i = 0; i < 1'000; ++i) {
      csv += std::to_string(i) + "," + std::to_string(mean + normal(random)) + "," +
             std::to_string(normal(random)) + ",0\n";
    }
    ASSERT_TRUE(models.publish(manifest, model->to_json(), csv, {}));
    control("train", version, "");
    control("resume", version,
            R"("outcome":"trained","version":)" + std::to_string(version) + R"(,"sha256":")" +
                manifest.model_sha256 + "\",");
  }
  void control(const std::string& type, std::uint64_t epoch, const std::string& more) {
    const std::string dataset =
        R"("dataset":{"path":"/dataset/a.csv","length":1,"modified_ms":1,"file_id":"1"},)";
    broker.produce("p.control", std::nullopt,
                   R"({"type":")" + type + R"(","epoch":)" + std::to_string(epoch) + "," +
                       (more.empty() ? dataset : more) + R"("by":"t","at":")" +
                       format_time(clock.wall()) + "\"}");
  }
  void open() {
    auto opened = Watcher::open(options, broker, models, clock);
    ASSERT_TRUE(opened) << opened.error().message();
    watcher = std::move(*opened);
    step();
  }
  void step() {
    const Status stepped = watcher->step(Millis{0}, {});
    ASSERT_TRUE(stepped) << stepped.error().message();
  }
  void feed(int count, double mean) {
    for (int i = 0; i < count; ++i) {
      broker.produce("p.features", std::nullopt,
                     "{\"a\": " + std::to_string(mean + normal(random)) +
                         ", \"b\": " + std::to_string(normal(random)) + "}");
    }
  }
  void predict(const std::string& id, double value, std::uint64_t version = 1) {
    std::string json;
    ASSERT_TRUE(format::append_prediction(json, {{value}, false, version, version, 0, 0}));
    broker.produce("p.predictions", id, json);
  }
  // So that what lasts, lasts.
  void go_on(Millis time) {
    for (const SteadyTime end = clock.steady() + time; clock.steady() < end;) {
      clock.advance(1s);
      step();
    }
  }
  std::vector<record::MemberRecord> requests() {
    std::vector<record::MemberRecord> asked;
    for (const auto& entry : broker.records("p.members")) {
      auto record = record::MemberRecord::parse(entry.value);
      if (record && record->type == record::MemberType::kAskTrain) asked.push_back(*record);
    }
    return asked;
  }
  void answer(const record::MemberRecord& ask, std::uint64_t epoch, const std::string& reason) {
    record::MemberRecord answer;
    answer.type = record::MemberType::kAnswer;
    answer.member = "trainer";
    answer.request = ask.request;
    answer.epoch = epoch;
    answer.dataset = ask.dataset;
    answer.reason = reason;
    broker.produce("p.members", std::nullopt, answer.to_json());
  }

  std::mt19937_64 random{1};
  std::normal_distribution<double> normal{0, 1};
  SimulatedClock clock;
  stream::MemoryBroker broker{clock};
  store::MemoryFileStore store{clock};
  registry::ModelRegistry models{store, "/MLmodel"};
  WatcherOptions options;
  std::unique_ptr<Watcher> watcher;
};

TEST_F(WatcherTest, waits_for_the_first_model_and_says_so) {
  open();
  go_on(3s);
  EXPECT_EQ(watcher->report().version, 0u);
  EXPECT_EQ(watcher->summary(), "waiting for the first model");
}

TEST_F(WatcherTest, says_nothing_of_a_stream_that_is_what_the_model_was_made_of) {
  put_in_force(1, 5);
  open();
  feed(1'000, 5);
  go_on(60s);
  const record::WatchReport state = watcher->report();
  EXPECT_EQ(state.version, 1u);
  EXPECT_GE(state.rows, 500u);
  ASSERT_EQ(state.features.size(), 2u);
  EXPECT_LT(state.features[0].psi, 0.1);
  EXPECT_FALSE(state.features[0].drifts);
  EXPECT_TRUE(state.events.empty());
  EXPECT_THAT(watcher->summary(), HasSubstr("no drift, PSI "));
}

TEST_F(WatcherTest, tells_once_of_a_feature_that_drifts_and_of_its_return) {
  put_in_force(1, 5);
  open();
  for (int i = 0; i < 60; ++i) {
    feed(50, 7);
    go_on(1s);
  }
  record::WatchReport state = watcher->report();
  EXPECT_TRUE(state.features[0].drifts);
  EXPECT_FALSE(state.features[1].drifts);
  ASSERT_EQ(state.events.size(), 1u);
  EXPECT_THAT(state.events[0].words,
              HasSubstr("feature 'a' drifts: its population stability index"));
  EXPECT_THAT(watcher->summary(), HasSubstr("1 features drift"));
  for (int i = 0; i < 60; ++i) {
    feed(50, 5);
    go_on(1s);
  }
  state = watcher->report();
  EXPECT_FALSE(state.features[0].drifts);
  ASSERT_EQ(state.events.size(), 2u);
  EXPECT_THAT(state.events[1].words, HasSubstr("feature 'a' drifts no more"));
  EXPECT_TRUE(requests().empty()) << "nobody wanted a training";
}

TEST_F(WatcherTest, says_nothing_before_it_has_seen_enough) {
  put_in_force(1, 5);
  open();
  feed(199, 50);
  go_on(60s);
  EXPECT_TRUE(watcher->report().events.empty());
  EXPECT_EQ(watcher->summary(), "gathers rows: 199 of 200");
}

TEST_F(WatcherTest, joins_predictions_with_true_values_that_come_late) {
  options.rmse_max = 2;
  put_in_force(1, 5);
  open();
  for (int i = 0; i < 60; ++i) predict("k" + std::to_string(i), 10);
  predict("of another model", 10, 7);
  go_on(5s);
  for (int i = 0; i < 60; ++i) {
    broker.produce("p.actuals", "k" + std::to_string(i), "13");
  }
  broker.produce("p.actuals", std::nullopt, R"({"id": "of another model", "actual": 900})");
  broker.produce("p.actuals", std::nullopt, "garbage");
  go_on(20s);
  const record::WatchReport state = watcher->report();
  EXPECT_EQ(state.accuracy.pairs, 60u);
  EXPECT_DOUBLE_EQ(state.accuracy.rmse, 3);
  EXPECT_DOUBLE_EQ(state.accuracy.mae, 3);
  EXPECT_TRUE(state.accuracy.too_high);
  EXPECT_EQ(state.accuracy.refused, 1u);
  ASSERT_EQ(state.events.size(), 1u);
  EXPECT_THAT(state.events[0].words,
              HasSubstr("the predictions of model 1 have become worse: RMSE 3 over the last 60"));
}

TEST_F(WatcherTest, asks_for_one_training_and_begins_anew_with_its_model) {
  options.retrain_dataset = "/warehouse/latest.csv";
  options.retrain_interval = 600s;
  put_in_force(1, 5);
  open();
  clock.advance(600s);
  const auto drift = [&](int seconds) {
    for (int i = 0; i < seconds; ++i) {
      feed(50, 7);
      go_on(1s);
    }
  };
  drift(60);
  ASSERT_EQ(requests().size(), 1u);
  EXPECT_EQ(requests()[0].dataset, "/warehouse/latest.csv");
  EXPECT_EQ(requests()[0].epoch, 1u);
  answer(requests()[0], 2, "");
  drift(30);
  EXPECT_THAT(watcher->report().events.back().words,
              HasSubstr("has begun as epoch 2, because feature 'a' drifts"));
  put_in_force(2, 7);
  drift(120);
  EXPECT_EQ(requests().size(), 1u);
  EXPECT_EQ(watcher->report().version, 2u);
  EXPECT_FALSE(watcher->report().features[0].drifts) << "it is what the new model was made of";
}

TEST_F(WatcherTest, asks_again_later_where_the_trainer_refuses) {
  options.retrain_dataset = "a.csv";
  options.retrain_interval = 0s;
  put_in_force(1, 5);
  open();
  for (int i = 0; i < 100; ++i) {
    feed(50, 7);
    go_on(1s);
    if (requests().size() == 1 && i == 60) answer(requests()[0], 0, "there is no data set a.csv");
  }
  EXPECT_EQ(requests().size(), 1u);
  EXPECT_THAT(watcher->report().events.back().words, HasSubstr("there is no data set a.csv"));
  for (int i = 0; i < 30; ++i) {
    feed(50, 7);
    go_on(1s);
  }
  EXPECT_EQ(requests().size(), 2u) << "the alarm lasts";
}

TEST_F(WatcherTest, keeps_the_interval_between_two_trainings_by_the_control_log) {
  options.retrain_dataset = "a.csv";
  options.retrain_interval = 300s;
  put_in_force(1, 5);
  open();  // as one that was made anew: it has asked for nothing yet
  int asked_after = 0;
  for (int i = 0; i < 400 && requests().empty(); ++i) {
    feed(50, 7);
    go_on(1s);
    asked_after = i;
  }
  EXPECT_GE(asked_after, 298);
  EXPECT_LE(asked_after, 310);
}

TEST_F(WatcherTest, goes_on_when_its_model_cannot_be_loaded_yet) {
  put_in_force(1, 5);
  store.fail_next(store::Operation::kRead, Error(Code::kUnavailable, "away"));
  open();
  EXPECT_EQ(watcher->report().version, 0u);
  EXPECT_THAT(watcher->summary(), HasSubstr("model 1 cannot be compared with"));
  go_on(3s);
  EXPECT_EQ(watcher->report().version, 1u);
}

TEST_F(WatcherTest, counts_records_that_are_no_features) {
  put_in_force(1, 5);
  open();
  broker.produce("p.features", std::nullopt, "garbage");
  feed(10, 5);
  go_on(2s);
  EXPECT_EQ(watcher->report().refused, 1u);
  EXPECT_EQ(watcher->report().rows, 10u);
}

TEST_F(WatcherTest, is_seen_by_weir_status_and_waited_for_by_nobody) {
  put_in_force(1, 5);
  open();
  go_on(5s);
  auto table = gate::MemberTable::open(broker, "p.members", clock);
  ASSERT_TRUE(table && (*table)->refresh(kTimeout));
  EXPECT_TRUE((*table)->not_halted(1).empty());
  ASSERT_EQ((*table)->all().size(), 1u);
  EXPECT_EQ((*table)->all()[0].latest.role, "watcher");
  EXPECT_THAT((*table)->all()[0].latest.progress.waiting_for, HasSubstr("gathers rows"));
  watcher->finish();
  ASSERT_TRUE((*table)->refresh(kTimeout));
  EXPECT_TRUE((*table)->all().empty());
}

}  // namespace
}  // namespace weir::watch
