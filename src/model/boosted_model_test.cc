#include "model/boosted_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "base/sha256.h"
#include "model/test_tables.h"

namespace weir::model {
namespace {

using testing::HasSubstr;

constexpr float kInfinite = std::numeric_limits<float>::infinity();

// Trees of random shape, breadth first.
Tree random_tree(std::mt19937_64& generator, std::size_t features, std::size_t inner_max) {
  std::normal_distribution<float> normal;
  Tree tree;
  std::size_t inner = 0;
  for (std::size_t i = 0; i <= 2 * inner; ++i) {
    tree.value.push_back(normal(generator));
    const bool must_end = inner == inner_max;
    const bool must_go_on = i == 2 * inner;  // or the tree would end here
    if (must_end || (!must_go_on && generator() % 3 == 0)) {
      tree.feature.push_back(Tree::kLeaf);
      continue;
    }
    tree.feature.push_back(static_cast<std::int32_t>(generator() % features));
    tree.missing_left.push_back(generator() % 2);
    ++inner;
  }
  return tree;
}

BoostedModel random_model(std::size_t features, std::size_t trees, std::size_t inner_max,
                          unsigned seed = 1) {
  std::mt19937_64 generator(seed);
  std::vector<Tree> list;
  for (std::size_t i = 0; i < trees; ++i) {
    list.push_back(random_tree(generator, features, generator() % (inner_max + 1)));
  }
  return BoostedModel::make(schema_of(features), 22.5F, std::move(list)).value();
}

// One leaf after the other down the left side.
Tree chain(int depth) {
  Tree tree;
  for (int i = 0; i < depth; ++i) {
    if (i > 0) {  // of two brothers the left one has children
      tree.feature.insert(tree.feature.end(), {0, Tree::kLeaf});
      tree.value.insert(tree.value.end(), {static_cast<double>(-i), static_cast<double>(i)});
    } else {
      tree.feature.push_back(0);
      tree.value.push_back(0);
    }
    tree.missing_left.push_back(1);
  }
  tree.feature.insert(tree.feature.end(), {Tree::kLeaf, Tree::kLeaf});
  tree.value.insert(tree.value.end(), {1000, static_cast<double>(depth)});
  return tree;
}

// The arithmetic of the header, as plainly as it can be written.
float walk(const Tree& tree, std::span<const double> row) {
  std::size_t at = 0;
  while (tree.feature[at] != Tree::kLeaf) {
    std::size_t inner = 0;
    for (std::size_t i = 0; i < at; ++i) inner += tree.feature[i] != Tree::kLeaf ? 1 : 0;
    const auto x = static_cast<float>(row[static_cast<std::size_t>(tree.feature[at])]);
    const bool left =
        std::isnan(x) ? tree.missing_left[inner] != 0 : x < static_cast<float>(tree.value[at]);
    at = 2 * inner + (left ? 1 : 2);
  }
  return static_cast<float>(tree.value[at]);
}

double expected_of(const BoostedModel& model, std::span<const double> row) {
  auto sum = static_cast<float>(model.base());
  for (const Tree& tree : model.trees()) {
    const volatile float next = sum + walk(tree, row);
    sum = next;
  }
  return static_cast<double>(sum);
}

std::vector<double> random_values(std::size_t count, unsigned seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values(count);
  for (double& value : values) value = normal(generator);
  return values;
}

std::string sealed(const std::string& body) {
  return body + ",\n  \"sha256\": \"" + sha256_hex(body) + "\"\n}\n";
}

std::string body_of(const BoostedModel& model) {
  const std::string text = model.to_json();
  return text.substr(0, text.rfind(",\n  \"sha256\""));
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

Code refusal(const std::string& text) {
  const auto model = parse_model(text);
  EXPECT_FALSE(model) << text;
  return model ? Code::kInternal : model.error().code();
}

TEST(BoostedModel, predicts_by_the_arithmetic_that_it_documents) {
  for (const auto& [features, trees, inner] :
       std::vector<std::array<std::size_t, 3>>{{1, 1, 0}, {1, 3, 1}, {13, 40, 30}, {28, 9, 200}}) {
    const BoostedModel model = random_model(features, trees, inner);
    const std::vector<double> rows = random_values(features * 150, 2);
    std::vector<double> actual(150);
    model.predict(rows, actual);
    for (std::size_t i = 0; i < 150; ++i) {
      const double expected = expected_of(model, std::span(rows).subspan(i * features, features));
      EXPECT_EQ(std::bit_cast<std::uint64_t>(actual[i]), std::bit_cast<std::uint64_t>(expected));
    }
  }
}

TEST(BoostedModel, gives_a_row_the_same_bits_alone_and_in_any_batch) {
  // Trees of all sizes: each has its own way down.
  for (const auto& [features, inner_max] :
       std::vector<std::pair<std::size_t, std::size_t>>{{1, 20}, {13, 300}, {28, 20}, {2047, 20}}) {
    const BoostedModel model = random_model(features, 21, inner_max);
    std::vector<double> rows = random_values(features * 101, 3);
    rows[50 * features] = std::nan("");  // whose neighbours go another way than it does
    std::vector<double> alone(101);
    for (std::size_t i = 0; i < 101; ++i) {
      model.predict(std::span(rows).subspan(i * features, features), {&alone[i], 1});
    }
    for (std::size_t batch = 1; batch <= 101; ++batch) {
      std::vector<double> together(101);
      for (std::size_t i = 0; i < 101; i += batch) {
        const std::size_t count = std::min<std::size_t>(batch, 101 - i);
        model.predict(std::span(rows).subspan(i * features, count * features),
                      std::span(together).subspan(i, count));
      }
      EXPECT_EQ(alone, together) << batch;
    }
  }
}

TEST(BoostedModel, sends_values_to_the_left_only_below_the_threshold) {
  const Tree tree{{0, -1, -1}, {2.5F, -1, 1}, {1}};
  const auto model = BoostedModel::make(schema_of(1), 0, {tree});
  ASSERT_TRUE(model);
  const double above = std::nextafter(2.5, 3.0);  // as a float it is the threshold itself
  const double below = std::nextafter(2.5, 2.0);
  // Without a missing value, with one, and each row alone: three ways through the code.
  std::vector<double> rows{2.5, above, below, std::nextafter(2.5F, 2.0F), 1e300, -1e300, -0.0};
  std::vector<double> out(rows.size());
  model->predict(rows, out);
  EXPECT_THAT(out, testing::ElementsAre(1, 1, 1, -1, 1, -1, -1));
  rows.push_back(std::nan(""));
  out.resize(rows.size());
  model->predict(rows, out);
  EXPECT_THAT(out, testing::ElementsAre(1, 1, 1, -1, 1, -1, -1, -1));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    double alone = 0;
    model->predict({&rows[i], 1}, {&alone, 1});
    EXPECT_EQ(alone, out[i]) << rows[i];
  }
}

TEST(BoostedModel, takes_the_deepest_tree_and_refuses_one_that_is_deeper) {
  const auto deepest = BoostedModel::make(schema_of(1), 0, {chain(kTreeDepthMax)});
  ASSERT_TRUE(deepest) << deepest.error().message();
  std::vector<double> rows;
  for (int i = -70; i < 5; ++i) rows.push_back(i + 0.5);
  std::vector<double> out(rows.size());
  deepest->predict(rows, out);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(out[i], expected_of(*deepest, {&rows[i], 1})) << rows[i];
  }
  const auto deeper = BoostedModel::make(schema_of(1), 0, {chain(kTreeDepthMax + 1)});
  ASSERT_FALSE(deeper);
  EXPECT_THAT(deeper.error().message(), HasSubstr("deeper than 64"));
}

TEST(BoostedModel, predicts_no_rows_and_by_no_trees) {
  const auto model = BoostedModel::make(schema_of(2), 1.5F, {});
  ASSERT_TRUE(model);
  model->predict({}, {});
  std::vector<double> out(5);
  model->predict(std::vector<double>(10, 3.0), out);
  EXPECT_THAT(out, testing::Each(1.5));
  const auto back = parse_model(model->to_json());
  ASSERT_TRUE(back) << back.error().message();
}

TEST(BoostedModel, comes_back_from_its_text_bit_for_bit) {
  const float tiny = std::numeric_limits<float>::denorm_min();
  const float largest = std::numeric_limits<float>::max();
  std::vector<Tree> trees{{{1, 0, -1, -1, -1}, {0.1F, tiny, largest, -1e-40F, 16777216.0F}, {0, 1}},
                          {{-1}, {-0.0F}, {}}};
  std::mt19937_64 generator(5);
  Tree any{{0, -1, -1}, {0, 0, 0}, {0}};
  for (int i = 0; i < 2000; ++i) {
    for (double& value : any.value) {
      do {
        value = std::bit_cast<float>(static_cast<std::uint32_t>(generator()));
      } while (!std::isfinite(value));
    }
    trees.push_back(any);
  }
  const auto model = BoostedModel::make(schema_of(2), 1.0F / 3, trees);
  ASSERT_TRUE(model) << model.error().message();
  const auto back = parse_boosted_model(model->to_json());
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->base(), 1.0F / 3);
  ASSERT_EQ(back->trees().size(), trees.size());
  for (std::size_t i = 0; i < trees.size(); ++i) EXPECT_EQ(back->trees()[i], trees[i]) << i;
  EXPECT_EQ(back->schema(), model->schema());
  EXPECT_FALSE(std::signbit(back->trees()[1].value[0]));
}

