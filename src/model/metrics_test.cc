#include "model/metrics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "model/linear_fit.h"
#include "model/test_tables.h"

namespace weir::model {
namespace {

struct Pairs {
  std::vector<double> predictions;
  std::vector<double> actuals;
};

Pairs pairs_of(const LinearModel& model, const Rows& rows) {
  Pairs pairs;
  for (const auto& row : rows) {
    double prediction = 0;
    model.predict(std::span(row).first(row.size() - 1), {&prediction, 1});
    pairs.predictions.push_back(prediction);
    pairs.actuals.push_back(row.back());
  }
  return pairs;
}

Metrics by_definition(const Pairs& pairs) {
  const auto count = static_cast<long double>(pairs.actuals.size());
  long double mean = 0;
  for (const double actual : pairs.actuals) mean += actual / count;
  long double squared = 0;
  long double absolute = 0;
  long double variation = 0;
  for (std::size_t i = 0; i < pairs.actuals.size(); ++i) {
    const long double error = static_cast<long double>(pairs.predictions[i]) - pairs.actuals[i];
    squared += error * error;
    absolute += std::abs(error);
    variation += (pairs.actuals[i] - mean) * (pairs.actuals[i] - mean);
  }
  return {pairs.actuals.size(), static_cast<double>(std::sqrt(squared / count)),
          static_cast<double>(absolute / count), static_cast<double>(1 - squared / variation)};
}

Metrics by_sums(const Pairs& pairs, std::size_t parts = 1) {
  std::vector<ErrorSums> sums(parts);
  for (std::size_t i = 0; i < pairs.actuals.size(); ++i) {
    sums[i * parts / pairs.actuals.size()].add(pairs.predictions[i], pairs.actuals[i]);
  }
  for (std::size_t part = 1; part < parts; ++part) sums[0].merge(sums[part]);
  return sums[0].metrics();
}

TEST(HeldOutMetrics, equal_the_definition_on_rows_the_model_has_not_seen) {
  const auto fit = fit_linear(accumulate(random_rows(3000, 4, 1)), schema_of(4));
  Rows held_out = random_rows(1000, 4, 2);
  for (auto& row : held_out) row[4] += row[0] * row[1] / 50;
  const auto metrics = held_out_metrics(accumulate(held_out), fit->model);
  ASSERT_TRUE(metrics);
  const Metrics expected = by_definition(pairs_of(fit->model, held_out));
  EXPECT_EQ(metrics->rows, 1000U);
  EXPECT_GT(digits(*metrics->rmse, *expected.rmse), 12);
  EXPECT_GT(digits(*metrics->r_squared, *expected.r_squared), 12);
  EXPECT_FALSE(metrics->mae);
}

TEST(HeldOutMetrics, equal_the_definition_on_every_fourth_row_of_the_boston_table) {
  const Table table = read_table("data/boston.csv");
  Rows train;
  Rows held_out;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    (i % 4 == 0 ? held_out : train).push_back(table.rows[i]);
  }
  const record::Schema schema{{table.names.begin(), table.names.end() - 1}, table.names.back()};
  const auto fit = fit_linear(accumulate(train), schema);
  ASSERT_TRUE(fit) << fit.error().message();
  const auto metrics = held_out_metrics(accumulate(held_out), fit->model);
  const Metrics expected = by_definition(pairs_of(fit->model, held_out));
  EXPECT_GT(digits(*metrics->rmse, *expected.rmse), 12);
  EXPECT_GT(digits(*metrics->r_squared, *expected.r_squared), 12);
  EXPECT_GT(*metrics->r_squared, 0.6);
}

TEST(HeldOutMetrics, are_absent_where_the_rows_do_not_define_them) {
  const auto model = LinearModel::make(schema_of(1), 1, {2});
  const auto none = held_out_metrics(Accumulator(2), *model);
  ASSERT_TRUE(none);
  EXPECT_EQ(none->rows, 0U);
  EXPECT_FALSE(none->rmse);
  const auto constant = held_out_metrics(accumulate({{1, 5}, {2, 5}, {4, 5}}), *model);
  EXPECT_GT(digits(*constant->rmse, std::sqrt((4 + 0 + 16) / 3.0)), 14);
  EXPECT_FALSE(constant->r_squared);
  const auto single = held_out_metrics(accumulate({{1, 5}}), *model);
  EXPECT_GT(digits(*single->rmse, 2), 14);
  EXPECT_FALSE(single->r_squared);
}

TEST(HeldOutMetrics, hold_for_targets_far_from_the_model_in_scale) {
  const auto model = LinearModel::make(schema_of(1), 1e200, {1e-200});
  const Rows rows{{1, 1e-200}, {2, 3e-200}, {-4, 2e-200}};
  const auto metrics = held_out_metrics(accumulate(rows), *model);
  EXPECT_GT(digits(*metrics->rmse, 1e200), 14);
  EXPECT_FALSE(metrics->r_squared);  // beyond the range of a double
}

TEST(HeldOutMetrics, refuse_bad_values_and_another_width) {
  const auto model = LinearModel::make(schema_of(1), 1, {2});
  EXPECT_EQ(held_out_metrics(accumulate({{1, std::nan("")}}), *model).error().code(),
            Code::kBadData);
  EXPECT_EQ(held_out_metrics(accumulate({{1, 2, 3}}), *model).error().code(),
            Code::kInvalidArgument);
}

TEST(ErrorSums, equal_the_definition_in_one_part_and_in_many) {
  const auto model = LinearModel::make(schema_of(3), 2, {-1.4, -0.6, 0.5});
  Rows rows = random_rows(5000, 3);
  for (auto& row : rows) row[3] += 1e6;
  const Pairs pairs = pairs_of(*model, rows);
  const Metrics expected = by_definition(pairs);
  for (const std::size_t parts : {1U, 2U, 7U}) {
    const Metrics metrics = by_sums(pairs, parts);
    EXPECT_EQ(metrics.rows, 5000U);
    EXPECT_GT(digits(*metrics.rmse, *expected.rmse), 14);
    EXPECT_GT(digits(*metrics.mae, *expected.mae), 14);
    EXPECT_GT(digits(*metrics.r_squared, *expected.r_squared), 13);
  }
}

TEST(ErrorSums, do_not_drift_over_many_equal_errors) {
  ErrorSums sums;
  for (int i = 0; i < 10'000'000; ++i) sums.add(0.1, i % 2);
  EXPECT_GT(digits(*sums.metrics().mae, 0.5), 14.5);
  EXPECT_GT(digits(*sums.metrics().rmse, std::sqrt((0.01 + 0.81) / 2)), 14.5);
}

TEST(ErrorSums, leave_absent_what_is_not_defined) {
  EXPECT_FALSE(ErrorSums().metrics().rmse);
  ErrorSums constant;
  for (int i = 0; i < 9; ++i) constant.add(i, 0.7);
  EXPECT_TRUE(constant.metrics().rmse);
  EXPECT_FALSE(constant.metrics().r_squared);
  ErrorSums huge;
  huge.add(1e300, -1e300);
  huge.add(-1e300, 1e300);
  EXPECT_FALSE(huge.metrics().rmse);
  EXPECT_TRUE(huge.metrics().mae);
}

}  // namespace
}  // namespace weir::model
