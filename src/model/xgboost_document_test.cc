#include "model/xgboost_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <xgboost/c_api.h>

#include <bit>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "model/contributions.h"
#include "model/test_tables.h"

namespace weir::model {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Parameters = std::map<std::string, std::string>;

// libxgboost itself, told to grow and to predict: what our own trees are held against.
class Xgboost {
 public:
  // rows: row-major, the target of each apart.
  Xgboost(std::vector<float> rows, const std::vector<float>& target, const Parameters& parameters,
          int rounds)
      : rows_(std::move(rows)), columns_(rows_.size() / target.size()) {
    DMatrixHandle matrix = matrix_of(rows_);
    check(XGDMatrixSetFloatInfo(matrix, "label", target.data(), target.size()));
    check(XGBoosterCreate(&matrix, 1, &booster_));
    check(XGBoosterSetParam(booster_, "verbosity", "0"));
    check(XGBoosterSetParam(booster_, "nthread", "1"));
    for (const auto& [name, value] : parameters) {
      check(XGBoosterSetParam(booster_, name.c_str(), value.c_str()));
    }
    for (int i = 0; i < rounds; ++i) check(XGBoosterUpdateOneIter(booster_, i, matrix));
    XGDMatrixFree(matrix);
  }
  ~Xgboost() { XGBoosterFree(booster_); }
  Xgboost(const Xgboost&) = delete;
  Xgboost& operator=(const Xgboost&) = delete;

  std::string document(const std::string& format) const {
    const char* bytes = nullptr;
    bst_ulong length = 0;
    check(XGBoosterSaveModelToBuffer(booster_, ("{\"format\":\"" + format + "\"}").c_str(), &length,
                                     &bytes));
    return {bytes, length};
  }

  std::vector<double> predict(const std::vector<float>& rows) const {
    DMatrixHandle matrix = matrix_of(rows);
    const char* const config =
        R"({"type":0,"training":false,"iteration_begin":0,"iteration_end":0,"strict_shape":false})";
    const bst_ulong* shape = nullptr;
    bst_ulong dimensions = 0;
    const float* values = nullptr;
    check(XGBoosterPredictFromDMatrix(booster_, matrix, config, &shape, &dimensions, &values));
    std::vector<double> result(values, values + shape[0]);
    XGDMatrixFree(matrix);
    return result;
  }

  const std::vector<float>& rows() const { return rows_; }
  std::size_t columns() const { return columns_; }

 private:
  static void check(int result) { ASSERT_EQ(result, 0) << XGBGetLastError(); }
  DMatrixHandle matrix_of(const std::vector<float>& rows) const {
    DMatrixHandle matrix = nullptr;
    check(XGDMatrixCreateFromMat(rows.data(), rows.size() / columns_, columns_, std::nanf(""),
                                 &matrix));
    return matrix;
  }

  std::vector<float> rows_;
  std::size_t columns_;
  BoosterHandle booster_ = nullptr;
};

// A target with steps and products in it, so that trees grow.
std::unique_ptr<Xgboost> grown(const Parameters& parameters, int rounds, std::size_t count = 700,
                               std::size_t columns = 5, double missing = 0) {
  std::mt19937_64 generator(7);
  std::normal_distribution<float> normal;
  std::bernoulli_distribution is_missing(missing);
  std::vector<float> rows(count * columns);
  std::vector<float> target(count);
  for (std::size_t i = 0; i < count; ++i) {
    float* const row = rows.data() + i * columns;
    for (std::size_t j = 0; j < columns; ++j) row[j] = normal(generator);
    target[i] = 20 + row[0] * row[1] + (row[2] > 0.3F ? 5.0F : -1.0F) + 0.1F * normal(generator);
    for (std::size_t j = 0; j < columns; ++j) {
      if (is_missing(generator)) row[j] = std::nanf("");
    }
  }
  return std::make_unique<Xgboost>(std::move(rows), target, parameters, rounds);
}

void expect_same_predictions(const Xgboost& theirs, const BoostedModel& ours) {
  const std::vector<double> rows(theirs.rows().begin(), theirs.rows().end());
  const std::vector<double> expected = theirs.predict(theirs.rows());
  std::vector<double> actual(expected.size());
  ours.predict(rows, actual);
  std::size_t different = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (std::bit_cast<std::uint64_t>(actual[i]) != std::bit_cast<std::uint64_t>(expected[i])) {
      ++different;
    }
  }
  EXPECT_EQ(different, 0U) << "of " << actual.size();
}

