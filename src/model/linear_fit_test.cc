#include "model/linear_fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "model/test_tables.h"

namespace weir::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

LinearFit fit(const Rows& rows, const FitOptions& options = {}) {
  auto result = fit_linear(accumulate(rows), schema_of(rows.at(0).size() - 1), options);
  EXPECT_TRUE(result) << (result ? "" : result.error().message());
  return std::move(result.value());
}

Error refusal(const Rows& rows) {
  const auto result = fit_linear(accumulate(rows), schema_of(rows.at(0).size() - 1));
  EXPECT_FALSE(result);
  return result ? Error(Code::kInternal, "was not refused") : result.error();
}

// ---- reference data sets (those of NIST: strd_test.cc) ----

// Normal equations solved with 80 decimal digits (mpmath) from the doubles that the file's decimals
// read as.
TEST(LinearFit, agrees_on_the_boston_table_with_80_digit_arithmetic) {
  const std::vector<std::pair<double, double>> exact = {
      {-0.108011357836796641, 0.0328649941829477856},
      {0.0464204583668812051, 0.0137274615428855661},
      {0.0205586263670711024, 0.0614956889520850112},
      {2.68673381934488729, 0.861579756209923101},
      {-17.7666112283001326, 3.81974370740254994},
      {3.80986520680921658, 0.417925253809592147},
      {0.000692224640344435883, 0.0132097819836819279},
      {-1.47556684560025342, 0.19945473465910976},
      {0.306049478985173683, 0.0663464402885202567},
      {-0.0123345939165744329, 0.00376053644626791826},
      {-0.95274723170728973, 0.130826755875019989},
      {0.00931168327379385776, 0.00268596494242872768},
      {-0.524758377855489201, 0.0507152782024784267}};
  const Table table = read_table("data/boston.csv");
  ASSERT_EQ(table.rows.size(), 506U);
  ASSERT_EQ(table.names.back(), "medv");
  const FitReport report = fit(table.rows).report;
  EXPECT_GT(digits(report.intercept.value, 36.4594883850899069), 12);
  EXPECT_GT(digits(*report.intercept.standard_error, 5.10345881063739355), 12);
  for (std::size_t j = 0; j < exact.size(); ++j) {
    EXPECT_GT(digits(report.features[j].value, exact[j].first), 11) << table.names[j];
    EXPECT_GT(digits(*report.features[j].standard_error, exact[j].second), 12) << table.names[j];
  }
  EXPECT_GT(digits(*report.residual_standard_deviation, 4.74529818169963101), 13);
  EXPECT_GT(digits(*report.r_squared, 0.740642664109409357), 13);
}

// ---- what cannot be told apart ----

TEST(LinearFit, gives_a_constant_column_the_coefficient_zero_and_says_so) {
  Rows rows = random_rows(1000, 4);
  for (auto& row : rows) row[1] = 0.1;
  const FitReport report = fit(rows).report;
  EXPECT_EQ(report.features[1].value, 0);
  EXPECT_TRUE(report.features[1].dropped);
  EXPECT_FALSE(report.features[1].standard_error);
  EXPECT_THAT(report.notes, ElementsAre("column 'x2' is constant; its coefficient is 0"));
  EXPECT_NEAR(report.features[0].value, -1.5, 0.05);
  EXPECT_EQ(report.degrees_of_freedom, 1000U - 4);
}

TEST(LinearFit, drops_the_later_of_two_equal_columns) {
  Rows rows = random_rows(5000, 4);
  for (auto& row : rows) row[3] = row[0];
  const LinearFit result = fit(rows);
  EXPECT_TRUE(result.report.features[3].dropped);
  EXPECT_EQ(result.report.features[3].value, 0);
  EXPECT_FALSE(result.report.features[0].dropped);
  EXPECT_THAT(result.report.notes, ElementsAre("column 'x4' is a linear combination of the columns "
                                               "before it; its coefficient is 0"));
  for (auto& row : rows) row.erase(row.begin() + 3);
  const LinearFit without = fit(rows);
  for (std::size_t j = 0; j < 3; ++j) {
    EXPECT_NEAR(result.report.features[j].value, without.report.features[j].value, 1e-12);
  }
}

TEST(LinearFit, drops_the_last_of_the_indicators_that_add_up_to_one) {
  Rows rows = random_rows(3000, 3);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < 3; ++j) rows[i][j] = i * i % 7 % 3 == j ? 1 : 0;
  }
  const FitReport report = fit(rows).report;
  EXPECT_FALSE(report.features[0].dropped);
  EXPECT_FALSE(report.features[1].dropped);
  EXPECT_TRUE(report.features[2].dropped);
}

TEST(LinearFit, keeps_a_column_that_is_nearly_but_truly_not_dependent) {
  Rows rows = random_rows(2000, 3);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i][2] = rows[i][0] + 1e-9 * std::sin(static_cast<double>(i));
  }
  EXPECT_THAT(fit(rows).report.notes, IsEmpty());
}