// The seal was computed apart, in Python.
TEST(BoostedModel, has_this_very_text) {
  const auto model = BoostedModel::make(
      {{"crim", "zn"}, "medv"}, 22.5F,
      {{{1, 0, -1, -1, -1}, {6.941F, -0.1F, 1e-7F, 3, 16777216.0F}, {0, 1}}, {{-1}, {0.5F}, {}}});
  ASSERT_TRUE(model);
  EXPECT_EQ(model->to_json(), R"({
  "format": "weirkeeper-model",
  "format_version": 1,
  "algorithm": "boosted",
  "target": "medv",
  "features": ["crim","zn"],
  "schema_sha256": "11ad85b656104a8677ecdda89bd65afd8f10a1093ba1a7399653eeb90cb60221",
  "base": 22.5,
  "trees": [
    {"feature": [1,0,-1,-1,-1], "value": [6.941,-0.1,1e-07,3,16777216], "missing_left": [0,1]},
    {"feature": [-1], "value": [0.5], "missing_left": []}
  ],
  "sha256": "3eda13c6e0734209eaa54dbe55cb558cd60d9ad8fe0885b9a9015c39213b98c9"
}
)");
}

TEST(BoostedModel, refuses_to_be_made_of_trees_that_are_none) {
  const auto reason = [](Tree tree) -> std::string {
    const auto model = BoostedModel::make(schema_of(2), 0, {std::move(tree)});
    EXPECT_TRUE(!model && model.error().code() == Code::kBadData);
    return model ? "" : model.error().reason();
  };
  EXPECT_THAT(reason({{}, {}, {}}), HasSubstr("no nodes"));
  EXPECT_THAT(reason({{-1}, {}, {}}), HasSubstr("no value"));
  EXPECT_THAT(reason({{-1}, {kInfinite}, {}}), HasSubstr("not finite"));
  EXPECT_THAT(reason({{-1}, {std::nanf("")}, {}}), HasSubstr("not finite"));
  EXPECT_THAT(reason({{0, -1}, {1, 2}, {0}}), HasSubstr("has no children"));
  EXPECT_THAT(reason({{0}, {1}, {0}}), HasSubstr("has no children"));
  EXPECT_THAT(reason({{-1, -1, -1}, {1, 2, 3}, {}}), HasSubstr("nobody's child"));
  EXPECT_THAT(reason({{0, -1, -1, -1, -1}, {1, 2, 3, 4, 5}, {0}}), HasSubstr("nobody's child"));
  EXPECT_THAT(reason({{2, -1, -1}, {1, 2, 3}, {0}}), HasSubstr("a feature that there is not"));
  EXPECT_THAT(reason({{-2, -1, -1}, {1, 2, 3}, {0}}), HasSubstr("a feature that there is not"));
  EXPECT_THAT(reason({{0, -1, -1}, {1, 2, 3}, {}}), HasSubstr("it is not said"));
  EXPECT_THAT(reason({{0, -1, -1}, {1, 2, 3}, {2}}), HasSubstr("it is not said"));
  EXPECT_THAT(reason({{0, -1, -1}, {1, 2, 3}, {0, 0}}), HasSubstr("flags for more nodes"));
}

