// Data that no fit can make sense of, in all mixtures: whatever comes, there is a model whose every
// number is finite, or a refusal that names the column.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "model/linear_fit.h"
#include "model/metrics.h"
#include "model/test_tables.h"

namespace weir::model {
namespace {

constexpr double kSmallest = std::numeric_limits<double>::denorm_min();

// A column of one of the kinds that are known to be trouble.
std::vector<double> column(int kind, std::size_t rows, std::mt19937_64& generator,
                           const Rows& columns_before) {
  std::normal_distribution<double> normal;
  std::vector<double> values(rows);
  const double constant = normal(generator);
  const std::size_t other = columns_before.empty() ? 0 : generator() % columns_before.size();
  for (std::size_t i = 0; i < rows; ++i) {
    const double random = normal(generator);
    switch (kind) {
      case 0: values[i] = random; break;
      case 1: values[i] = constant; break;
      case 2: values[i] = 0; break;
      case 3: values[i] = columns_before.empty() ? 1 : columns_before[other][i]; break;
      case 4: values[i] = columns_before.empty() ? -0.0 : -3 * columns_before[other][i]; break;
      case 5: values[i] = 1e300 * std::sin(random); break;
      case 6: values[i] = 1e-300 * random; break;
      case 7: values[i] = kSmallest * std::floor(8 * random); break;
      case 8: values[i] = i == rows / 2 ? 1e300 : random; break;
      case 9: values[i] = i % 2 ? 1e300 : kSmallest; break;
      case 10: values[i] = 1e15 + std::floor(3 * random); break;
      case 11: values[i] = random < 0 ? -1e300 : 1e300; break;
      default: values[i] = i + 1 == rows ? 1 : 0; break;
    }
    if (!(std::abs(values[i]) <= kValueMax)) values[i] = 1e300;
  }
  return values;
}

void expect_finite(const std::optional<double>& value) {
  EXPECT_TRUE(std::isfinite(value.value_or(0)));
}

void expect_finite(const Estimate& estimate) {
  EXPECT_TRUE(std::isfinite(estimate.value));
  EXPECT_TRUE(!estimate.dropped || estimate.value == 0);
  expect_finite(estimate.standard_error);
  expect_finite(estimate.t_value);
}

void expect_sound(const LinearFit& fit, const Accumulator& rows) {
  const FitReport& report = fit.report;
  expect_finite(report.residual_standard_deviation);
  expect_finite(report.r_squared);
  expect_finite(report.intercept);
  EXPECT_TRUE(std::isfinite(fit.model.intercept()));
  for (std::size_t j = 0; j < report.features.size(); ++j) {
    const Estimate& feature = report.features[j];
    expect_finite(feature);
    EXPECT_TRUE(std::isfinite(fit.model.coefficients()[j]));
    if (!feature.dropped) continue;
    const auto names = testing::HasSubstr("column '" + feature.name + "' is ");
    EXPECT_THAT(report.notes, testing::Contains(names));
  }
  if (report.ridge) {
    expect_finite(report.ridge->effective_parameters);
    for (const PenaltyTried& tried : report.ridge->curve) {
      expect_finite(tried.cross_validated_rmse);
    }
  }
  const auto metrics = held_out_metrics(rows, fit.model);
  ASSERT_TRUE(metrics);
  expect_finite(metrics->rmse);
  expect_finite(metrics->r_squared);
}

void expect_named_refusal(const Error& error, std::size_t rows, std::size_t parameters) {
  EXPECT_EQ(error.code(), Code::kBadData);
  if (rows < parameters) {
    EXPECT_THAT(error.message(), testing::HasSubstr("rows for"));
  } else {
    EXPECT_THAT(error.message(), testing::HasSubstr("beyond the range of a double"));
    EXPECT_THAT(error.message(),
                testing::AnyOf(testing::HasSubstr("column 'x"), testing::HasSubstr("intercept")));
  }
}

struct Tally {
  int fitted = 0;
  int refused = 0;
};

void try_one(unsigned seed, RowKeeping keeping, Tally& tally) {
  std::mt19937_64 generator(seed);
  const std::size_t features = 1 + generator() % 5;
  const std::size_t count = 1 + generator() % (generator() % 4 == 0 ? 6 : 600);
  Rows columns;
  for (std::size_t j = 0; j <= features; ++j) {
    columns.push_back(column(static_cast<int>(generator() % 13), count, generator, columns));
  }
  Rows rows(count, std::vector<double>(features + 1));
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j <= features; ++j) rows[i][j] = columns[j][i];
  }
  const Accumulator accumulated = accumulate(rows, keeping);
  const std::optional<double> penalties[] = {0.0, 0.0, 0.1, std::nullopt};
  const FitOptions options{generator() % 3 != 0, penalties[generator() % 4]};
  const auto fit = fit_linear(accumulated, schema_of(features), options);
  SCOPED_TRACE("seed " + std::to_string(seed));
  if (fit) {
    ++tally.fitted;
    expect_sound(*fit, accumulated);
  } else {
    ++tally.refused;
    expect_named_refusal(fit.error(), count, features + (options.intercept ? 1 : 0));
  }
}

TEST(DegenerateData, gives_a_finite_model_or_a_refusal_that_names_the_column) {
  Tally tally;
  for (unsigned seed = 0; seed < 6000 && !testing::Test::HasFailure(); ++seed) {
    try_one(seed, seed % 2 ? RowKeeping::kNone : RowKeeping::kWhileFew, tally);
  }
  EXPECT_GT(tally.fitted, 2000);
  EXPECT_GT(tally.refused, 100);
}

TEST(DegenerateData, learns_from_values_of_1e300_and_of_1e_minus_300) {
  for (const double size : {1e300, 1e-300, 1e-306}) {
    for (const RowKeeping keeping : {RowKeeping::kNone, RowKeeping::kWhileFew}) {
      Rows rows;
      for (int i = 0; i < 900; ++i) {
        const double x = std::sin(double(i));
        rows.push_back({size * x, 2 * x + 3});
      }
      const auto fit = fit_linear(accumulate(rows, keeping), schema_of(1));
      ASSERT_TRUE(fit);
      if (std::isfinite(2 / size)) {
        EXPECT_GT(digits(fit->report.features[0].value, 2 / size), 12) << size;
      }
      EXPECT_GT(digits(fit->report.intercept.value, 3), 13) << size;
    }
  }
}

TEST(DegenerateData, takes_columns_of_the_smallest_numbers_for_what_they_are) {
  Rows rows;
  for (int i = 0; i < 300; ++i) rows.push_back({kSmallest * (i % 4), double(i % 4)});
  const auto fit = fit_linear(accumulate(rows), schema_of(1));
  // 1 / 5e-324 is beyond a double: refused by name, not passed on as infinity.
  ASSERT_FALSE(fit);
  EXPECT_THAT(fit.error().message(), testing::HasSubstr("column 'x1'"));
}

}  // namespace
}  // namespace weir::model