// The third is a million times the small difference of the first two: its own values are right to
// 16 digits, but those of which it is made leave ten.
TEST(LinearFit, drops_what_only_the_rounding_of_columns_that_are_nearly_alike_tells_apart) {
  for (const RowKeeping keeping : {RowKeeping::kNone, RowKeeping::kWhileFew}) {
    Rows rows = random_rows(5000, 3);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      rows[i][1] = rows[i][0] + 1e-6 * std::sin(static_cast<double>(i));
      rows[i][2] = 1e6 * (rows[i][1] - rows[i][0]);
    }
    const auto result = fit_linear(accumulate(rows, keeping), schema_of(3));
    ASSERT_TRUE(result);
    EXPECT_FALSE(result->report.features[1].dropped);
    EXPECT_TRUE(result->report.features[2].dropped);
  }
}

TEST(LinearFit, gives_the_bits_of_exact_arithmetic_where_the_rows_are_few) {
  Rows rows;
  for (int i = 0; i < 300; ++i) {
    const double x = 1000 + i;
    rows.push_back({x, x * x, x * x * x, 7 - 3 * x + 2 * x * x - x * x * x});
  }
  const FitReport report = fit(rows).report;
  EXPECT_EQ(report.intercept.value, 7);
  EXPECT_EQ(report.features[0].value, -3);
  EXPECT_EQ(report.features[1].value, 2);
  EXPECT_EQ(report.features[2].value, -1);
}

TEST(LinearFit, predicts_the_mean_where_every_feature_is_constant) {
  Rows rows = random_rows(100, 2);
  double mean = 0;
  for (auto& row : rows) {
    row[0] = 7;
    row[1] = 0;
    mean += row[2] / 100;
  }
  const FitReport report = fit(rows).report;
  EXPECT_EQ(report.notes.size(), 2U);
  EXPECT_NEAR(report.intercept.value, mean, 1e-12);
  EXPECT_NEAR(*report.r_squared, 0, 1e-14);
}

TEST(LinearFit, predicts_a_constant_target_exactly_and_says_so) {
  Rows rows = random_rows(700, 3);
  for (auto& row : rows) row[3] = 0.3;
  const FitReport report = fit(rows).report;
  EXPECT_EQ(report.intercept.value, 0.3);
  for (const Estimate& feature : report.features) EXPECT_EQ(feature.value, 0);
  EXPECT_FALSE(report.r_squared);
  EXPECT_THAT(report.notes, ElementsAre("the target 'y' is constant"));
}

TEST(LinearFit, fits_as_many_rows_as_unknowns_exactly_without_an_error_estimate) {
  const FitReport report = fit({{1, 2, 9}, {2, 1, 8}, {4, 4, 21}}).report;
  EXPECT_EQ(report.degrees_of_freedom, 0U);
  EXPECT_FALSE(report.residual_standard_deviation);
  EXPECT_FALSE(report.features[0].standard_error);
  EXPECT_NEAR(report.intercept.value + report.features[0].value + 2 * report.features[1].value, 9,
              1e-12);
}

// ---- what is refused ----

TEST(LinearFit, refuses_fewer_rows_than_unknowns) {
  const Error error = refusal({{1, 2, 3}, {4, 5, 7}});
  EXPECT_EQ(error.code(), Code::kBadData);
  EXPECT_THAT(error.message(), HasSubstr("2 rows for 3 unknowns"));
}

TEST(LinearFit, refuses_no_rows_and_no_features) {
  const auto no_rows = fit_linear(Accumulator(3), schema_of(2));
  ASSERT_FALSE(no_rows);
  EXPECT_EQ(no_rows.error().code(), Code::kBadData);
  const auto no_features = fit_linear(accumulate({{1}, {2}, {3}}), schema_of(0));
  ASSERT_FALSE(no_features);
  EXPECT_EQ(no_features.error().code(), Code::kBadData);
}

TEST(LinearFit, refuses_values_that_are_not_finite_or_too_large_and_names_the_column) {
  for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL, 1.7e308, -1e301}) {
    for (const std::size_t place : {0U, 100U, 255U, 256U, 999U}) {
      for (const std::size_t column : {0U, 2U, 3U}) {
        Rows rows = random_rows(1000, 3);
        rows[place][column] = bad;
        const Error error = refusal(rows);
        EXPECT_EQ(error.code(), Code::kBadData);
        const record::Schema schema = schema_of(3);
        const std::string& name = column == 3 ? schema.target : schema.features[column];
        EXPECT_THAT(error.message(), HasSubstr("column '" + name + "'")) << bad << " at " << place;
      }
    }
  }
}

TEST(LinearFit, refuses_a_schema_of_another_width) {
  const auto result = fit_linear(accumulate(random_rows(50, 3)), schema_of(2));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::kInvalidArgument);
}

TEST(LinearFit, refuses_more_columns_than_can_be_trained_on) {
  record::RowBlock block;
  block.rows = 1;
  block.columns = 5000;
  block.values.assign(5000, 1.0);
  Accumulator accumulator(5000);
  accumulator.add(block, 0, 1);
  const auto result = fit_linear(accumulator, schema_of(4999));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::kBadData);
  EXPECT_THAT(result.error().message(), HasSubstr("2048"));
}

