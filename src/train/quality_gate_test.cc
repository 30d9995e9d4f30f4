#include "train/quality_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/sha256.h"
#include "model/linear_model.h"
#include "store/memory_file_store.h"

namespace weir::train {
namespace {

using registry::QualityBounds;
using testing::HasSubstr;

// y = a + 2 b and then 0.1, 0, -0.1, … of error: predicting that plane has RMSE 0.0816 and R²
// 0.998.
record::RowBlock sample() {
  record::RowBlock rows;
  rows.rows = 6;
  rows.columns = 3;
  rows.values = {0,   1, 2,   0,   1, 2,  // a
                 0,   0, 0,   1,   1, 1,  // b
                 0.1, 1, 1.9, 2.1, 3, 3.9};
  rows.row_numbers = {0, 1, 2, 3, 4, 5};
  return rows;
}

std::shared_ptr<const model::Model> plane(double intercept,
                                          record::Schema schema = {{"a", "b"}, "y"},
                                          std::vector<double> coefficients = {1, 2}) {
  return std::make_shared<model::LinearModel>(
      model::LinearModel::make(std::move(schema), intercept, std::move(coefficients)).value());
}

class QualityGate : public ::testing::Test {
 protected:
  Result<registry::QualityVerdict> judge(double intercept, const LiveModel& live) const {
    return judge_quality(*plane(intercept), live, sample(), bounds);
  }

  QualityBounds bounds;
};

TEST_F(QualityGate, lets_a_model_pass_that_meets_what_is_asked_and_notes_the_figures) {
  bounds = {0.9, 5};
  const auto verdict = judge(0, {3, plane(0.5), ""});
  ASSERT_TRUE(verdict) << verdict.error().message();
  EXPECT_EQ(verdict->required, bounds);
  EXPECT_EQ(verdict->rows, 6u);
  EXPECT_EQ(verdict->live_version, 3u);
  EXPECT_NEAR(*verdict->candidate.rmse, 0.0816497, 1e-6);
  EXPECT_NEAR(*verdict->candidate.r2, 1 - 0.04 / 9.24, 1e-6);
  EXPECT_NEAR(*verdict->live->rmse, 0.5066228, 1e-6);
  EXPECT_EQ(verdict->not_compared, "");
}

TEST_F(QualityGate, refuses_a_model_below_the_least_r_squared) {
  bounds.r2 = 0.9;
  const auto verdict = judge(1, {});
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().code(), Code::kBadData);
  EXPECT_THAT(verdict.error().message(), HasSubstr("(model.require.r2): R² 0.3"));
  EXPECT_THAT(verdict.error().message(), HasSubstr("at least 0.9 required"));
  EXPECT_THAT(verdict.error().message(), HasSubstr("on 6 held-out rows"));
  bounds.r2 = 0.3;
  EXPECT_TRUE(judge(1, {}));
}

TEST_F(QualityGate, refuses_a_model_that_is_worse_than_the_one_in_force_by_more_than_the_margin) {
  // Errors about 0.4 and 0.5: RMSE 0.408 and 0.507, 24 % more.
  bounds.worse_than_live_max = 25;
  EXPECT_TRUE(judge(0.5, {7, plane(0.4), ""}));
  bounds.worse_than_live_max = 23;
  const auto verdict = judge(0.5, {7, plane(0.4), ""});
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().code(), Code::kBadData);
  EXPECT_THAT(verdict.error().message(), HasSubstr("(model.require.worse_than_live_max)"));
  EXPECT_THAT(verdict.error().message(), HasSubstr("RMSE 0.5066, that of model 7 0.4082"));
  bounds.r2 = 0.99;
  EXPECT_THAT(judge(0.5, {7, plane(0.4), ""}).error().message(),
              HasSubstr("model.require.r2 and model.require.worse_than_live_max"));
}

TEST_F(QualityGate, takes_errors_that_are_rounding_alone_for_equal) {
  bounds.worse_than_live_max = 0;
  record::RowBlock exact = sample();
  exact.values.resize(12);
  exact.values.insert(exact.values.end(), {0, 1, 2, 2, 3, 4});
  EXPECT_TRUE(judge_quality(*plane(1e-15), {7, plane(0), ""}, exact, bounds));
  EXPECT_FALSE(judge_quality(*plane(1e-9), {7, plane(0), ""}, exact, bounds));
}

