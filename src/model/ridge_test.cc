// Against normal equations in long double, written without anything of this room's arithmetic.

#include "model/ridge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/linear_fit.h"
#include "model/test_tables.h"

namespace weir::model {
namespace {

using Real = long double;
using Square = std::vector<std::vector<Real>>;

Square inverse_of(Square a) {
  const std::size_t n = a.size();
  Square inverse(n, std::vector<Real>(n));
  for (std::size_t i = 0; i < n; ++i) inverse[i][i] = 1;
  for (std::size_t k = 0; k < n; ++k) {
    const Real pivot = a[k][k];
    for (std::size_t j = 0; j < n; ++j) {
      a[k][j] /= pivot;
      inverse[k][j] /= pivot;
    }
    for (std::size_t i = 0; i < n; ++i) {
      if (i == k) continue;
      const Real factor = a[i][k];
      for (std::size_t j = 0; j < n; ++j) {
        a[i][j] -= factor * a[k][j];
        inverse[i][j] -= factor * inverse[k][j];
      }
    }
  }
  return inverse;
}

struct Expected {
  double intercept = 0;
  std::vector<double> coefficients;
  double effective_parameters = 0;
  double cross_validated_rmse = 0;
  double residual_standard_deviation = 0;
};

Expected by_definition(const Rows& rows, Real penalty, bool intercept) {
  const std::size_t n = rows.size();
  const std::size_t p = rows[0].size() - 1;
  std::vector<Real> mean(p + 1);
  std::vector<Real> scale(p);
  for (std::size_t j = 0; j <= p && intercept; ++j) {
    for (const auto& row : rows) mean[j] += row[j] / Real(n);
  }
  for (std::size_t j = 0; j < p; ++j) {
    for (const auto& row : rows) scale[j] += (row[j] - mean[j]) * (row[j] - mean[j]) / Real(n);
    scale[j] = std::sqrt(scale[j]);
  }
  const auto z = [&](std::size_t i, std::size_t j) { return (rows[i][j] - mean[j]) / scale[j]; };
  Square gram(p, std::vector<Real>(p));
  std::vector<Real> right(p);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < p; ++j) {
      for (std::size_t k = 0; k < p; ++k) gram[j][k] += z(i, j) * z(i, k);
      right[j] += z(i, j) * (rows[i][p] - mean[p]);
    }
  }
  Square penalised = gram;
  for (std::size_t j = 0; j < p; ++j) penalised[j][j] += Real(n) * penalty;
  const Square inverse = inverse_of(penalised);
  std::vector<Real> b(p);
  Real trace = 0;
  for (std::size_t j = 0; j < p; ++j) {
    for (std::size_t k = 0; k < p; ++k) {
      b[j] += inverse[j][k] * right[k];
      trace += inverse[j][k] * gram[k][j];
    }
  }
  Expected expected;
  Real constant = mean[p];
  Real squares = 0;
  for (std::size_t i = 0; i < n; ++i) {
    Real rest = rows[i][p] - mean[p];
    for (std::size_t j = 0; j < p; ++j) rest -= b[j] * z(i, j);
    squares += rest * rest;
  }
  for (std::size_t j = 0; j < p; ++j) {
    expected.coefficients.push_back(double(b[j] / scale[j]));
    constant -= b[j] / scale[j] * mean[j];
  }
  const Real parameters = trace + (intercept ? 1 : 0);
  expected.intercept = double(intercept ? constant : 0);
  expected.effective_parameters = double(trace);
  expected.cross_validated_rmse = double(std::sqrt(squares / Real(n)) / (1 - parameters / Real(n)));
  expected.residual_standard_deviation = double(std::sqrt(squares / (Real(n) - parameters)));
  return expected;
}

LinearFit fit(const Rows& rows, std::optional<double> ridge, bool intercept = true) {
  auto result = fit_linear(accumulate(rows), schema_of(rows.at(0).size() - 1),
                           {.intercept = intercept, .ridge = ridge});
  EXPECT_TRUE(result) << (result ? "" : result.error().message());
  return std::move(result.value());
}

void expect_equal(const FitReport& report, const Expected& expected) {
  EXPECT_GT(digits(report.intercept.value, expected.intercept), 10);
  for (std::size_t j = 0; j < expected.coefficients.size(); ++j) {
    EXPECT_GT(digits(report.features[j].value, expected.coefficients[j]), 11) << j;
  }
  EXPECT_GT(digits(report.ridge->effective_parameters, expected.effective_parameters), 11);
  EXPECT_GT(digits(*report.residual_standard_deviation, expected.residual_standard_deviation), 12);
}

Rows noisy_rows(std::size_t count, std::size_t features, double noise) {
  Rows rows = random_rows(count, features);
  std::mt19937_64 generator(9);
  std::normal_distribution<double> normal;
  for (auto& row : rows) {
    row[1] = row[0] + 0.1 * normal(generator);  // nearly alike, so that a penalty helps
    row.back() += noise * normal(generator);
  }
  return rows;
}

TEST(Ridge, equals_normal_equations_on_standardised_features) {
  const Rows rows = noisy_rows(300, 5, 2);
  for (const double penalty : {1e-6, 0.01, 1.0, 50.0, 1e6}) {
    expect_equal(fit(rows, penalty).report, by_definition(rows, penalty, true));
    expect_equal(fit(rows, penalty, false).report, by_definition(rows, penalty, false));
  }
}

TEST(Ridge, equals_them_on_the_boston_table) {
  const Rows rows = read_table("data/boston.csv").rows;
  expect_equal(fit(rows, 0.05).report, by_definition(rows, 0.05, true));
}

