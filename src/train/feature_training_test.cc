// Training on columns that are more than numbers.
#include <gtest/gtest.h>

#include <cmath>

#include "base/simulated_clock.h"
#include "base/text.h"
#include "model/linear_model.h"
#include "model/prepared_model.h"
#include "store/memory_file_store.h"
#include "train/column_plan.h"
#include "train/dataset_training.h"
#include "train/predict_rows.h"
#include "train/quality_gate.h"

namespace weir::train {
namespace {

class FeatureTraining : public ::testing::Test {
 protected:
  FeatureTraining() {
    options.target = "y";
    options.threads = 1;
  }

  Result<TrainedModel> train_on(const std::string& csv) {
    store.put("/dataset/a.csv", csv);
    const registry::Dataset dataset = WEIR_TRY(folder.open("/dataset/a.csv"));
    return train_on_dataset(store, dataset, options,
                            [](const TrainingProgress&) { return Status{}; });
  }

  SimulatedClock clock;
  store::MemoryFileStore store{clock};
  registry::DatasetFolder folder{store, "/dataset", clock};
  TrainingOptions options;
};

// y = 2 a + 10 where the colour is red + 5 where it is blue, and every seventh `a` is missing.
std::string colours(int rows, bool gaps) {
  const char* const kColours[] = {"green", "red", "green", "blue", "green"};
  std::string csv = "a,colour,y\n";
  for (int i = 0; i < rows; ++i) {
    const double a = std::sin(i) * 10;
    const std::string colour = kColours[i % 5];
    const double y = 2 * a + (colour == "red" ? 10 : colour == "blue" ? 5 : 0);
    csv += (gaps && i % 7 == 0 ? "NA" : format_double(a)) + "," + colour + "," + format_double(y) +
           "\n";
  }
  return csv;
}

double predict(const model::Model& model, std::vector<double> row) {
  double value = 0;
  model.predict(row, {&value, 1});
  return value;
}

TEST_F(FeatureTraining, learns_what_each_category_is_worth) {
  const auto trained = train_on(colours(500, false));
  ASSERT_TRUE(trained) << trained.error().message();
  const model::Model& model = *trained->model;
  EXPECT_EQ(model.schema(), (record::Schema{{"a", "colour"}, "y"}));
  EXPECT_EQ(model.inputs().columns[1].categories,
            (std::vector<std::string>{"green", "blue", "red"}));
  EXPECT_NEAR(predict(model, {1, 0}), 2, 1e-12);
  EXPECT_NEAR(predict(model, {1, 1}), 7, 1e-12);
  EXPECT_NEAR(predict(model, {1, 2}), 12, 1e-12);
  EXPECT_EQ(predict(model, {1, 3}), predict(model, {1, 0})) << "unknown: as the most frequent";
  EXPECT_EQ(trained->manifest.algorithm, "linear");
  EXPECT_EQ(trained->manifest.feature_types, (std::vector<std::string>{"number", "category"}));
  EXPECT_NEAR(trained->manifest.held_out.rmse, 0, 1e-12);
  ASSERT_TRUE(trained->manifest.fit);
  EXPECT_EQ(trained->manifest.fit->features[1].name, "colour=blue");
  const auto parsed = model::parse_model(trained->model_json);
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ((*parsed)->to_json(), trained->model_json);
}

TEST_F(FeatureTraining, writes_the_held_out_rows_as_they_were) {
  options.features.missing = "mean";
  const std::string csv = colours(100, true);
  const auto trained = train_on(csv);
  ASSERT_TRUE(trained) << trained.error().message();
  std::string rest = trained->test_csv;
  EXPECT_TRUE(rest.starts_with("weir_row,a,colour,y\n"));
  rest.erase(0, rest.find('\n') + 1);
  int lines = 0;
  int gaps = 0;
  for (; !rest.empty(); ++lines) {
    std::string line = rest.substr(0, rest.find('\n'));
    rest.erase(0, line.size() + 1);
    line.erase(0, line.find(',') + 1);
    if (line.starts_with(',')) {
      line.insert(0, "NA");
      ++gaps;
    }
    EXPECT_NE(csv.find("\n" + line + "\n"), std::string::npos) << line;
  }
  EXPECT_GT(lines, 10);
  EXPECT_GT(gaps, 0);
}

TEST_F(FeatureTraining, has_the_same_bits_on_any_number_of_threads) {
  options.features.missing = "median";
  options.features.standardise = true;
  options.features.interactions = {"a*colour"};
  const std::string csv = colours(120'000, true);
  ASSERT_GT(csv.size(), 2'500'000u) << "several chunks";
  const auto one = train_on(csv);
  ASSERT_TRUE(one) << one.error().message();
  options.threads = 4;
  const auto four = train_on(csv);
  ASSERT_TRUE(four);
  EXPECT_EQ(one->model_json, four->model_json);
  EXPECT_EQ(one->test_csv, four->test_csv);
}

TEST_F(FeatureTraining, looks_through_all_rows_where_the_first_ones_told_too_little) {
  std::string csv = "a,note,y\n";
  for (int i = 0; i < 200'000; ++i)
    csv += std::to_string(i % 97) + ",1," + std::to_string(i % 97) + "\n";
  ASSERT_GT(csv.size(), kProfiledFirst);
  for (int i = 0; i < 300'000; ++i) csv += "5,x,5\n";
  const auto trained = train_on(csv);
  ASSERT_TRUE(trained) << trained.error().message();
  EXPECT_EQ(trained->manifest.rows_refused, 0u);
  EXPECT_EQ(trained->manifest.feature_types, (std::vector<std::string>{"number", "category"}));
}

TEST_F(FeatureTraining, looks_further_where_the_first_part_of_a_folder_holds_no_row) {
  store.put("/dataset/f/_SUCCESS", "");
  store.put("/dataset/f/part-0", "a,colour,y\n");
  store.put("/dataset/f/part-1", colours(200, false));
  const auto trained = train_on_dataset(store, *folder.open("/dataset/f"), options,
                                        [](const TrainingProgress&) { return Status{}; });
  ASSERT_TRUE(trained) << trained.error().message();
  EXPECT_EQ(trained->manifest.feature_types, (std::vector<std::string>{"number", "category"}));
}

TEST_F(FeatureTraining, refuses_rows_whose_logarithm_there_is_not) {
  options.features.log = {"a"};
  const auto refused = train_on("a,y\n1,2\n2,3\n0,3\n3,4\n4,5\n5,6\n");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("line 4, column 1 'a': not above 0"), std::string::npos)
      << refused.error().message();
}

TEST_F(FeatureTraining, compares_models_that_order_their_categories_in_another_way) {
  auto first = train_on(colours(500, false));
  ASSERT_TRUE(first);
  // The same colours, but red is the most frequent one now.
  std::string csv = "colour,a,y\n";
  for (int i = 0; i < 300; ++i) {
    const std::string colour = i % 2 ? "red" : i % 4 ? "blue" : "green";
    const double a = std::cos(i);
    csv += colour + "," + format_double(a) + "," +
           format_double(2 * a + (colour == "red"    ? 10
                                  : colour == "blue" ? 5
                                                     : 0)) +
           "\n";
  }
  const auto second = train_on(csv);
  ASSERT_TRUE(second) << second.error().message();
  registry::QualityBounds bounds;
  bounds.worse_than_live_max = 5;
  const LiveModel live{1, first->model, ""};
  const auto verdict = judge_quality(*second->model, live, second->held_out_sample, bounds);
  ASSERT_TRUE(verdict) << verdict.error().message();
  ASSERT_TRUE(verdict->live) << verdict->not_compared;
  EXPECT_NEAR(*verdict->live->rmse, 0, 1e-10);
}

TEST_F(FeatureTraining, does_not_compare_with_a_model_that_takes_the_columns_for_something_else) {
  const auto verdict_on = [&](const TrainedModel& live, const TrainedModel& candidate) {
    registry::QualityBounds bounds;
    bounds.worse_than_live_max = 5;
    return judge_quality(*candidate.model, {1, live.model, ""}, candidate.held_out_sample, bounds)
        ->not_compared;
  };
  const auto colour_names = train_on(colours(200, false));
  options.features.missing = "mean";
  const auto with_gaps = train_on(colours(200, true));
  std::string numbers = "a,colour,y\n";
  for (int i = 0; i < 200; ++i) numbers += std::to_string(i) + "," + std::to_string(i % 3) + ",1\n";
  const auto colour_numbers = train_on(numbers);
  ASSERT_TRUE(colour_names && with_gaps && colour_numbers);
  EXPECT_EQ(verdict_on(*colour_numbers, *colour_names),
            "column 'colour' is a category now, and a number for that model");
  EXPECT_EQ(verdict_on(*colour_names, *with_gaps),
            "column 'a' is missing in some rows, which that model does not take");
}

}  // namespace
}  // namespace weir::train