TEST_F(QualityGate, asks_nothing_of_the_first_model_but_the_bounds_of_its_own) {
  bounds = {0.9, 0};
  const auto verdict = judge(0, {});
  ASSERT_TRUE(verdict);
  EXPECT_FALSE(verdict->live);
  EXPECT_EQ(verdict->not_compared, "");
}

TEST_F(QualityGate, gives_the_model_in_force_its_columns_by_name) {
  bounds.worse_than_live_max = 0;
  const auto turned = plane(0, {{"b", "a"}, "y"}, {2, 1});
  EXPECT_NEAR(*judge(0, {2, turned, ""})->live->rmse, 0.0816497, 1e-6);
  const auto fewer = plane(0, {{"b"}, "y"}, {2});
  EXPECT_GT(*judge(0, {2, fewer, ""})->live->rmse, 1);
}

TEST_F(QualityGate, says_why_the_model_in_force_is_not_compared) {
  bounds.worse_than_live_max = 0;
  const auto other = judge(9, {2, plane(0, {{"a", "c"}, "y"}), ""});
  ASSERT_TRUE(other);
  EXPECT_EQ(other->not_compared, "the data set has no column 'c', or leaves it out");
  EXPECT_FALSE(other->live);
  EXPECT_EQ(judge(9, {2, plane(0, {{"a", "b"}, "z"}), ""})->not_compared,
            "it predicts 'z', this one 'y'");
  EXPECT_EQ(judge(9, {2, nullptr, "lost"})->not_compared, "lost");
  EXPECT_THAT(registry::quality_text(*other), HasSubstr("not compared with the model in force"));
}

TEST_F(QualityGate, takes_no_model_whose_predictions_leave_the_numbers) {
  bounds = {std::nullopt, 5};
  const auto boundless = plane(0, {{"a", "b"}, "y"}, {1e308, 1e308});
  const auto verdict = judge_quality(*boundless, {7, plane(0.4), ""}, sample(), bounds);
  ASSERT_FALSE(verdict);
  EXPECT_THAT(verdict.error().message(), HasSubstr("RMSE undefined, that of model 7 0.4082"));
  EXPECT_TRUE(judge_quality(*plane(9), {7, boundless, ""}, sample(), bounds));
}

TEST_F(QualityGate, does_not_judge_without_rows) {
  bounds.r2 = 0;
  const auto verdict = judge_quality(*plane(0), {}, {0, 3, {}, {}}, bounds);
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().code(), Code::kBadData);
  EXPECT_THAT(verdict.error().message(), HasSubstr("dataset.test_fraction"));
}

TEST_F(QualityGate, finds_the_model_in_force_in_the_models_folder) {
  store::MemoryFileStore store;
  registry::ModelRegistry models(store, "/models");
  EXPECT_EQ(load_live_model(models, 0, "")->version, 0u);
  const auto missing = load_live_model(models, 4, std::string(64, 'a'));
  ASSERT_TRUE(missing) << "what is lost is no reason to keep it";
  EXPECT_THAT(missing->why_none, HasSubstr("no model version 4 in"));

  TrainedModel trained;
  trained.model = plane(0.4);
  trained.model_json = trained.model->to_json();
  trained.held_out_sample = sample();
  registry::Manifest manifest;
  manifest.version = 4;
  manifest.algorithm = model::kLinear;
  manifest.schema = trained.model->schema();
  manifest.model_sha256 = sha256_hex(trained.model_json);
  ASSERT_TRUE(models.publish(manifest, trained.model_json, "", CrashPoints()));
  EXPECT_TRUE(pass_quality_gate(trained, {}, models, 4, manifest.model_sha256));
  EXPECT_FALSE(trained.manifest.quality) << "nothing was asked";
  ASSERT_TRUE(pass_quality_gate(trained, {0.5, 0}, models, 4, manifest.model_sha256));
  EXPECT_EQ(trained.manifest.quality->live->rmse, trained.manifest.quality->candidate.rmse);

  store.put("/models/0000000004/model.json", "{");
  EXPECT_THAT(load_live_model(models, 4, manifest.model_sha256)->why_none, HasSubstr("sha256"));
}

}  // namespace
}  // namespace weir::train
