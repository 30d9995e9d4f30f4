#include "serve/flow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/simulated_clock.h"
#include "serve/flow_json.h"
#include "serve/flow_meter.h"

namespace weir::serve {
namespace {

using testing::HasSubstr;

class FlowTest : public testing::Test {
 protected:
  std::int64_t now() { return clock_.wall().time_since_epoch().count(); }

  void arrive(std::int64_t offset, std::int64_t at_ms, std::int32_t partition = 0) {
    batch_.records.push_back({{partition, offset}, "id", "{}", at_ms});
  }
  void answer(std::int64_t offset, std::int64_t at_ms, bool dead = false,
              std::int32_t partition = 0) {
    predictions::Answer answer;
    answer.of = {partition, offset};
    answer.dead = dead;
    answer.answered_ms = at_ms;
    batch_.answers.push_back(answer);
  }
  void take() { flow_.take(std::exchange(batch_, {})); }

  SimulatedClock clock_;
  predictions::Batch batch_;
  Flow flow_{clock_, 100};
};

TEST_F(FlowTest, gives_rates_over_the_last_ten_to_fifteen_seconds) {
  clock_.advance(Millis(60'000));
  for (int i = 0; i < 30; ++i) arrive(i, now() - 100 * i);
  for (int i = 0; i < 20; ++i) answer(i, now() - 100 * i);
  answer(20, now(), true);
  take();
  clock_.advance(Millis(2'000));
  const auto figures = flow_.figures();
  EXPECT_DOUBLE_EQ(figures.arrived_per_s, 30 / 12.0);
  EXPECT_DOUBLE_EQ(figures.predicted_per_s, 20 / 12.0);
  EXPECT_DOUBLE_EQ(figures.dead_per_s, 1 / 12.0);
  clock_.advance(Millis(15'000));
  EXPECT_EQ(flow_.figures().arrived_per_s, 0) << "what is over is no rate any more";
}

TEST_F(FlowTest, draws_the_same_curve_whenever_records_are_read) {
  clock_.advance(Millis(1'000'000));
  const std::int64_t then = now() - 600'000;
  arrive(7, then);
  answer(7, then + 250);
  take();
  const auto figures = flow_.figures();
  ASSERT_EQ(figures.steps.size(), Flow::kSteps);
  const FlowStep& step = figures.steps[Flow::kSteps - 1 - 120];
  EXPECT_EQ(step.arrived, 1U);
  EXPECT_EQ(step.predicted, 1U);
  EXPECT_NEAR(*step.p50_s, 0.25, 0.25 * 0.19);
  EXPECT_EQ(figures.arrived_per_s, 0);
  EXPECT_EQ(figures.steps_from, clock_.wall() - Millis((Flow::kSteps - 1) * Flow::kStep.count()));
  // Too long ago for the curve: counted nowhere, and in nobody's place.
  arrive(8, now() - 3'600'000);
  answer(8, now() - 3'600'000);
  take();
  std::uint64_t all = 0;
  for (const auto& at : flow_.figures().steps) all += at.arrived;
  EXPECT_EQ(all, 1U);
}

TEST_F(FlowTest, forgets_what_is_older_than_its_steps) {
  arrive(1, now());
  take();
  clock_.advance(Flow::kStep * static_cast<int>(Flow::kSteps));
  arrive(2, now());
  take();
  const auto figures = flow_.figures();
  EXPECT_EQ(figures.steps.front().arrived, 0U);
  EXPECT_EQ(figures.steps.back().arrived, 1U);
}

TEST_F(FlowTest, tells_percentiles_of_the_times_to_an_answer_of_the_last_minute) {
  clock_.advance(Millis(600'000));
  for (int i = 0; i < 100; ++i) {
    arrive(i, now() - 20'000);
    answer(i, now() - 20'000 + (i < 90 ? 10 : 1'000));
  }
  take();
  const auto times = flow_.figures().answer_times;
  ASSERT_TRUE(times);
  EXPECT_EQ(times->answers, 100U);
  EXPECT_GE(times->p50_s, 0.010);
  EXPECT_LT(times->p50_s, 0.010 * 1.19);
  EXPECT_GE(times->p95_s, 1.0);
  EXPECT_LT(times->p99_s, 1.19);
  clock_.advance(Millis(60'000));
  EXPECT_FALSE(flow_.figures().answer_times);
}

TEST_F(FlowTest, joins_answers_that_come_in_a_later_batch_and_of_two_topics) {
  for (int i = 0; i < 4; ++i) arrive(i, now());
  take();
  answer(1, now() + 100);  // predictions first, as the feed reads them
  answer(3, now() + 100);
  answer(0, now() + 100, true);
  answer(2, now() + 100, true);
  take();
  clock_.advance(Millis(200));
  ASSERT_TRUE(flow_.figures().answer_times);
  EXPECT_EQ(flow_.figures().answer_times->answers, 4U);
  EXPECT_EQ(flow_.waiting(), 0U);
}

TEST_F(FlowTest, keeps_a_fair_share_of_arrival_times_where_many_wait) {
  for (int i = 0; i < 10'000; ++i) arrive(i, now(), i % 2);
  take();
  EXPECT_LE(flow_.waiting(), 100U);
  EXPECT_GE(flow_.waiting(), 40U);
  clock_.advance(Millis(500));
  for (int i = 0; i < 10'000; ++i) answer(i, now(), false, i % 2);
  take();
  const auto figures = flow_.figures();
  EXPECT_GE(figures.answer_times->answers, 40U);
  EXPECT_EQ(flow_.waiting(), 0U);
  // As room has come, all are followed again.
  for (int i = 0; i < 50; ++i) arrive(10'001 + i, now());
  take();
  EXPECT_EQ(flow_.waiting(), 50U);
}

TEST_F(FlowTest, begins_anew_where_a_topic_does) {
  for (int i = 0; i < 10; ++i) arrive(1'000 + i, now());
  take();
  arrive(0, now());
  take();
  EXPECT_EQ(flow_.waiting(), 1U);
}

TEST_F(FlowTest, keeps_the_lag_as_it_was_told_last_in_each_step) {
  EXPECT_FALSE(flow_.figures().lag);
  flow_.note_lag(5);
  flow_.note_lag(3);
  clock_.advance(Flow::kStep);
  flow_.note_lag(9);
  const auto figures = flow_.figures();
  EXPECT_EQ(figures.lag, 9);
  EXPECT_EQ(figures.steps[Flow::kSteps - 1].lag, 9);
  EXPECT_EQ(figures.steps[Flow::kSteps - 2].lag, 3);
  EXPECT_FALSE(figures.steps[Flow::kSteps - 3].lag);
}

TEST_F(FlowTest, is_told_of_as_json_and_as_metrics_with_the_same_figures) {
  clock_.advance(Millis(600'000));
  for (int i = 0; i < 25; ++i) arrive(i, now());
  answer(0, now() + 100);
  take();
  flow_.note_lag(24);
  const auto json = flow_json(flow_.figures(), 7);
  EXPECT_EQ(json["per_second"]["arrived"], 2.5);
  EXPECT_EQ(json["per_second"]["predicted"], 0.1);
  EXPECT_EQ(json["lag"], 24);
  EXPECT_EQ(json["copy_behind"], 7);
  EXPECT_EQ(json["answer_seconds"]["answers"], 1);
  EXPECT_EQ(json["steps"]["arrived"].size(), Flow::kSteps);
  EXPECT_EQ(json["steps"]["arrived"].back(), 25);
  EXPECT_EQ(json["steps"]["lag"][0], nullptr);
  MetricsPage page("boston");
  add_flow(page, flow_.figures());
  const std::string text = page.take();
  EXPECT_THAT(text, HasSubstr("weir_flow_arrived_records_per_second{pipeline=\"boston\"} 2.5\n"));
  EXPECT_THAT(text, HasSubstr("weir_flow_predicted_records_per_second{pipeline=\"boston\"} 0.1\n"));
  EXPECT_THAT(text, HasSubstr("weir_flow_answer_seconds{pipeline=\"boston\",part=\"0.99\"} "));
}

class RefusingStore final : public predictions::PredictionStore {
 public:
  Result<predictions::Positions> positions() override { return kept; }
  Status apply(const predictions::Batch& batch) override {
    if (refuses) return fail(Code::kExhausted, "full");
    for (const auto& [topic, position] : batch.positions) kept[topic] = position;
    return {};
  }
  Result<std::uint64_t> drop(std::int64_t, std::uint64_t) override { return 3U; }
  Status clear() override { return {}; }
  Result<std::optional<predictions::ById>> by_id(std::string_view) override {
    return std::optional<predictions::ById>();
  }
  Result<std::optional<predictions::Kept>> by_place(const predictions::Place&) override {
    return std::optional<predictions::Kept>();
  }
  Result<predictions::Page> list(const predictions::ListQuery&) override {
    return predictions::Page();
  }
  Result<std::vector<std::optional<predictions::FirstOfId>>> find_ids(
      std::span<const std::string>) override {
    return std::vector<std::optional<predictions::FirstOfId>>();
  }
  Result<predictions::StoreStats> stats() override { return predictions::StoreStats(); }
  bool refuses = true;
  predictions::Positions kept;
};

TEST_F(FlowTest, counts_a_batch_once_however_often_the_store_refuses_it) {
  RefusingStore store;
  FlowMeter meter(flow_, &store);
  arrive(0, now());
  EXPECT_FALSE(meter.apply(batch_));
  EXPECT_FALSE(meter.apply(batch_));
  EXPECT_EQ(flow_.figures().steps.back().arrived, 0U);
  store.refuses = false;
  EXPECT_TRUE(meter.apply(batch_));
  EXPECT_EQ(flow_.figures().steps.back().arrived, 1U);
  EXPECT_EQ(meter.drop(0, 0).value(), 3U) << "the store behind it is asked";
}

TEST_F(FlowTest, counts_a_record_once_though_the_store_is_filled_again) {
  RefusingStore store;
  store.refuses = false;
  FlowMeter meter(flow_, &store);
  flow_.note_lag(4);
  arrive(0, now());
  batch_.positions["f"] = {"topic", {{0, 1}}};
  EXPECT_TRUE(meter.apply(batch_));
  EXPECT_TRUE(meter.positions());
  EXPECT_EQ(flow_.figures().steps.back().arrived, 1U) << "the feed goes on where it was";

  store.kept.clear();  // it has lost everything
  EXPECT_TRUE(meter.positions());
  EXPECT_EQ(flow_.figures().steps.back().arrived, 0U);
  EXPECT_EQ(flow_.waiting(), 0U);
  EXPECT_EQ(flow_.figures().steps.back().lag, 4);
  EXPECT_TRUE(meter.apply(batch_));
  EXPECT_EQ(flow_.figures().steps.back().arrived, 1U);

  store.kept["f"].topic_id = "another";  // of the same name
  EXPECT_TRUE(meter.positions());
  EXPECT_EQ(flow_.figures().steps.back().arrived, 0U);
  EXPECT_TRUE(meter.apply(batch_));
  store.kept["f"].next[0] = 0;  // it has lost the last of it
  EXPECT_TRUE(meter.positions());
  EXPECT_EQ(flow_.figures().steps.back().arrived, 0U);
  EXPECT_TRUE(meter.apply(batch_));
  EXPECT_TRUE(meter.clear());
  EXPECT_EQ(flow_.figures().steps.back().arrived, 0U);
}

TEST_F(FlowTest, is_filled_without_any_store) {
  FlowMeter meter(flow_, nullptr);
  arrive(0, now());
  EXPECT_TRUE(meter.apply(batch_));
  EXPECT_EQ(flow_.figures().steps.back().arrived, 1U);
  EXPECT_TRUE(meter.positions()->empty());
  EXPECT_EQ(meter.drop(0, 0).value(), 0U);
}

}  // namespace
}  // namespace weir::serve