TEST(LinearFit, refuses_a_coefficient_that_no_double_can_hold) {
  Rows rows;
  for (int i = 0; i < 20; ++i) rows.push_back({i * 1e-300, i % 3 * 1.0, i * 1e300 / 20});
  const Error error = refusal(rows);
  EXPECT_EQ(error.code(), Code::kBadData);
  EXPECT_THAT(error.message(), HasSubstr("'x1'"));
}

// ---- scale ----

TEST(LinearFit, gives_equal_bits_for_columns_scaled_by_powers_of_two) {
  const Rows rows = random_rows(3000, 3);
  Rows scaled = rows;
  for (auto& row : scaled) {
    row[0] = std::ldexp(row[0], 800);
    row[1] = std::ldexp(row[1], -800);
    row[3] = std::ldexp(row[3], 50);
  }
  const FitReport plain = fit(rows).report;
  const FitReport other = fit(scaled).report;
  EXPECT_EQ(other.features[0].value, std::ldexp(plain.features[0].value, 50 - 800));
  EXPECT_EQ(other.features[1].value, std::ldexp(plain.features[1].value, 50 + 800));
  EXPECT_EQ(other.features[2].value, std::ldexp(plain.features[2].value, 50));
  EXPECT_EQ(other.intercept.value, std::ldexp(plain.intercept.value, 50));
  EXPECT_EQ(*other.features[1].t_value, *plain.features[1].t_value);
}

TEST(LinearFit, keeps_its_digits_for_tiny_spreads_about_a_large_mean) {
  Rows rows;
  for (int i = 0; i < 5000; ++i) {
    const double x = 1.7e9 + i;
    const double z = std::ldexp(i * i % 97, -20);
    rows.push_back({x, z, 2 * (x - 1.7e9) - 3 * z + 5});
  }
  const FitReport report = fit(rows).report;
  EXPECT_GT(digits(report.features[0].value, 2), 13);
  EXPECT_GT(digits(report.features[1].value, -3), 10);
}

TEST(LinearFit, survives_a_column_whose_size_explodes_after_many_zeros) {
  Rows rows = random_rows(3000, 2);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i][1] = i < 1000   ? 0
                 : i < 2000 ? 1e-290 * std::cos(double(i))
                            : 1e290 * std::cos(double(i));
    rows[i][2] = 4 * rows[i][0] + 1;
  }
  const FitReport report = fit(rows).report;
  EXPECT_GT(digits(report.features[0].value, 4), 13);
  EXPECT_LT(std::abs(report.features[1].value), 1e-300);
}

TEST(LinearFit, keeps_its_digits_where_the_first_block_is_unlike_the_rest) {
  Rows rows = random_rows(20'000, 3);
  for (auto& row : rows) row[3] = 2 * row[0] - row[1] + 0.5 * row[2] + 7;
  for (std::size_t j = 0; j < 3; ++j) rows[0][j] = 1e6;
  rows[0][3] = 1.5e6 + 7;
  const FitReport report = fit(rows).report;
  EXPECT_GT(digits(report.features[0].value, 2), 12);
  EXPECT_GT(digits(report.intercept.value, 7), 11);
}

// ---- without an intercept ----

TEST(LinearFit, fits_through_the_origin_where_asked) {
  Rows rows;
  double xy = 0;
  double xx = 0;
  for (int i = 0; i < 1000; ++i) {
    const double x = 100 + i % 17;
    const double y = 3 * x + i % 5;
    rows.push_back({x, 0, y});
    xy += x * y;
    xx += x * x;
  }
  const FitReport report = fit(rows, {.intercept = false}).report;
  EXPECT_EQ(report.intercept.value, 0);
  EXPECT_GT(digits(report.features[0].value, xy / xx), 13);
  EXPECT_THAT(report.notes, ElementsAre("column 'x2' is zero; its coefficient is 0"));
  EXPECT_EQ(report.degrees_of_freedom, 999U);
}

TEST(LinearFit, keeps_a_constant_column_where_there_is_no_intercept) {
  Rows rows = random_rows(1000, 3);
  const FitReport with = fit(rows).report;
  for (auto& row : rows) row.insert(row.begin(), 2.0);
  const FitReport without = fit(rows, {.intercept = false}).report;
  EXPECT_THAT(without.notes, IsEmpty());
  EXPECT_NEAR(2 * without.features[0].value, with.intercept.value, 1e-11);
  EXPECT_NEAR(without.features[1].value, with.features[0].value, 1e-12);
}

TEST(LinearFit, reaches_the_wampler_values_through_the_origin_with_a_column_of_ones) {
  Rows rows = strd_rows("wampler1", 5);
  for (auto& row : rows) row.insert(row.begin(), 1.0);
  for (const Estimate& feature : fit(rows, {.intercept = false}).report.features) {
    EXPECT_EQ(feature.value, 1) << feature.name;
  }
}

}  // namespace
}  // namespace weir::model
