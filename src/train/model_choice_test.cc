#include "train/model_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "model/boosted_training.h"
#include "model/linear_model.h"
#include "train/split_totals.h"

namespace weir::train {
namespace {

using testing::HasSubstr;

// Rows of two features in [-1, 1] and a target, and everything that a pass makes of them.
class ModelChoice : public ::testing::Test {
 protected:
  using Target = double (*)(double a, double b);

  static record::RowBlock rows_of(Target target, std::size_t count, unsigned seed) {
    std::mt19937_64 generator(seed);
    std::uniform_real_distribution<double> uniform(-1, 1);
    record::RowBlock block;
    block.rows = count;
    block.columns = 3;
    block.values.resize(3 * count);
    for (std::size_t i = 0; i < count; ++i) {
      const double a = uniform(generator);
      const double b = uniform(generator);
      block.values[i] = a;
      block.values[count + i] = b;
      block.values[2 * count + i] = target(a, b);
      block.row_numbers.push_back(i);
    }
    return block;
  }
  static model::Accumulator folded(const record::RowBlock& rows) {
    model::Accumulator accumulator(3);
    accumulator.add(rows, 0, rows.rows);
    return accumulator;
  }

  Result<ChosenModel> choose(Target target) {
    return choose(rows_of(target, 600, 1), rows_of(target, 200, 2));
  }
  Result<ChosenModel> choose(const record::RowBlock& to_train, const record::RowBlock& held_out) {
    return choose_model({folded(to_train), folded(held_out), held_out, to_train}, {{"a", "b"}, "y"},
                        options, still_wanted);
  }