TEST(BoostedModel, refuses_to_be_made_of_what_no_file_holds) {
  const auto code = [](record::Schema schema, float base, std::vector<Tree> trees) {
    const auto model = BoostedModel::make(std::move(schema), base, std::move(trees));
    return model ? Code::kInternal : model.error().code();
  };
  EXPECT_EQ(code(schema_of(2), kInfinite, {}), Code::kBadData);
  EXPECT_EQ(code(schema_of(0), 0, {}), Code::kBadData);
  EXPECT_EQ(code({{"a", "a"}, "y"}, 0, {}), Code::kBadData);
  EXPECT_EQ(code(schema_of(2), 0, std::vector<Tree>(kTreesMax + 1, {{-1}, {1}, {}})),
            Code::kBadData);
  std::mt19937_64 generator(1);
  const Tree large = random_tree(generator, 2, 30'000);
  const std::size_t enough = kTreeNodesMax / large.feature.size() + 1;
  EXPECT_EQ(code(schema_of(2), 0, std::vector<Tree>(enough, large)), Code::kBadData);
}

TEST(BoostedModelFile, is_refused_at_every_truncation) {
  const std::string text = random_model(3, 4, 6).to_json();
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_EQ(refusal(text.substr(0, length)), Code::kCorrupt) << length;
  }
}

