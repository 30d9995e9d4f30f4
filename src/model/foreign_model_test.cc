#include "model/foreign_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "model/test_tables.h"

namespace weir::model {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::string file(const std::string& name) {
  return read_test_file("src/model/testdata/foreign/" + name);
}

Error refusal(const std::string& document) {
  auto model = read_foreign_model(document);
  if (model) {
    record::Schema schema = schema_of(model->feature_count);
    auto named = model_from_foreign(std::move(*model), std::move(schema));
    EXPECT_FALSE(named) << "it was taken";
    return named ? Error(Code::kInternal, "taken") : named.error();
  }
  return model.error();
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

// The rows of NAME.expected.json, and what is wrong with what the model predicts for them.
struct Expected {
  explicit Expected(const std::string& name) {
    const json document = json::parse(file(name + ".expected.json"));
    for (const json& row : document.at("rows")) {
      for (const json& value : row) {
        rows.push_back(value.is_null() ? std::nan("") : value.get<double>());
      }
    }
    predictions = document.at("predictions").get<std::vector<double>>();
  }
  std::size_t different(const Model& model) const {
    std::vector<double> found(predictions.size());
    model.predict(rows, found);
    std::size_t count = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
      count +=
          std::bit_cast<std::uint64_t>(found[i]) != std::bit_cast<std::uint64_t>(predictions[i]);
    }
    return count;
  }
  std::vector<double> rows;
  std::vector<double> predictions;
};

struct Taken {
  std::string document;  // under testdata/foreign
  std::string expected;
  std::string tool;
};

TEST(ForeignModel, predicts_what_the_program_that_wrote_it_does_bit_for_bit) {
  std::vector<Taken> cases;
  for (const std::string version : {"1.7.6", "2.1.4", "3.1.2"}) {
    const std::string name = "xgboost-" + version;
    for (const char* ending : {".json", ".ubj"}) {
      cases.push_back({name + ending, name, "XGBoost " + version});
    }
    if (version == "1.7.6") continue;  // which has no quantiles
    cases.push_back({name + ".quantile.json", name + ".quantile", "XGBoost " + version});
  }
  for (const std::string name : {"lightgbm-3.3.5", "lightgbm-4.6.0"}) {
    const std::string text = name == "lightgbm-3.3.5" ? "v3" : "v4";
    cases.push_back({name + ".txt", name, "LightGBM, text of " + text});
    cases.push_back({name + ".dart.txt", name + ".dart", "LightGBM, text of " + text});
  }
  for (const Taken& taken : cases) {
    SCOPED_TRACE(taken.document);
    auto foreign = read_foreign_model(file(taken.document));
    ASSERT_TRUE(foreign) << foreign.error().message();
    EXPECT_EQ(foreign->tool, taken.tool);
    EXPECT_EQ(foreign->feature_count, 4U);
    const bool named = taken.document.find("quantile") == std::string::npos;
    if (named) {
      EXPECT_THAT(foreign->features, ElementsAre("crim", "zn", "nox", "rm"));
    }
    const auto model = model_from_foreign(*foreign, {{"crim", "zn", "nox", "rm"}, "medv"});
    ASSERT_TRUE(model) << model.error().message();
    const Expected expected(taken.expected);
    ASSERT_GE(expected.predictions.size(), 60U);
    EXPECT_EQ(expected.different(**model), 0U);
    // And so does the model that comes back from our own file.
    const auto kept = parse_model((*model)->to_json());
    ASSERT_TRUE(kept) << kept.error().message();
    EXPECT_EQ(expected.different(**kept), 0U);
  }
}

TEST(ForeignModel, takes_what_is_equal_to_a_threshold_of_lightgbm_to_the_left) {
  const std::string text = file("lightgbm-4.6.0.nameless.txt");
  auto foreign = read_foreign_model(text);
  ASSERT_TRUE(foreign) << foreign.error().message();
  const std::size_t from = text.find("threshold=") + 10;
  const double threshold = std::stod(text.substr(from));
  const auto& trees = std::get<ForeignTrees>(foreign->body);
  const double ours = trees.trees[0].value[0];
  EXPECT_LT(threshold, ours);
  EXPECT_EQ(std::nextafter(ours, -1e9), threshold);
  EXPECT_EQ(trees.arithmetic, Arithmetic::kBinary64);
}

TEST(ForeignModel, of_one_leaf_predicts_a_constant) {
  for (const char* name : {"lightgbm-3.3.5.constant.txt", "lightgbm-4.6.0.constant.txt"}) {
    auto foreign = read_foreign_model(file(name));
    ASSERT_TRUE(foreign) << foreign.error().message();
    EXPECT_THAT(foreign->features, IsEmpty()) << "those that LightGBM made up are no names";
    const auto model = model_from_foreign(*foreign, schema_of(4));
    ASSERT_TRUE(model) << model.error().message();
    double out = 0;
    (*model)->predict(std::vector<double>{1, 2, 3, 4}, {&out, 1});
    EXPECT_EQ(out, 3.5);
  }
}

TEST(ForeignModel, is_refused_by_name_where_it_cannot_be_reproduced) {
  const std::vector<std::pair<std::string, std::string>> reasons = {
      {".logistic.json", "the objective 'binary:logistic'"},
      {".dart.json", "the booster 'dart'"},
      {".gblinear.json", "the booster 'gblinear'"},
      {".softmax.json", "the objective 'multi:softmax'"},
      {".categories.json", "splits on categories"},
      {".two-targets.json", "several numbers (\"num_target\")"},
      {".binary.txt", "the objective 'binary sigmoid:1'"},
      {".poisson.txt", "the objective 'poisson'"},
      {".sqrt.txt", "the objective 'regression sqrt'"},
      {".multiclass.txt", "several numbers ('num_class')"},
      {".forest.txt", "averaged (a random forest"},
      {".linear-leaves.txt", "linear_tree"},
      {".categories.txt", "splits on categories"},
      {".zeros.txt", "zero_as_missing"}};
  for (const auto& [ending, reason] : reasons) {
    const bool text = ending.ends_with(".txt");
    for (const std::string& version :
         text ? std::vector<std::string>{"lightgbm-3.3.5", "lightgbm-4.6.0"}
              : std::vector<std::string>{"xgboost-1.7.6", "xgboost-2.1.4", "xgboost-3.1.2"}) {
      if (ending == ".two-targets.json" && version == "xgboost-1.7.6") continue;  // has none
      const Error error = refusal(file(version + ending));
      EXPECT_EQ(error.code(), Code::kUnsupported) << version << ending << error.message();
      EXPECT_THAT(error.message(), HasSubstr(reason)) << version << ending;
    }
  }
  EXPECT_EQ(refusal("PK\x03\x04").code(), Code::kUnsupported);
  EXPECT_THAT(refusal("binf").message(), HasSubstr("save_model"));
  EXPECT_EQ(refusal("").code(), Code::kCorrupt);
}

TEST(ForeignModel, tells_of_trees_beyond_the_best_iteration) {
  const auto stopped = read_foreign_model(file("xgboost-2.1.4.early.json"));
  ASSERT_TRUE(stopped) << stopped.error().message();
  ASSERT_EQ(stopped->notes.size(), 1U);
  EXPECT_THAT(stopped->notes[0], StartsWith("training stopped early: the best iteration was "));
  EXPECT_THAT(read_foreign_model(file("xgboost-2.1.4.json"))->notes, IsEmpty());
}

TEST(ForeignModel, wants_as_many_names_as_features) {
  const auto foreign = read_foreign_model(file("lightgbm-4.6.0.txt"));
  ASSERT_TRUE(foreign);
  const auto model = model_from_foreign(*foreign, schema_of(3));
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code(), Code::kBadData);
  EXPECT_THAT(model.error().message(), HasSubstr("4 features, and 3 are named"));
}

