// The eleven sets of NIST for linear regression, against the values that NIST certifies to 15
// digits. What NumPy and R reach on them stands in docs/benchmarks/accuracy.md; bench/accuracy/run
// measures it anew, and reads the figures of this suite.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "model/linear_fit.h"
#include "model/test_tables.h"

namespace weir::model {
namespace {

struct Digits {
  double coefficients;
  double standard_errors;
  double residual_standard_deviation;
  double r_squared;
};

struct Case {
  const char* set;
  // At least; with the rows at hand all but those of R² are what exact arithmetic gives on the
  // doubles that the decimals read as, and what the certified 15 digits can tell.
  Digits from_rows;
  Digits from_triangle;  // as with sets that are too large for their rows to be kept
};

void PrintTo(const Case& instance, std::ostream* out) { *out << instance.set; }

nlohmann::json certified(const std::string& set) {
  std::ifstream file(std::string(WEIR_SOURCE_DIR) + "/src/model/testdata/strd/certified.json");
  return nlohmann::json::parse(file).at(set);
}

double worst_digits(const std::vector<double>& found, const std::vector<double>& expected) {
  EXPECT_EQ(found.size(), expected.size());
  double worst = 15;
  for (std::size_t i = 0; i < found.size(); ++i) {
    worst = std::min(worst, digits(found[i], expected[i]));
  }
  return worst;
}

Digits digits_of(const FitReport& report, const nlohmann::json& expected) {
  std::vector<double> values;
  std::vector<double> errors;
  const auto add = [&](const Estimate& estimate) {
    values.push_back(estimate.value);
    errors.push_back(estimate.standard_error.value_or(NAN));
  };
  if (expected.at("intercept").get<bool>()) add(report.intercept);
  for (const Estimate& feature : report.features) add(feature);
  return {worst_digits(values, expected.at("coefficients")),
          worst_digits(errors, expected.at("standard_errors")),
          digits(*report.residual_standard_deviation, expected.at("residual_standard_deviation")),
          digits(*report.r_squared, expected.at("r_squared"))};
}

class Strd : public testing::TestWithParam<Case> {
 protected:
  static Digits measure(const std::string& set, RowKeeping keeping) {
    const nlohmann::json expected = certified(set);
    const Rows rows = strd_rows(set, expected.at("degree"));
    FitOptions options;
    options.intercept = expected.at("intercept");
    const auto fit =
        fit_linear(accumulate(rows, keeping), schema_of(rows.at(0).size() - 1), options);
    EXPECT_TRUE(fit) << (fit ? "" : fit.error().message());
    EXPECT_THAT(fit->report.notes, testing::IsEmpty());
    const Digits found = digits_of(fit->report, expected);
    RecordProperty("set", set);
    RecordProperty("coefficients", std::to_string(found.coefficients));
    RecordProperty("standard_errors", std::to_string(found.standard_errors));
    RecordProperty("residual_standard_deviation",
                   std::to_string(found.residual_standard_deviation));
    RecordProperty("r_squared", std::to_string(found.r_squared));
    return found;
  }

  static void expect(const Digits& found, const Digits& least) {
    EXPECT_GE(found.coefficients, least.coefficients);
    EXPECT_GE(found.standard_errors, least.standard_errors);
    EXPECT_GE(found.residual_standard_deviation, least.residual_standard_deviation);
    EXPECT_GE(found.r_squared, least.r_squared);
  }
};

TEST_P(Strd, reaches_the_certified_values_where_the_rows_are_few) {
  expect(measure(GetParam().set, RowKeeping::kWhileFew), GetParam().from_rows);
}

TEST_P(Strd, reaches_the_certified_values_from_the_triangle_alone) {
  expect(measure(GetParam().set, RowKeeping::kNone), GetParam().from_triangle);
}

INSTANTIATE_TEST_SUITE_P(
    Nist, Strd,
    testing::Values(Case{"norris", {14.0, 13.9, 14.0, 15}, {12.3, 13.9, 14.1, 15}},
                    Case{"pontius", {13.5, 13.7, 13.7, 15}, {12.8, 13.9, 13.9, 15}},
                    Case{"noint1", {14.7, 15, 15, 15}, {14.7, 15, 15, 15}},
                    Case{"noint2", {15, 14.9, 15, 15}, {15, 14.8, 15, 15}},
                    Case{"filip", {7.8, 7.8, 8.4, 10.6}, {8.1, 7.6, 8.4, 10.5}},
                    Case{"longley", {14.6, 14.7, 15, 15}, {14.1, 14.6, 15, 15}},
                    Case{"wampler1", {15, 15, 15, 15}, {10.0, 10.0, 10.0, 15}},
                    Case{"wampler2", {13.1, 15, 15, 15}, {13.6, 14.6, 14.6, 15}},
                    Case{"wampler3", {15, 13.7, 14.8, 15}, {9.9, 13.7, 14.6, 15}},
                    Case{"wampler4", {15, 13.7, 14.8, 15}, {8.3, 13.7, 14.8, 15}},
                    Case{"wampler5", {15, 13.7, 14.7, 14.7}, {6.3, 13.7, 14.7, 13.3}}),
    [](const auto& instance) { return std::string(instance.param.set); });

}  // namespace
}  // namespace weir::model