TEST(XgboostDocument, gives_a_model_that_predicts_what_xgboost_does_bit_for_bit) {
  struct Case {
    Parameters parameters;
    int rounds;
  };
  for (const auto& [parameters, rounds] : std::vector<Case>{
           {{{"max_depth", "6"}, {"base_score", "20.3"}}, 100},
           {{{"max_depth", "1"}}, 30},
           {{{"tree_method", "exact"}, {"learning_rate", "0.07"}, {"max_depth", "9"}}, 50},
           {{{"tree_method", "hist"},
             {"grow_policy", "lossguide"},
             {"max_leaves", "90"},
             {"max_depth", "40"},
             {"gamma", "0.01"}},
            20},
           {{{"num_parallel_tree", "7"}, {"subsample", "0.6"}, {"colsample_bytree", "0.5"}}, 5},
           {{{"objective", "reg:pseudohubererror"}}, 20},
           {{{"gamma", "1e9"}}, 3}}) {
    const auto theirs = grown(parameters, rounds);
    for (const char* format : {"json", "ubj"}) {
      SCOPED_TRACE(std::string(format).append(" ").append(parameters.begin()->second));
      const auto ours = model_from_xgboost(theirs->document(format), schema_of(5));
      ASSERT_TRUE(ours) << ours.error().message();
      expect_same_predictions(*theirs, *ours);
      // And again after it was kept.
      const auto kept = parse_boosted_model(ours->to_json());
      ASSERT_TRUE(kept) << kept.error().message();
      expect_same_predictions(*theirs, *kept);
    }
  }
}

TEST(XgboostDocument, keeps_the_ways_of_rows_without_a_value) {
  const auto theirs = grown({{"max_depth", "6"}}, 50, 700, 5, 0.3);
  const auto ours = model_from_xgboost(theirs->document("ubj"), schema_of(5));
  ASSERT_TRUE(ours) << ours.error().message();
  expect_same_predictions(*theirs, *ours);
  std::size_t left = 0;
  std::size_t nodes = 0;
  for (const Tree& tree : ours->trees()) {
    for (const std::uint8_t flag : tree.missing_left) left += flag;
    nodes += tree.missing_left.size();
  }
  EXPECT_GT(left, 0U);
  EXPECT_LT(left, nodes);
}

TEST(XgboostDocument, gives_the_same_model_from_json_and_ubjson) {
  const auto theirs = grown({{"max_depth", "7"}}, 60);
  const auto from_json = model_from_xgboost(theirs->document("json"), schema_of(5));
  const auto from_ubjson = model_from_xgboost(theirs->document("ubj"), schema_of(5));
  ASSERT_TRUE(from_json && from_ubjson);
  EXPECT_EQ(from_json->to_json(), from_ubjson->to_json());
}

class XgboostDocumentText : public ::testing::Test {
 protected:
  nlohmann::json document = nlohmann::json::parse(grown({{"max_depth", "2"}}, 2)->document("json"));

  Result<BoostedModel> read() const { return model_from_xgboost(document.dump(), schema_of(5)); }
  nlohmann::json& at(const char* pointer) {
    return document.at(nlohmann::json::json_pointer(pointer));
  }
  void expect_refused(Code code, const std::string& words) const {
    const auto model = read();
    ASSERT_FALSE(model);
    EXPECT_EQ(model.error().code(), code);
    EXPECT_THAT(model.error().message(), HasSubstr(words));
  }
  static constexpr const char* kTree = "/learner/gradient_booster/model/trees/1/";
};

TEST_F(XgboostDocumentText, is_read_as_other_versions_write_it) {
  const auto as_it_was = read();
  ASSERT_TRUE(as_it_was) << as_it_was.error().message();
  at("/learner/learner_model_param/base_score") =
      "[" + at("/learner/learner_model_param/base_score").get<std::string>() + "]";
  for (auto& flag : at((std::string(kTree) + "default_left").c_str())) flag = flag.get<int>() != 0;
  at("/learner/gradient_booster/model/trees/1").erase("split_type");
  const auto as_others_do = read();
  ASSERT_TRUE(as_others_do) << as_others_do.error().message();
  EXPECT_EQ(as_others_do->to_json(), as_it_was->to_json());
}

TEST_F(XgboostDocumentText, is_refused_by_name_where_it_holds_what_is_not_evaluated) {
  const nlohmann::json whole = document;
  at("/learner/objective/name") = "binary:logistic";
  expect_refused(Code::kUnsupported, "binary:logistic");
  document = whole;
  at("/learner/gradient_booster/name") = "dart";
  expect_refused(Code::kUnsupported, "dart");
  document = whole;
  at("/learner/learner_model_param/num_class") = "3";
  expect_refused(Code::kUnsupported, "num_class");
  document = whole;
  at((std::string(kTree) + "split_type/0").c_str()) = 1;
  expect_refused(Code::kUnsupported, "categories");
  document = whole;
  at("/learner/learner_model_param/num_feature") = "4";
  expect_refused(Code::kBadData, "it has 4 features, and 5 are named");
}