TEST(Ridge, leaves_the_share_that_was_promised_of_a_feature_that_is_independent) {
  Rows rows;
  for (int i = 0; i < 400; ++i) {
    const double a = i % 2 ? 1000 : 3000;
    const double b = i / 2 % 2 ? -1e-3 : 1e-3;
    rows.push_back({a, b, 7 + 2 * a - 5e6 * b});
  }
  const FitReport report = fit(rows, 0.25).report;
  EXPECT_NEAR(report.features[0].value, 2 / 1.25, 1e-12);
  EXPECT_NEAR(report.features[1].value, -5e6 / 1.25, 1e-5);
  EXPECT_NEAR(report.ridge->effective_parameters, 2 / 1.25, 1e-12);
  // The mean is met: the constant term has no penalty.
  EXPECT_NEAR(report.intercept.value + 2 / 1.25 * 2000, 7 + 2 * 2000, 1e-9);
}

TEST(Ridge, finds_the_penalty_of_the_least_cross_validated_error) {
  const Rows rows = noisy_rows(60, 5, 20);
  for (const bool intercept : {true, false}) {
    const FitReport report = fit(rows, std::nullopt, intercept).report;
    const RidgeReport& ridge = *report.ridge;
    ASSERT_EQ(ridge.curve.size(), penalties_to_try().size() + 1);
    EXPECT_EQ(ridge.curve[0].penalty, 0);
    double least = HUGE_VAL;
    double best = -1;
    for (const PenaltyTried& tried : ridge.curve) {
      const Expected expected = by_definition(rows, tried.penalty, intercept);
      EXPECT_GT(digits(tried.cross_validated_rmse, expected.cross_validated_rmse), 11)
          << tried.penalty;
      if (expected.cross_validated_rmse < least) best = tried.penalty;
      least = std::min(least, expected.cross_validated_rmse);
    }
    EXPECT_GT(best, 0);
    EXPECT_EQ(ridge.penalty, best);
    EXPECT_TRUE(ridge.automatic);
    expect_equal(report, by_definition(rows, best, intercept));
  }
}

// What cross-validation promises: less error on rows that were never seen.
TEST(Ridge, predicts_unseen_rows_better_than_no_penalty_where_features_are_many_and_noise_is_loud) {
  std::mt19937_64 generator(4);
  std::normal_distribution<double> normal;
  const auto draw = [&](std::size_t count) {
    Rows rows(count, std::vector<double>(31));
    for (auto& row : rows) {
      row[30] = 0;
      for (std::size_t j = 0; j < 30; ++j) {
        row[j] = normal(generator);
        row[30] += 0.2 * row[j] + 0.7 * normal(generator);
      }
    }
    return rows;
  };
  const Rows train = draw(45);
  const Rows unseen = draw(2000);
  const auto error = [&](const LinearModel& model) {
    double squares = 0;
    for (const auto& row : unseen) {
      double prediction = 0;
      model.predict(std::span(row).first(30), {&prediction, 1});
      squares += (prediction - row[30]) * (prediction - row[30]);
    }
    return squares;
  };
  EXPECT_LT(error(fit(train, std::nullopt).model), 0.75 * error(fit(train, 0.0).model));
}

TEST(Ridge, finds_no_penalty_best_where_the_fit_is_exact) {
  Rows rows = random_rows(500, 3);
  for (auto& row : rows) row[3] = 2 * row[0] - row[1] + 7;
  const FitReport report = fit(rows, std::nullopt).report;
  EXPECT_EQ(report.ridge->penalty, 0);
  EXPECT_EQ(report.features[0].value, fit(rows, 0.0).report.features[0].value);
  EXPECT_TRUE(report.features[0].standard_error);
}

TEST(Ridge, shares_the_coefficient_among_equal_columns_and_drops_constant_ones_alone) {
  Rows rows = random_rows(400, 4);
  for (auto& row : rows) {
    row[2] = row[0];
    row[3] = 0.1;
  }
  const FitReport report = fit(rows, 0.1).report;
  EXPECT_GT(digits(report.features[2].value, report.features[0].value), 12);
  EXPECT_FALSE(report.features[2].dropped);
  EXPECT_TRUE(report.features[3].dropped);
  EXPECT_THAT(report.notes, testing::ElementsAre("column 'x4' is constant; its coefficient is 0"));
}

TEST(Ridge, claims_no_standard_errors) {
  const FitReport report = fit(noisy_rows(300, 3, 2), 0.1).report;
  EXPECT_FALSE(report.intercept.standard_error);
  EXPECT_FALSE(report.features[0].standard_error);
  EXPECT_FALSE(report.features[0].t_value);
}

TEST(Ridge, gives_the_mean_where_every_feature_is_constant) {
  Rows rows;
  for (int i = 0; i < 30; ++i) rows.push_back({5, double(i % 3)});
  for (const std::optional<double> ridge : {std::optional<double>(0.5), std::optional<double>()}) {
    const FitReport report = fit(rows, ridge).report;
    EXPECT_EQ(report.intercept.value, 1);
    EXPECT_EQ(report.ridge->effective_parameters, 0);
  }
}

TEST(Ridge, does_not_look_for_a_penalty_among_too_many_features) {
  const std::size_t features = kPenaltySearchFeaturesMax + 1;
  const auto result = fit_linear(accumulate(random_rows(600, features)), schema_of(features),
                                 {.intercept = true, .ridge = std::nullopt});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::kBadData);
  EXPECT_THAT(result.error().message(), testing::HasSubstr("501 features"));
}

}  // namespace
}  // namespace weir::model
