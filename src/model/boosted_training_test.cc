#include "model/boosted_training.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "model/linear_fit.h"
#include "model/metrics.h"
#include "model/test_tables.h"

namespace weir::model {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

Status wanted() { return {}; }

// A step and a product: what no linear model holds.
Rows curved_rows(std::size_t count) {
  Rows rows = random_rows(count, 3);
  for (auto& row : rows) row[3] = (row[0] > 10 ? 5 : -5) + (row[1] - 10) * (row[2] - 10);
  return rows;
}

double rmse_of(const BoostedModel& model, const Rows& rows) {
  ErrorSums sums;
  for (const auto& row : rows) {
    double prediction = 0;
    model.predict(std::span(row).first(row.size() - 1), {&prediction, 1});
    sums.add(prediction, row.back());
  }
  return *sums.metrics().rmse;
}

TEST(BoostedTraining, learns_what_a_linear_model_cannot) {
  const Rows rows = curved_rows(2000);
  const auto model = grow_boosted(block_of(rows), schema_of(3), {}, wanted);
  ASSERT_TRUE(model) << model.error().message();
  EXPECT_EQ(model->trees().size(), BoostedOptions{}.trees);
  EXPECT_EQ(model->schema(), schema_of(3));
  Rows fresh = curved_rows(2500);
  fresh.erase(fresh.begin(), fresh.begin() + 2000);
  const auto linear = fit_linear(accumulate(rows), schema_of(3));
  ASSERT_TRUE(linear);
  const double of_linear = *held_out_metrics(accumulate(fresh), linear->model)->rmse;
  EXPECT_LT(rmse_of(*model, fresh), of_linear / 3);
}

// libxgboost has limits of its own on what a split must gain, in the target's unit.
TEST(BoostedTraining, grows_the_same_trees_whatever_the_unit_of_the_target) {
  BoostedOptions options;
  options.trees = 20;
  const Rows rows = curved_rows(2000);
  const auto plain = grow_boosted(block_of(rows), schema_of(3), options, wanted);
  ASSERT_TRUE(plain);
  for (const int power : {-60, -20, 20, 70}) {
    Rows scaled = rows;
    for (auto& row : scaled) row[3] = std::ldexp(row[3], power);
    const auto model = grow_boosted(block_of(scaled), schema_of(3), options, wanted);
    ASSERT_TRUE(model) << model.error().message();
    EXPECT_EQ(model->base(), std::ldexp(plain->base(), power));
    for (std::size_t i = 0; i < options.trees; ++i) {
      const Tree& tree = model->trees()[i];
      const Tree& like = plain->trees()[i];
      ASSERT_EQ(tree.feature, like.feature) << power;
      for (std::size_t node = 0; node < tree.value.size(); ++node) {
        const bool leaf = tree.feature[node] == Tree::kLeaf;
        EXPECT_EQ(tree.value[node], leaf ? std::ldexp(like.value[node], power) : like.value[node]);
      }
    }
  }
}

TEST(BoostedTraining, does_as_it_is_told) {
  BoostedOptions options;
  options.trees = 7;
  options.depth = 1;
  const auto stumps = grow_boosted(block_of(curved_rows(300)), schema_of(3), options, wanted);
  ASSERT_TRUE(stumps);
  EXPECT_EQ(stumps->trees().size(), 7U);
  for (const Tree& tree : stumps->trees()) EXPECT_EQ(tree.feature.size(), 3U);
  options.learning_rate = 0.2;
  const auto faster = grow_boosted(block_of(curved_rows(300)), schema_of(3), options, wanted);
  ASSERT_TRUE(faster);
  const double leaf = stumps->trees()[0].value[1];
  EXPECT_NEAR(faster->trees()[0].value[1], 2 * leaf, 1e-4 * std::abs(leaf));
}

TEST(BoostedTraining, begins_at_the_mean_of_the_target) {
  BoostedOptions options;
  options.trees = 0;
  const Rows rows = curved_rows(300);
  double sum = 0;
  for (const auto& row : rows) sum += row[3];
  const auto model = grow_boosted(block_of(rows), schema_of(3), options, wanted);
  ASSERT_TRUE(model) << model.error().message();
  EXPECT_NEAR(model->base(), sum / 300, 1e-6 * std::abs(sum));
}

// Beside each other, with whatever number of processors the library believes that it has.
TEST(BoostedTrainingThreads, gives_the_same_bytes_each_time) {
  const record::RowBlock rows = block_of(curved_rows(3000));
  std::vector<std::string> texts(4);
  std::vector<std::thread> threads;
  for (std::string& text : texts) {
    threads.emplace_back([&] {
      const auto model = grow_boosted(rows, schema_of(3), {}, wanted);
      if (model) text = model->to_json();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(texts[0].empty());
  for (const std::string& text : texts) EXPECT_EQ(text, texts[0]);
}

TEST(BoostedTraining, ends_when_it_is_no_longer_wanted) {
  int asked = 0;
  const auto model = grow_boosted(block_of(curved_rows(300)), schema_of(3), {}, [&]() -> Status {
    if (++asked < 5) return {};
    return fail(Code::kCancelled, "enough");
  });
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code(), Code::kCancelled);
  EXPECT_EQ(asked, 5);
}

TEST(BoostedTraining, refuses_what_a_float_does_not_hold_and_names_the_column) {
  for (const std::size_t column : {1U, 3U}) {
    Rows rows = curved_rows(50);
    rows[20][column] = -1e39;
    const auto model = grow_boosted(block_of(rows), schema_of(3), {}, wanted);
    ASSERT_FALSE(model);
    EXPECT_EQ(model.error().code(), Code::kBadData);
    EXPECT_THAT(model.error().message(), HasSubstr(column == 3 ? "'y'" : "'x2'"));
    EXPECT_THAT(model.error().message(), HasSubstr("-1e+39"));
  }
  record::RowBlock none;
  none.columns = 4;
  const auto model = grow_boosted(none, schema_of(3), {}, wanted);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code(), Code::kBadData);
}

TEST(BoostedTraining, has_a_verdict_on_columns_that_say_nothing) {
  Rows rows(40, {1, 2, 3, 7});
  const auto constant = grow_boosted(block_of(rows), schema_of(3), {}, wanted);
  ASSERT_TRUE(constant) << constant.error().message();
  EXPECT_EQ(rmse_of(*constant, rows), 0);
  rows.resize(1);
  const auto single = grow_boosted(block_of(rows), schema_of(3), {}, wanted);
  ASSERT_TRUE(single) << single.error().message();
  EXPECT_EQ(rmse_of(*single, rows), 0);
}

TEST(BoostedTraining, says_what_to_do_where_the_model_is_larger_than_a_file) {
  BoostedOptions options;
  options.trees = kTreesMax + 1;
  options.depth = 1;
  const auto model = grow_boosted(block_of(curved_rows(20)), schema_of(3), options, wanted);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code(), Code::kExhausted);
  EXPECT_THAT(model.error().message(), HasSubstr("model.boosted.trees"));
}

// At 16 trees, and then whenever there are a quarter more.
TEST(BoostedTraining, ends_early_where_trees_become_too_large) {
  BoostedOptions options;
  options.trees = 1000;
  options.depth = 2;
  std::vector<int> ends;
  for (const std::size_t bytes_max : {1U, 30'000U, 60'000U}) {
    options.document_bytes_max = bytes_max;
    int grown = 0;
    const auto model = grow_boosted(block_of(curved_rows(300)), schema_of(3), options, [&] {
      ++grown;
      return Status();
    });
    ASSERT_FALSE(model) << bytes_max;
    EXPECT_EQ(model.error().code(), Code::kExhausted);
    EXPECT_THAT(model.error().message(),
                HasSubstr("the first " + std::to_string(grown) + " trees take"));
    EXPECT_THAT(model.error().message(), HasSubstr("model.boosted.depth"));
    ends.push_back(grown);
  }
  EXPECT_EQ(ends[0], 16);
  for (const int end : {ends[1], ends[2]}) {
    EXPECT_THAT(end, AnyOf(20, 25, 31, 38, 47, 58, 72, 90, 112, 140));
  }
  EXPECT_LT(ends[1], ends[2]);
}

}  // namespace
}  // namespace weir::model