TEST_F(XgboostDocumentText, is_refused_where_its_trees_are_none) {
  const nlohmann::json whole = document;
  const std::string tree = kTree;
  for (const auto& [name, value] : std::vector<std::pair<std::string, nlohmann::json>>{
           {"left_children/0", 0},
           {"left_children/0", 99},
           {"left_children/0", -2},
           {"left_children/0", "1"},
           {"right_children/0", 1},
           {"right_children/0", -1},
           {"split_indices/0", 5},
           {"split_indices/0", -1},
           {"split_indices/0", 3000},
           {"split_conditions/0", nullptr},
           {"split_conditions/0", 1e300},
           {"split_conditions", nlohmann::json::array()},
           {"default_left", nlohmann::json::array({0})},
           {"left_children", 7}}) {
    document = whole;
    at((tree + name).c_str()) = value;
    const auto model = read();
    ASSERT_FALSE(model) << name << " " << value;
    EXPECT_TRUE(model.error().code() == Code::kCorrupt || model.error().code() == Code::kBadData)
        << name << ": " << model.error().message();
  }
}

// Such as those of an objective whose second derivative overflows; predictions do not need them.
TEST_F(XgboostDocumentText, is_read_without_covers_that_are_no_weights_of_rows) {
  const auto as_it_was = read();
  ASSERT_TRUE(as_it_was);
  ASSERT_FALSE(as_it_was->trees()[1].cover.empty());
  for (const char* const word : {"NaN", "Infinity", "-Infinity", "-1.5"}) {
    at((std::string(kTree) + "sum_hessian/1").c_str()) = "the cover";
    std::string text = document.dump();
    const std::string_view place = "\"the cover\"";
    text.replace(text.find(place), place.size(), word);
    const auto model = model_from_xgboost(text, schema_of(5));
    ASSERT_TRUE(model) << word << ": " << model.error().message();
    EXPECT_EQ(model->trees()[0].cover, as_it_was->trees()[0].cover);
    EXPECT_THAT(model->trees()[1].cover, IsEmpty()) << word;
    EXPECT_EQ(model->trees()[1].value, as_it_was->trees()[1].value);
    const auto contributions = Contributions::make(*model);
    ASSERT_FALSE(contributions);
    EXPECT_EQ(contributions.error().code(), Code::kUnsupported);
    EXPECT_THAT(contributions.error().message(), HasSubstr("tree 1 does not say how much"));
  }
  at((std::string(kTree) + "sum_hessian/1").c_str()) = "the cover";
  expect_refused(Code::kCorrupt, "not as XGBoost writes it");
}

TEST(XgboostDocument, is_read_without_covers_that_are_no_numbers_in_ubjson_too) {
  const auto theirs = grown({{"max_depth", "2"}}, 2);
  std::string document = theirs->document("ubj");
  // Behind the name: an array of binary32 with its length ahead, in the order of the network.
  const std::size_t list = document.find("sum_hessian[$d#");
  ASSERT_NE(list, std::string::npos);
  const std::size_t first = list + std::string_view("sum_hessian[$d#").size() + 9;
  for (const std::string_view bits :
       {std::string_view("\x7f\xc0\0\0", 4), std::string_view("\x7f\x80\0\0", 4)}) {
    document.replace(first, bits.size(), bits);
    const auto model = model_from_xgboost(document, schema_of(5));
    ASSERT_TRUE(model) << model.error().message();
    EXPECT_THAT(model->trees()[0].cover, IsEmpty());
    EXPECT_THAT(model->trees()[1].cover, Not(IsEmpty()));
  }
}

TEST_F(XgboostDocumentText, is_refused_where_a_leaf_is_infinite) {
  at((std::string(kTree) + "split_conditions/1").c_str()) = "the leaf";
  std::string text = document.dump();
  text.replace(text.find("\"the leaf\""), 10, "-Infinity");
  const auto model = model_from_xgboost(text, schema_of(5));
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code(), Code::kCorrupt);
  EXPECT_THAT(model.error().message(), HasSubstr("a threshold or leaf is no number"));
}

TEST(XgboostDocument, is_refused_at_every_truncation) {
  const auto theirs = grown({{"max_depth", "2"}}, 2);
  for (const char* format : {"json", "ubj"}) {
    const std::string whole = theirs->document(format);
    ASSERT_TRUE(model_from_xgboost(whole, schema_of(5)));
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const auto model = model_from_xgboost(whole.substr(0, length), schema_of(5));
      ASSERT_FALSE(model) << format << " " << length;
      EXPECT_EQ(model.error().code(), Code::kCorrupt);
    }
  }
  for (const char* text : {"", "{", "[]", "null", "{}", "{\"learner\": 1}", "{L"}) {
    EXPECT_FALSE(model_from_xgboost(text, schema_of(5))) << text;
  }
}

}  // namespace
}  // namespace weir::model
