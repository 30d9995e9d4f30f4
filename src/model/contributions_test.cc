#include "model/contributions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>

#include "model/foreign_model.h"
#include "model/linear_model.h"
#include "model/test_tables.h"

namespace weir::model {
namespace {

using nlohmann::json;
using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;

std::string file(const std::string& name) {
  return read_test_file("src/model/testdata/foreign/" + name);
}

double sum_of(const std::vector<double>& terms) {
  return std::accumulate(terms.begin(), terms.end(), 0.0);
}

TEST(Contributions, are_those_that_xgboost_and_lightgbm_tell_themselves) {
  for (const auto& [name, ending, tolerance] :
       std::vector<std::tuple<std::string, std::string, double>>{
           {"xgboost-1.7.6", ".ubj", 2e-5},
           {"xgboost-2.1.4", ".json", 2e-5},
           {"xgboost-3.1.2", ".json", 2e-5},
           {"lightgbm-3.3.5", ".txt", 1e-10},
           {"lightgbm-4.6.0", ".txt", 1e-10}}) {
    SCOPED_TRACE(name);
    auto foreign = read_foreign_model(file(name + ending));
    ASSERT_TRUE(foreign) << foreign.error().message();
    const auto model = model_from_foreign(std::move(*foreign), schema_of(4));
    ASSERT_TRUE(model) << model.error().message();
    const auto contributions = Contributions::make(**model);
    ASSERT_TRUE(contributions) << contributions.error().message();
    const json rows = json::parse(file(name + ".expected.json"))["rows"];
    const json expected = json::parse(file(name + ".contributions.json"));
    ASSERT_EQ(rows.size(), expected.size());
    ASSERT_GE(rows.size(), 100U);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::vector<double> row;
      for (const json& value : rows[i]) {
        row.push_back(value.is_null() ? std::nan("") : value.get<double>());
      }
      std::vector<double> terms(5);
      contributions->explain(row, terms);
      for (std::size_t j = 0; j < 5; ++j) {
        ASSERT_NEAR(terms[j], expected[i][j].get<double>(), tolerance) << i << " " << j;
      }
      double prediction = 0;
      (*model)->predict(row, {&prediction, 1});
      ASSERT_NEAR(sum_of(terms), prediction, tolerance) << i;
    }
  }
}

// By the definition: the mean over all orders of what a feature adds once it is known.
double expectation(const Tree& tree, std::size_t at, unsigned known, std::span<const double> row) {
  if (tree.feature[at] == Tree::kLeaf) return tree.value[at];
  std::size_t inner = 0;
  for (std::size_t i = 0; i < at; ++i) inner += tree.feature[i] != Tree::kLeaf ? 1 : 0;
  const std::size_t left = 2 * inner + 1;
  const auto feature = static_cast<std::size_t>(tree.feature[at]);
  if ((known >> feature & 1) != 0) {
    return expectation(tree, row[feature] < tree.value[at] ? left : left + 1, known, row);
  }
  return (tree.cover[left] * expectation(tree, left, known, row) +
          tree.cover[left + 1] * expectation(tree, left + 1, known, row)) /
         tree.cover[at];
}

TEST(Contributions, are_shapley_values_by_their_definition) {
  // Asks some features twice along a path, and one never.
  const Tree tree{{0, 1, 0, 1, -1, -1, 2, -1, -1, -1, -1},
                  {0.5, 0.4, 0.9, 0.2, 3, -4, 0.6, 1, 10, -7, 2.5},
                  {0, 0, 0, 0, 0},
                  {100, 60, 40, 25, 35, 15, 25, 20, 5, 10, 15}};
  const auto model = BoostedModel::make(schema_of(4), 7, {tree}, Arithmetic::kBinary64);
  ASSERT_TRUE(model) << model.error().message();
  const auto contributions = Contributions::make(*model);
  ASSERT_TRUE(contributions) << contributions.error().message();
  std::mt19937_64 generator(6);
  std::uniform_real_distribution<double> uniform;
  for (int round = 0; round < 100; ++round) {
    std::vector<double> row(4);
    for (double& value : row) value = uniform(generator);
    std::vector<double> expected(5, 0.0);
    std::vector<unsigned> order{0, 1, 2, 3};
    int orders = 0;
    do {
      ++orders;
      unsigned known = 0;
      for (const unsigned feature : order) {
        const double before = expectation(tree, 0, known, row);
        known |= 1U << feature;
        expected[feature] += expectation(tree, 0, known, row) - before;
      }
    } while (std::next_permutation(order.begin(), order.end()));
    for (double& term : expected) term /= orders;
    expected[4] = 7 + expectation(tree, 0, 0, row);
    std::vector<double> terms(5);
    contributions->explain(row, terms);
    for (std::size_t j = 0; j < 5; ++j) EXPECT_NEAR(terms[j], expected[j], 1e-12) << j;
    EXPECT_EQ(terms[3], 0) << "it is never asked";
  }
}

TEST(Contributions, of_a_line_are_its_terms) {
  const auto model = LinearModel::make(schema_of(2), 1.5, {2, -3});
  const auto contributions = Contributions::make(*model);
  ASSERT_TRUE(contributions);
  std::vector<double> terms(3);
  contributions->explain(std::vector<double>{10, 0.5}, terms);
  EXPECT_THAT(terms, ElementsAre(20, -1.5, 1.5));
}

TEST(Contributions, take_leaves_that_no_data_came_to) {
  const auto model = BoostedModel::make(
      schema_of(1), 0, {{{0, -1, -1}, {0.5, 2, 3}, {0}, {4, 4, 0}}, {{-1}, {1}, {}}});
  const auto contributions = Contributions::make(*model);
  ASSERT_TRUE(contributions) << contributions.error().message();
  std::vector<double> terms(2);
  contributions->explain(std::vector<double>{0.1}, terms);
  EXPECT_THAT(terms, ElementsAre(0, 3));
  contributions->explain(std::vector<double>{0.9}, terms);
  EXPECT_THAT(terms, ElementsAre(DoubleNear(1, 1e-12), 3));
}

TEST(Contributions, are_refused_where_the_trees_do_not_say_what_came_by) {
  const auto without = BoostedModel::make(schema_of(1), 0, {{{0, -1, -1}, {0.5, 2, 3}, {0}}});
  ASSERT_FALSE(Contributions::make(*without));
  EXPECT_EQ(Contributions::make(*without).error().code(), Code::kUnsupported);
  EXPECT_THAT(Contributions::make(*without).error().message(), HasSubstr("again"));
  const auto nothing =
      BoostedModel::make(schema_of(1), 0, {{{0, -1, -1}, {0.5, 2, 3}, {0}, {0, 0, 0}}});
  EXPECT_FALSE(Contributions::make(*nothing));
}

}  // namespace
}  // namespace weir::model