TEST(BoostedModelFile, is_refused_with_any_bit_flipped_and_any_byte_changed) {
  const std::string text = random_model(2, 3, 3).to_json();
  ASSERT_TRUE(parse_model(text));
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = text;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      ASSERT_FALSE(parse_model(flipped)) << flipped;
    }
    for (const char other : {' ', '0', '9', 'a', 'F', '\0', '\n', '"', '}'}) {
      std::string changed = text;
      if (changed[at] == other) continue;
      changed[at] = other;
      ASSERT_FALSE(parse_model(changed)) << changed;
    }
  }
}

// Thresholds and values that no float holds; 0.1 + 0.2 shows which sum it is.
TEST(BoostedModel, predicts_in_doubles_where_it_is_told_to) {
  const double threshold = std::nextafter(0.1, 1);
  const std::vector<Tree> trees{{{0, -1, -1}, {threshold, 0.1, 0.3}, {0}, {5, 4, 1}},
                                {{-1}, {0.2}, {}}};
  for (const Arithmetic arithmetic : {Arithmetic::kBinary64, Arithmetic::kBinary32}) {
    const auto model = BoostedModel::make(schema_of(1), 0, trees, arithmetic);
    ASSERT_TRUE(model) << model.error().message();
    const bool wide = arithmetic == Arithmetic::kBinary64;
    std::vector<double> rows;
    std::vector<double> expected;
    for (int i = 0; i < 11; ++i) {
      const bool left = i % 2 == 0;
      rows.push_back(left ? 0.1 : threshold);
      const double low = wide ? 0.1 + 0.2 : static_cast<double>(0.1F + 0.2F);
      const double high = wide ? 0.3 + 0.2 : static_cast<double>(0.3F + 0.2F);
      // As floats the value and the threshold are one number, and so not below it.
      expected.push_back(left && wide ? low : high);
    }
    rows.push_back(std::nan(""));
    expected.push_back(expected[1]);
    std::vector<double> found(rows.size());
    model->predict(rows, found);
    EXPECT_EQ(found, expected) << wide;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      double alone = 0;
      model->predict({&rows[i], 1}, {&alone, 1});
      EXPECT_EQ(alone, expected[i]);
    }
    const auto back = parse_boosted_model(model->to_json());
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(back->arithmetic(), arithmetic);
    EXPECT_EQ(back->to_json(), model->to_json());
    EXPECT_EQ(back->trees()[0].cover, trees[0].cover);
    EXPECT_EQ(model->to_json().find("binary64") != std::string::npos, wide);
  }
}

