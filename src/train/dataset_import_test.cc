#include "train/dataset_import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/sha256.h"
#include "model/linear_model.h"
#include "registry/model_document.h"
#include "store/memory_file_store.h"
#include "train/quality_gate.h"

namespace weir::train {
namespace {

using testing::HasSubstr;

// y = 1 + 2 a - b; with what the rows say of it.
std::string model_json(double intercept = 1) {
  return model::LinearModel::make({{"a", "b"}, "y"}, intercept, {2.0, -1})->to_json();
}
constexpr const char* kRows = "weir_row,a,b,y\n0,1,2,1.5\n4,2,0,5\n9,3,1,5.5\n";

class DatasetImport : public ::testing::Test {
 protected:
  DatasetImport() { options.target = "other"; }

  registry::Dataset dataset(const std::string& bytes) {
    EXPECT_TRUE(store.make_directories("/dataset"));
    EXPECT_TRUE(store.remove("/dataset/d.model.json"));
    EXPECT_TRUE(store::create_from(store, "/dataset/d.model.json", bytes));
    return registry::DatasetFolder(store, "/dataset").open("/dataset/d.model.json").value();
  }
  Result<TrainedModel> make(const std::string& bytes) {
    const auto going_on = [](const TrainingProgress&) { return Status(); };
    const auto train_on_rows = [this](const registry::Dataset& rows,
                                      const ProgressFunction& progress) {
      return train_on_dataset(store, rows, options, progress);
    };
    return make_model(store, dataset(bytes), options, train_on_rows, going_on);
  }
  std::string document(const std::string& rows, double intercept = 1) const {
    const registry::ModelOrigin origin{"m.txt", "ab", "LightGBM, text of v4", {"so"}, 0};
    return registry::write_model_document(model_json(intercept), origin, rows);
  }

  store::MemoryFileStore store;
  TrainingOptions options;
};

TEST_F(DatasetImport, takes_the_model_as_it_is_and_measures_it_on_the_rows_it_brought) {
  const std::string bytes = document(kRows);
  const auto made = make(bytes);
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->model_json, model_json());
  EXPECT_EQ(made->test_csv, kRows);
  EXPECT_EQ(made->held_out_sample.rows, 3U);
  const registry::Manifest& manifest = made->manifest;
  EXPECT_EQ(manifest.algorithm, "linear");
  EXPECT_EQ(manifest.schema.target, "y") << "the model's, not that of the settings";
  EXPECT_EQ(manifest.dataset_sha256, sha256_hex(bytes));
  EXPECT_EQ(manifest.rows, 3U);
  EXPECT_EQ(manifest.rows_held_out, 3U);
  EXPECT_EQ(manifest.rows_trained, 0U);
  ASSERT_TRUE(manifest.imported);
  EXPECT_EQ(manifest.imported->tool, "LightGBM, text of v4");
  EXPECT_EQ(manifest.imported->model_bytes, model_json().size());
  EXPECT_EQ(manifest.notes, std::vector<std::string>{"so"});
  ASSERT_TRUE(manifest.has_held_out);
  EXPECT_DOUBLE_EQ(manifest.held_out.rmse, std::sqrt(0.5 / 3));
  EXPECT_DOUBLE_EQ(manifest.held_out.mae, 1.0 / 3);
}

TEST_F(DatasetImport, makes_no_figures_up_where_there_are_no_rows) {
  const auto made = make(document(""));
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_FALSE(made->manifest.has_held_out);
  EXPECT_EQ(made->manifest.rows, 0U);
  EXPECT_EQ(made->test_csv, "weir_row,a,b,y\n");
}

TEST_F(DatasetImport, takes_a_bare_model_file) {
  const auto made = make(model_json());
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->manifest.imported->file, "");
}

TEST_F(DatasetImport, trains_on_what_is_no_model_whatever_its_name) {
  options.target = "y";
  std::string csv = "a,b,y\n";
  for (int i = 0; i < 60; ++i) csv += std::to_string(i) + "," + std::to_string(i * i % 7) + ",1\n";
  const auto made = make(csv);
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_FALSE(made->manifest.imported);
  EXPECT_EQ(made->manifest.rows, 60U);
  EXPECT_EQ(make("").error().code(), Code::kBadData);
}

TEST_F(DatasetImport, refuses_a_document_that_was_changed_and_a_model_that_gives_no_number) {
  std::string changed = document(kRows);
  changed[changed.find("\"intercept\": 1") + 13] = '2';
  EXPECT_EQ(make(changed).error().code(), Code::kCorrupt);
  EXPECT_THAT(make(changed).error().message(), HasSubstr("importing the model"));
  const auto endless = make(document("weir_row,a,b,y\n0,1e308,2,3\n1,1.7e308,-1e308,1\n"));
  ASSERT_FALSE(endless);
  EXPECT_EQ(endless.error().code(), Code::kBadData);
  EXPECT_THAT(endless.error().message(), HasSubstr("no finite number for row 0"));
}

TEST_F(DatasetImport, meets_bounds_of_quality_by_the_rows_it_brought_and_by_nothing_else) {
  const registry::ModelRegistry models(store, "/MLmodel");
  const registry::QualityBounds bounds{0.9, std::nullopt};
  auto good = make(document(kRows));
  ASSERT_TRUE(good);
  EXPECT_TRUE(pass_quality_gate(*good, bounds, models, 0, ""));
  EXPECT_EQ(good->manifest.quality->rows, 3U);
  auto bad = make(document(kRows, 50));
  ASSERT_TRUE(bad);
  EXPECT_THAT(pass_quality_gate(*bad, bounds, models, 0, "").error().message(),
              HasSubstr("model.require.r2"));
  auto unmeasured = make(document(""));
  ASSERT_TRUE(unmeasured);
  const auto verdict = pass_quality_gate(*unmeasured, bounds, models, 0, "");
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().code(), Code::kBadData);
  EXPECT_THAT(verdict.error().message(), HasSubstr("--evaluate-on"));
  EXPECT_TRUE(pass_quality_gate(*unmeasured, {}, models, 0, ""));
}

}  // namespace
}  // namespace weir::train