  ChoiceOptions options{std::string(kAuto), {50, 3, 0.2, 1000}, 1, true};
  std::function<Status()> still_wanted = [] { return Status{}; };
};

double plane(double a, double b) { return 3 + 2 * a - b; }
double steps(double a, double b) { return (a > 0 ? 5 : 0) + (b > 0.5 ? 3 : 0); }
double constant(double, double) { return 7; }

TEST_F(ModelChoice, keeps_the_one_that_does_better_on_the_held_out_rows) {
  const auto straight = choose(plane);
  ASSERT_TRUE(straight) << straight.error().message();
  EXPECT_EQ(straight->model->algorithm(), model::kLinear);
  const auto stepped = choose(steps);
  ASSERT_TRUE(stepped) << stepped.error().message();
  EXPECT_EQ(stepped->model->algorithm(), model::kBoosted);
  for (const ChosenModel* chosen : {&*straight, &*stepped}) {
    ASSERT_EQ(chosen->candidates.size(), 2u);
    EXPECT_EQ(chosen->candidates[0].algorithm, "linear");
    EXPECT_EQ(chosen->candidates[1].algorithm, "boosted");
    for (const auto& candidate : chosen->candidates) {
      EXPECT_EQ(candidate.rows, 600u);
      EXPECT_TRUE(candidate.has_held_out);
      EXPECT_EQ(candidate.held_out.mae_rows, 200u);
      EXPECT_EQ(candidate.failure, "");
    }
    EXPECT_TRUE(chosen->has_held_out);
    EXPECT_TRUE(chosen->notes.empty());
  }
  EXPECT_LT(straight->candidates[0].held_out.rmse, straight->candidates[1].held_out.rmse);
  EXPECT_LT(stepped->candidates[1].held_out.rmse, stepped->candidates[0].held_out.rmse);
  EXPECT_EQ(stepped->held_out.rmse, stepped->candidates[1].held_out.rmse);
}

TEST_F(ModelChoice, measures_what_the_kept_trees_predict) {
  const auto chosen = choose(steps);
  ASSERT_TRUE(chosen);
  const record::RowBlock rows = rows_of(steps, 200, 2);
  double squares = 0;
  double absolute = 0;
  for (std::size_t i = 0; i < rows.rows; ++i) {
    const std::vector<double> row{rows.value(i, 0), rows.value(i, 1)};
    double prediction = 0;
    chosen->model->predict(row, {&prediction, 1});
    const double error = prediction - rows.value(i, 2);
    squares += error * error;
    absolute += std::abs(error);
  }
  EXPECT_NEAR(chosen->held_out.rmse, std::sqrt(squares / 200), 1e-12);
  EXPECT_NEAR(chosen->held_out.mae, absolute / 200, 1e-12);
}

TEST_F(ModelChoice, trains_one_kind_alone_where_one_is_named) {
  options.algorithm = model::kLinear;
  const auto linear = choose(steps);
  ASSERT_TRUE(linear);
  EXPECT_EQ(linear->model->algorithm(), model::kLinear);
  EXPECT_EQ(linear->candidates.size(), 1u);
  options.algorithm = model::kBoosted;
  const auto boosted = choose(plane);
  ASSERT_TRUE(boosted);
  EXPECT_EQ(boosted->model->algorithm(), model::kBoosted);
  EXPECT_EQ(boosted->candidates.size(), 1u);
}

TEST_F(ModelChoice, keeps_the_linear_one_where_both_do_equally_well_or_nothing_is_held_out) {
  const auto equal = choose(constant);
  ASSERT_TRUE(equal) << equal.error().message();
  EXPECT_EQ(equal->candidates[0].held_out.rmse, equal->candidates[1].held_out.rmse);
  EXPECT_EQ(equal->model->algorithm(), model::kLinear);
  record::RowBlock none;
  none.columns = 3;
  const auto blind = choose(rows_of(steps, 600, 1), none);
  ASSERT_TRUE(blind) << blind.error().message();
  EXPECT_EQ(blind->model->algorithm(), model::kLinear);
  EXPECT_FALSE(blind->has_held_out);
  EXPECT_FALSE(blind->candidates[1].has_held_out);
}

TEST_F(ModelChoice, keeps_what_can_be_trained_where_the_other_cannot) {
  // A value that no float holds.
  record::RowBlock large = rows_of(plane, 600, 1);
  large.values[5] = 1e200;
  const auto linear = choose(large, rows_of(plane, 200, 2));
  ASSERT_TRUE(linear) << linear.error().message();
  EXPECT_EQ(linear->model->algorithm(), model::kLinear);
  EXPECT_THAT(linear->candidates[1].failure, HasSubstr("column 'a' has the value 1e+200"));
  EXPECT_THAT(linear->notes, testing::Contains(HasSubstr("no boosted model: ")));
  // Fewer rows than a linear model has unknowns.
  const auto boosted = choose(rows_of(plane, 2, 1), rows_of(plane, 200, 2));
  ASSERT_TRUE(boosted) << boosted.error().message();
  EXPECT_EQ(boosted->model->algorithm(), model::kBoosted);
  EXPECT_NE(boosted->candidates[0].failure, "");
  // Neither: told why as the linear one would be.
  large.values[5] = 1e301;
  const auto neither = choose(large, rows_of(plane, 200, 2));
  ASSERT_FALSE(neither);
  EXPECT_EQ(neither.error().code(), Code::kBadData);
  options.algorithm = model::kBoosted;
  EXPECT_FALSE(choose(large, rows_of(plane, 200, 2)));
}

TEST_F(ModelChoice, ends_when_it_is_no_longer_wanted_and_keeps_nothing) {
  still_wanted = []() -> Status { return fail(Code::kCancelled, "stop"); };
  const auto chosen = choose(steps);
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().code(), Code::kCancelled);
}

TEST_F(ModelChoice, says_what_was_grown_and_measured_on_samples) {
  const record::RowBlock to_train = rows_of(steps, 600, 1);
  const record::RowBlock held_out = rows_of(steps, 200, 2);
  options.algorithm = model::kBoosted;
  const auto chosen = choose_model(
      {folded(to_train), folded(held_out), rows_of(steps, 50, 2), rows_of(steps, 300, 1)},
      {{"a", "b"}, "y"}, options, still_wanted);
  ASSERT_TRUE(chosen) << chosen.error().message();
  EXPECT_EQ(chosen->candidates[0].rows, 300u);
  EXPECT_EQ(chosen->held_out.mae_rows, 50u);
  EXPECT_THAT(chosen->notes, testing::ElementsAre(HasSubstr("on 300 of the 600 rows to train on"),
                                                  HasSubstr("on 50 of the 200 held-out rows")));
}

TEST(GrowingRows, are_bounded_by_the_setting_and_by_memory) {
  registry::BoostedSettings settings;
  settings.rows_max = 1000;
  EXPECT_EQ(growing_rows_max(settings, 14), 1000u);
  settings.rows_max = 100'000'000;
  EXPECT_EQ(growing_rows_max(settings, 14), model::kGrowingValuesMax / 14);
  EXPECT_EQ(growing_rows_max(settings, 2048), model::kGrowingValuesMax / 2048);
}

}  // namespace
}  // namespace weir::train