TEST(BoostedModelFile, is_refused_with_an_arithmetic_or_covers_that_cannot_be) {
  const auto model = BoostedModel::make(schema_of(1), 0, {{{0, -1, -1}, {1, 2, 3}, {0}, {5, 4, 1}}},
                                        Arithmetic::kBinary64);
  const std::string body = body_of(*model);
  ASSERT_TRUE(parse_model(sealed(body)));
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"\"binary64\"", "\"binary32\""},
                                                        {"\"binary64\"", "64"},
                                                        {"[5,4,1]", "[5,4]"},
                                                        {"[5,4,1]", "[5,4,-1]"},
                                                        {"[5,4,1]", "[5,4,null]"},
                                                        {"[5,4,1]", "[]"},
                                                        {"[5,4,1]", "7"}}) {
    const Code code = refusal(sealed(replaced(body, from, to)));
    EXPECT_TRUE(code == Code::kCorrupt || code == Code::kUnsupported) << from << to;
  }
}

TEST(BoostedModelFile, is_refused_where_the_seal_fits_but_the_content_does_not) {
  const auto model = BoostedModel::make(schema_of(2), 22.5F, {{{1, -1, -1}, {0.5F, 7, 8}, {1}}});
  const std::string body = body_of(*model);
  ASSERT_TRUE(parse_model(sealed(body)));
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"22.5", "1e39"},
           {"22.5", "null"},
           {"22.5", "22.50"},
           {"22.5", "-0"},
           {"\"base\"", "\"bias\""},
           {"[1,-1,-1]", "[2,-1,-1]"},
           {"[1,-1,-1]", "[1.0,-1,-1]"},
           {"[1,-1,-1]", "[1,-1]"},
           {"[1,-1,-1]", "[1,-1,-1,-1]"},
           {"[1,-1,-1]", "[1,1,-1]"},
           {"[1,-1,-1]", "[1,-1,4294967295]"},
           {"[1,-1,-1]", "{\"1\": 1}"},
           {"[1,-1,-1]", "1"},
           {"[0.5,7,8]", "[0.5,7,1e39]"},
           {"[0.5,7,8]", "[0.5,7,null]"},
           {"[0.5,7,8]", "[0.5,7,8.0]"},
           {"[0.5,7,8]", "[0.50000000000001,7,8]"},
           {"[0.5,7,8]", "[[0.5],7,8]"},
           {"\"missing_left\": [1]", "\"missing_left\": [2]"},
           {"\"missing_left\": [1]", "\"missing_left\": [257]"},
           {"\"missing_left\": [1]", "\"missing_left\": [true]"},
           {"\"missing_left\": [1]", "\"missing_left\": []"},
           {"\"missing_left\"", "\"extra\": 1, \"missing_left\""},
           {"\"trees\": [", "\"trees\": [{},"},
           {"\"trees\": [", "\"trees\": [null,"},
           {"\"x1\",\"x2\"", "\"x2\",\"x1\""}}) {
    EXPECT_EQ(refusal(sealed(replaced(body, from, to))), Code::kCorrupt) << from << " -> " << to;
  }
}

TEST(BoostedModelFile, is_refused_before_it_can_cost_memory) {
  const std::string body = body_of(*BoostedModel::make(schema_of(1), 1, {}));
  const std::string head = body.substr(0, body.find("\"trees\": [") + 10);
  EXPECT_EQ(refusal(head + std::string(1'000'000, '[')), Code::kCorrupt);
  EXPECT_EQ(refusal(head + std::string(kModelBytesMax, ' ')), Code::kCorrupt);
  std::string many;
  for (int i = 0; i < 2'000'000; ++i) many += "0,";
  EXPECT_EQ(refusal(sealed(head + many + "0]")), Code::kCorrupt);
}

}  // namespace
}  // namespace weir::model
