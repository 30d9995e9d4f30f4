#include "watch/drift_meter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace weir::watch {
namespace {

using record::Input;
using record::InputKind;
using record::Inputs;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

std::vector<double> normals(std::size_t count, double mean, double deviation, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(mean, deviation);
  std::vector<double> values(count);
  for (double& value : values) value = normal(random);
  return values;
}

double psi_of(const std::vector<double>& model, const std::vector<double>& now) {
  DriftMeter meter(1, {}, model, 1'000'000);
  for (const double value : now) meter.add({&value, 1});
  return meter.psi(0);
}

TEST(DriftMeter, gives_the_index_that_one_works_out_by_hand) {
  // Forty rows, twenty of each value: cuts at 1 and 2, and nothing below, above or missing.
  std::vector<double> model(20, 1);
  model.insert(model.end(), 20, 2);
  std::vector<double> now(10, 1);
  now.insert(now.end(), 30, 2);
  const auto part = [](double now_count, double model_count) {
    const double actual = (now_count + 0.5) / 42.5;  // five bins
    const double expected = (model_count + 0.5) / 42.5;
    return (actual - expected) * std::log(actual / expected);
  };
  EXPECT_NEAR(psi_of(model, now), part(10, 20) + part(30, 20), 1e-12);
}

TEST(DriftMeter, of_the_same_rows_is_zero) {
  const auto rows = normals(1'000, 5, 2, 1);
  EXPECT_NEAR(psi_of(rows, rows), 0, 1e-12);
}

TEST(DriftMeter, is_about_what_chance_gives_where_nothing_has_changed) {
  double sum = 0;
  double by_chance = 0;
  double highest = 0;
  for (unsigned seed = 1; seed <= 200; ++seed) {
    const auto model = normals(500, 5, 2, seed);
    DriftMeter meter(1, {}, model, 1'000'000);
    for (const double value : normals(1'000, 5, 2, seed + 1'000)) meter.add({&value, 1});
    sum += meter.psi(0);
    by_chance = meter.by_chance(0);
    highest = std::max(highest, meter.psi(0));
  }
  EXPECT_NEAR(sum / 200 / by_chance, 1, 0.35);
  EXPECT_LT(highest, 0.1) << "nothing to speak of";
}

TEST(DriftMeter, is_high_where_values_shift_or_spread) {
  const auto model = normals(1'000, 5, 2, 1);
  // Of normals a standard deviation apart the integral that it stands for is 1.
  EXPECT_NEAR(psi_of(model, normals(5'000, 7, 2, 2)), 1, 0.25);
  EXPECT_GT(psi_of(model, normals(5'000, 5, 4, 3)), 0.25);
  EXPECT_LT(psi_of(model, normals(5'000, 5.1, 2, 4)), 0.05);
}

TEST(DriftMeter, sees_values_that_a_constant_never_had) {
  const std::vector<double> model(100, 3);
  EXPECT_NEAR(psi_of(model, std::vector<double>(50, 3)), 0, 0.02);
  EXPECT_GT(psi_of(model, std::vector<double>(50, 2.9)), 1) << "below";
  EXPECT_GT(psi_of(model, std::vector<double>(50, 3.1)), 1) << "above";
}

TEST(DriftMeter, counts_categories_and_what_is_missing) {
  Inputs inputs;
  inputs.columns = {Input{InputKind::kCategory, false, false, {"red", "green"}},
                    Input{InputKind::kNumber, true, false, {}}};
  std::vector<double> model;
  for (int i = 0; i < 200; ++i) {
    model.push_back(i % 2);
    model.push_back(i % 10 == 0 ? kMissing : i);
  }
  const auto psi = [&](double category, double number, std::size_t feature) {
    DriftMeter meter(2, inputs, model, 1'000'000);
    for (int i = 0; i < 200; ++i) {
      const double row[] = {category < 0 ? i % 2 : category,
                            number < 0 ? (i % 10 == 0 ? kMissing : i) : number};
      meter.add(row);
    }
    return meter.psi(feature);
  };
  EXPECT_NEAR(psi(-1, -1, 0), 0, 1e-12);
  EXPECT_NEAR(psi(-1, -1, 1), 0, 1e-12);
  EXPECT_GT(psi(0, -1, 0), 1) << "one of two";
  EXPECT_GT(psi(2, -1, 0), 1) << "none that the model knew";
  EXPECT_GT(psi(7, -1, 0), 1) << "a number beyond any is one of the others";
  EXPECT_GT(psi(-1, kMissing, 1), 1);
}

TEST(DriftMeter, of_a_feature_that_was_always_missing_sees_when_it_comes) {
  Inputs inputs;
  inputs.columns = {Input{InputKind::kNumber, true, false, {}}};
  DriftMeter meter(1, inputs, std::vector<double>(50, kMissing), 100);
  for (int i = 0; i < 50; ++i) meter.add(std::vector<double>{1.0});
  EXPECT_GT(meter.psi(0), 1);
}

TEST(DriftMeter, forgets_what_is_older_than_its_window) {
  const auto model = normals(1'000, 0, 1, 1);
  DriftMeter meter(1, {}, model, 400);
  for (const double value : normals(5'000, 9, 1, 2)) meter.add({&value, 1});
  EXPECT_GT(meter.psi(0), 1);
  for (const double value : normals(600, 0, 1, 3)) meter.add({&value, 1});
  EXPECT_LT(meter.psi(0), 0.15);
  EXPECT_GE(meter.rows(), 200u);
  EXPECT_LE(meter.rows(), 400u);
}

TEST(DriftMeter, takes_every_double) {
  const double most = std::numeric_limits<double>::max();
  const std::vector<double> model = {-most, most, 0.0, -0.0, 1e-308};
  DriftMeter meter(1, {}, model, 10);
  for (const double value : {HUGE_VAL, -HUGE_VAL, kMissing, most, -most, 0.0}) {
    meter.add({&value, 1});
  }
  EXPECT_TRUE(std::isfinite(meter.psi(0)));
  DriftMeter none(1, {}, std::vector<double>(), 10);
  none.add(std::vector<double>{1.0});
  EXPECT_TRUE(std::isfinite(none.psi(0)));
}

}  // namespace
}  // namespace weir::watch
