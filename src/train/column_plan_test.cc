#include "train/column_plan.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/simulated_clock.h"
#include "store/memory_file_store.h"

namespace weir::train {
namespace {

class ColumnPlanning : public ::testing::Test {
 protected:
  ColumnPlanning() { options.target = "y"; }

  Result<ColumnPlan> plan(const std::string& csv) {
    store.put("/dataset/a.csv", csv);
    const registry::Dataset dataset = WEIR_TRY(folder.open("/dataset/a.csv"));
    const auto profile =
        WEIR_TRY(profile_all_rows(store, dataset, options, [](std::uint64_t) { return Status{}; }));
    all_rows = needs_all_rows(profile, options);
    return plan_columns(profile, options);
  }
  std::vector<std::string> terms(const std::string& csv) {
    const auto made = plan(csv);
    EXPECT_TRUE(made) << made.error().message();
    if (!made || !made->preparation) return {};
    return made->preparation->term_schema().features;
  }
  void expect_refused(const std::string& csv, const std::vector<std::string>& words) {
    const auto made = plan(csv);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code(), Code::kBadData);
    for (const std::string& word : words) {
      EXPECT_NE(made.error().message().find(word), std::string::npos) << made.error().message();
    }
  }

  SimulatedClock clock;
  store::MemoryFileStore store{clock};
  registry::DatasetFolder folder{store, "/dataset", clock};
  TrainingOptions options;
  bool all_rows = false;
};

const std::string kHouses =
    "id,rm,zone,built,note,y\n"
    "1,4,east,2001-01-02,,10\n"
    "2,,west,2001-01-01,,20\n"
    "3,5,east,2001-01-05,,30\n"
    "4,9,south,,,40\n";

TEST_F(ColumnPlanning, leaves_numbers_as_they_are) {
  const auto made = plan("a,b,y\n1,2,3\n4,5,6\n");
  ASSERT_TRUE(made);
  EXPECT_FALSE(made->preparation);
  EXPECT_TRUE(made->ignored.empty());
  EXPECT_FALSE(all_rows);
}

TEST_F(ColumnPlanning, makes_terms_of_what_the_columns_hold) {
  options.drop_columns = {"id"};
  const auto made = plan(kHouses);
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_TRUE(all_rows);
  EXPECT_EQ(made->ignored, std::vector<std::string>{"note"});
  ASSERT_EQ(made->notes.size(), 1u);
  EXPECT_EQ(made->notes[0], "column 'note' is ignored: it holds no value");
  ASSERT_TRUE(made->preparation);
  EXPECT_EQ(made->preparation->schema(), (record::Schema{{"rm", "zone", "built"}, "y"}));
  // The most frequent category is what the others are compared with.
  EXPECT_EQ(made->preparation->term_schema().features,
            (std::vector<std::string>{"rm", "zone=south", "zone=west", "built"}));
  const auto& inputs = made->preparation->inputs();
  EXPECT_EQ(inputs.columns[1].categories, (std::vector<std::string>{"east", "south", "west"}));
  EXPECT_FALSE(inputs.columns[0].may_be_missing) << "such rows are refused";
  // Days since the first one.
  const auto& days = made->preparation->terms()[3];
  EXPECT_EQ(days.shift, 978'307'200);
  EXPECT_EQ(days.scale, 86'400);
}

TEST_F(ColumnPlanning, fills_what_is_missing) {
  options.drop_columns = {"id", "note", "zone"};
  const std::vector<std::string> wanted{"rm", "rm is missing", "built", "built is missing"};
  options.features.missing = "mean";
  EXPECT_EQ(terms(kHouses), wanted);
  EXPECT_EQ(plan(kHouses)->preparation->fills()[0], 6);
  options.features.missing = "median";
  EXPECT_EQ(plan(kHouses)->preparation->fills()[0], 5);
  EXPECT_EQ(plan(kHouses)->preparation->fills()[1], 978'393'600);
  options.features.missing = "-2.5";
  EXPECT_EQ(plan(kHouses)->preparation->fills()[0], -2.5);
  EXPECT_EQ(plan(kHouses)->preparation->fills()[1], 978'393'600) << "a number is no moment";
  EXPECT_EQ(plan(kHouses)->notes[0],
            "column 'rm' is missing in 25.0 % of the rows, filled with -2.5");
  options.features.missing = "median";
  EXPECT_FALSE(plan("a,y\n1,2\n3,4\n")->preparation) << "nothing was missing";
  EXPECT_TRUE(all_rows) << "but it might have been, further down";
}

TEST_F(ColumnPlanning, tells_a_few_categories_apart_and_the_others_as_one) {
  options.features.categories_max = 2;
  EXPECT_EQ(terms("c,y\na,1\na,1\na,1\nb,1\nb,1\nc,1\nd,1\n"),
            (std::vector<std::string>{"c=b", "c=(other)"}));
}

TEST_F(ColumnPlanning, does_as_the_types_say) {
  options.features.types = {"zip=category", "when=ignored", "n=number"};
  const auto made = plan("zip,when,n,y\n1,x,5,1\n2,z,q,1\n2,w,q,1\n");
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->ignored, std::vector<std::string>{"when"});
  EXPECT_TRUE(made->notes.empty()) << "it was asked for";
  EXPECT_EQ(made->preparation->term_schema().features, (std::vector<std::string>{"zip=1", "n"}));
}

TEST_F(ColumnPlanning, adds_logarithms_and_products) {
  options.features.log = {"a"};
  options.features.interactions = {"a*b", "c*a"};
  const std::string csv = "a,b,c,y\n1,2,u,1\n2,3,v,1\n3,4,u,1\n4,5,w,1\n";
  EXPECT_EQ(terms(csv),
            (std::vector<std::string>{"a", "b", "c=v", "c=w", "ln(a)", "a*b", "c=v*a", "c=w*a"}));
  EXPECT_TRUE(plan(csv)->preparation->inputs().columns[0].positive);
  options.features.interactions = {"a*b"};
  options.drop_columns = {"c"};
  plan(csv);
  EXPECT_FALSE(all_rows) << "each row tells these by itself";
}

TEST_F(ColumnPlanning, standardises_numbers) {
  options.features.standardise = true;
  const auto made = plan("a,c,y\n1,7,1\n3,7,1\n5,7,1\n");
  ASSERT_TRUE(made->preparation);
  EXPECT_EQ(made->preparation->terms()[0].shift, 3);
  EXPECT_EQ(made->preparation->terms()[0].scale, 2);
  EXPECT_EQ(made->preparation->terms()[1].scale, 1) << "it does not vary";
}

TEST_F(ColumnPlanning, refuses_settings_that_do_not_fit_the_columns) {
  const std::string csv =
      "alpha,zone,when,y\n1,a,2001-01-01,1\n2,b,2001-01-02,1\n3,a,2001-01-03,1\n";
  options.features.log = {"alhpa"};
  expect_refused(csv, {"features.log", "'alhpa'", "'alpha'"});
  options.features.log = {"zone"};
  expect_refused(csv, {"features.log", "'zone'", "category"});
  options.features.log = {};
  options.features.interactions = {"alpha*nothing"};
  expect_refused(csv, {"features.interactions", "'alpha*nothing'", "'alpha', 'zone', 'when'"});
  options.features.interactions = {"alpha*when"};
  expect_refused(csv, {"features.interactions", "'when'", "date-time"});
  options.features.interactions = {};
  options.features.types = {"zome=category"};
  expect_refused(csv, {"features.types", "'zome'", "'zone'"});
  options.features.types = {"y=category"};
  expect_refused(csv, {"features.types", "'y'"});
  options.features.types = {};
  options.features.missing = "-1";
  options.features.log = {"a"};
  expect_refused("a,y\n1,2\n,3\n", {"'a'", "logarithm"});
}

TEST_F(ColumnPlanning, refuses_products_of_more_terms_than_a_model_has) {
  std::string csv = "a,b,y\n";
  for (int i = 0; i < 900; ++i) {
    const std::string number = std::to_string(i % 60);
    csv += "p" + number + ",q" + std::to_string(i % 50) + ",1\n";
  }
  options.features.interactions = {"a*b"};
  expect_refused(csv, {"'a*b'", "terms", "features.categories_max"});
}

TEST_F(ColumnPlanning, finds_another_name_for_what_is_pooled_where_a_category_has_it) {
  options.features.categories_max = 2;
  EXPECT_EQ(terms("c,y\na,1\na,1\na,1\n(other),1\n(other),1\nc,1\nd,1\n"),
            (std::vector<std::string>{"c=(other)", "c=(other)'"}));
}

TEST_F(ColumnPlanning, refuses_a_table_of_which_nothing_is_left) {
  expect_refused("a,b,y\nx,,1\nx,,2\n", {"no feature column", "'a' is ignored", "same text"});
  std::string ids = "a,y\n";
  for (int i = 0; i < 1'100; ++i) ids += "id" + std::to_string(i) + ",1\n";
  options.features.types = {"a=category"};
  expect_refused(ids, {"'a' cannot be a category", "more than 1000", "dataset.drop_columns"});
}

}  // namespace
}  // namespace weir::train