TEST(LightgbmText, is_refused_where_it_is_cut) {
  const std::string text = file("lightgbm-4.6.0.txt");
  const std::size_t end = text.find("end of trees");
  ASSERT_NE(end, std::string::npos);
  for (std::size_t length = 1; length < end + 12; ++length) {
    const auto model = read_foreign_model(text.substr(0, length));
    ASSERT_FALSE(model) << length;
  }
  EXPECT_TRUE(read_foreign_model(text.substr(0, end + 12)));
}

TEST(LightgbmText, is_refused_where_its_trees_are_none) {
  const std::string text = file("lightgbm-4.6.0.txt");
  const std::string left = text.substr(text.find("left_child="), 60);
  const std::string children = left.substr(0, left.find('\n'));
  const std::string three =
      "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\n"
      "max_feature_idx=1\nobjective=regression\nfeature_names=a b\nTree=0\nnum_leaves=3\n"
      "num_cat=0\nsplit_feature=0 1\nthreshold=0.5 1.5\ndecision_type=2 2\nleft_child=1 -1\n"
      "right_child=-3 -2\nleaf_value=1 2 3\nis_linear=0\nend of trees\n";
  ASSERT_TRUE(read_foreign_model(three)) << read_foreign_model(three).error().message();
  for (const auto& [from, to, why] : std::vector<std::array<std::string, 3>>{
           {"left_child=1 -1", "left_child=0 -1", "the child of two"},
           {"left_child=1 -1", "left_child=1 0", "the child of two"},
           {"left_child=1 -1", "left_child=1 -2", "the child of two"},
           {"left_child=1 -1", "left_child=-2 -1", "nobody's child"},
           {"left_child=1 -1", "left_child=2 -1", "a child that there is not"},
           {"left_child=1 -1", "left_child=1 -4", "a child that there is not"},
           {"left_child=1 -1", "left_child=1 -9223372036854775808", "a child that there is not"},
           {"left_child=1 -1", "left_child=1", "less than the 2 numbers"},
           {"left_child=1 -1", "left_child=1 -1 -1", "more than the 2 numbers"},
           {"left_child=1 -1", "left_child=1 x", "'x'"},
           {"left_child=1 -1\n", "", "no 'left_child'"},
           {"split_feature=0 1", "split_feature=0 2", "a feature that there is not"},
           {"split_feature=0 1", "split_feature=0 -1", "a feature that there is not"},
           {"threshold=0.5 1.5", "threshold=0.5 nan", "'nan'"},
           {"threshold=0.5 1.5", "threshold=0.5 inf", "'inf'"},
           {"threshold=0.5 1.5", "threshold=0.5 1.7976931348623157e308", "largest number"},
           {"leaf_value=1 2 3", "leaf_value=1 2 1e999", "'1e999'"},
           {"decision_type=2 2", "decision_type=2 14", "decision_type"},
           {"decision_type=2 2", "decision_type=2 3", "categories"},
           {"num_leaves=3", "num_leaves=0", "which cannot be"},
           {"num_leaves=3", "num_leaves=9223372036854775807", "which cannot be"},
           {"num_leaves=3", "num_leaves=500000", "less than the 500000 numbers"},
           {"max_feature_idx=1", "max_feature_idx=9223372036854775807", "features"},
           {"max_feature_idx=1", "max_feature_idx=-1", "features"},
           {"max_feature_idx=1", "max_feature_idx=2", "not as many names as features"},
           {"Tree=0", "Tree=1", "not numbered"},
           {"num_cat=0", "num_leaves=3", "twice"},
           {"version=v4", "version=v2", "version 'v2'"},
           {"num_class=1", "num_class=1\ntree_sizes=1 2", "not as many trees"}}) {
    EXPECT_THAT(refusal(replaced(three, from, to)).message(), HasSubstr(why)) << from << to;
  }
  EXPECT_THAT(refusal("tree\n" + std::string(4000, '=')).message(), HasSubstr("cut short"));
  std::string many = "tree\n";
  for (int i = 0; i < 200; ++i) many += std::to_string(i) + "=\n";
  EXPECT_THAT(refusal(many).message(), HasSubstr("more lines"));
}

TEST(XgboostDocument, is_refused_where_it_is_deeper_or_wider_than_a_model_is) {
  const auto deep = [](const std::string& open) {
    std::string text = R"({"a": )";
    for (int i = 0; i < 2'000'000; ++i) text += open;
    return text;
  };
  EXPECT_THAT(refusal(deep("[")).message(), HasSubstr("deeper or has more values"));
  EXPECT_THAT(refusal(deep(R"({"a":)")).message(), HasSubstr("deeper or has more values"));
  const std::string ubjson_head =
      "{U\x01"
      "a";
  std::string nested = ubjson_head;
  for (int i = 0; i < 2'000'000; ++i) nested += '[';
  EXPECT_THAT(refusal(nested).message(), HasSubstr("deeper or has more values"));
  // Arrays whose elements take no byte: true, false and null, 2^60 of them.
  for (const char type : {'T', 'F', 'Z'}) {
    const std::string bomb = ubjson_head + "[$" + type + "#L\x10" + std::string(7, '\0');
    EXPECT_THAT(refusal(bomb).message(), HasSubstr("deeper or has more values")) << type;
  }
  EXPECT_EQ(refusal(ubjson_head + "[$N#L\x10" + std::string(7, '\0')).code(), Code::kCorrupt);
  EXPECT_EQ(refusal(ubjson_head + "[$d#L\x10" + std::string(7, '\0')).code(), Code::kCorrupt);
  EXPECT_EQ(refusal(ubjson_head + "SL\x10" + std::string(7, '\0')).code(), Code::kCorrupt);
}

// Whatever a byte is changed to, there is an answer; and what is taken is a model.
TEST(ForeignModel, gives_an_answer_whatever_bytes_are_changed) {
  std::mt19937_64 generator(3);
  for (const char* name : {"xgboost-2.1.4.json", "xgboost-2.1.4.ubj", "lightgbm-4.6.0.txt"}) {
    const std::string good = file(name);
    int taken = 0;
    for (int i = 0; i < 2000; ++i) {
      std::string bad = good;
      for (int flips = 0; flips < 3; ++flips) {
        bad[generator() % bad.size()] = static_cast<char>(generator());
      }
      auto foreign = read_foreign_model(bad);
      if (!foreign) continue;
      record::Schema schema = schema_of(foreign->feature_count);
      const auto model = model_from_foreign(std::move(*foreign), std::move(schema));
      if (!model) continue;
      ++taken;
      ASSERT_TRUE(parse_model((*model)->to_json())) << name << " " << i;
    }
    EXPECT_LT(taken, 2000) << name;
  }
}

}  // namespace
}  // namespace weir::model
