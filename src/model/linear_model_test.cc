#include "model/linear_model.h"

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

LinearModel make(std::size_t features, unsigned seed = 1) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  std::vector<double> coefficients;
  for (std::size_t j = 0; j < features; ++j) coefficients.push_back(normal(generator));
  return std::move(LinearModel::make(schema_of(features), normal(generator), coefficients).value());
}

// A text whose seal fits, whatever it says.
std::string sealed(const std::string& body) {
  return body + ",\n  \"sha256\": \"" + sha256_hex(body) + "\"\n}\n";
}

std::string body_of(const LinearModel& model) {
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

TEST(LinearModel, predicts_by_the_arithmetic_that_it_documents) {
  const LinearModel model = make(13);
  std::mt19937_64 generator(2);
  std::normal_distribution<double> normal(0, 100);
  for (int round = 0; round < 1000; ++round) {
    std::vector<double> row(13);
    for (double& x : row) x = normal(generator);
    double expected = model.intercept();
    for (std::size_t j = 0; j < 13; ++j) {
      const volatile double product = model.coefficients()[j] * row[j];
      const volatile double sum = expected + product;
      expected = sum;
    }
    double actual = 0;
    model.predict(row, {&actual, 1});
    EXPECT_EQ(std::bit_cast<std::uint64_t>(actual), std::bit_cast<std::uint64_t>(expected));
  }
}

TEST(LinearModel, gives_a_row_the_same_bits_alone_and_in_any_batch) {
  for (const std::size_t features : {1U, 2U, 13U, 31U}) {
    const LinearModel model = make(features);
    std::mt19937_64 generator(3);
    std::normal_distribution<double> normal(5, 1e3);
    std::vector<double> rows(features * 101);
    for (double& x : rows) x = normal(generator);
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

TEST(LinearModel, predicts_no_rows) { make(3).predict({}, {}); }

TEST(LinearModel, comes_back_from_its_text_bit_for_bit) {
  const std::vector<double> awkward = {0.1,
                                       -1e-320,
                                       5e-324,
                                       std::numeric_limits<double>::max(),
                                       12345678901234567890.0,
                                       1e22,
                                       -3,
                                       0.0,
                                       -2.2250738585072011e-308};
  const auto model = LinearModel::make(schema_of(awkward.size()), 1.0 / 3, awkward);
  ASSERT_TRUE(model);
  const auto back = parse_linear_model(model->to_json());
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->intercept(), 1.0 / 3);
  for (std::size_t j = 0; j < awkward.size(); ++j) {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(back->coefficients()[j]),
              std::bit_cast<std::uint64_t>(awkward[j]));
  }
  EXPECT_EQ(back->schema(), model->schema());
  EXPECT_EQ(back->to_json(), model->to_json());
}

TEST(LinearModel, keeps_names_with_quotes_controls_and_other_scripts) {
  const record::Schema schema{{"a\"b\\c", "новый\n", "x\x01,y", "]}"}, "цель"};
  const auto model = LinearModel::make(schema, 1, {1, 2, 3, 4});
  ASSERT_TRUE(model);
  const auto back = parse_linear_model(model->to_json());
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->schema(), schema);
}

TEST(LinearModel, writes_no_minus_zero) {
  const auto model = LinearModel::make(schema_of(1), -0.0, {-0.0});
  EXPECT_FALSE(std::signbit(model->intercept()));
  EXPECT_FALSE(std::signbit(model->coefficients()[0]));
}

// The two hashes were computed apart, in Python.
TEST(LinearModel, has_this_very_text) {
  const auto model = LinearModel::make({{"crim", "zn"}, "medv"}, 36.5, {-0.1, 2e-7});
  EXPECT_EQ(model->to_json(), R"({
  "format": "weirkeeper-model",
  "format_version": 1,
  "algorithm": "linear",
  "target": "medv",
  "features": ["crim","zn"],
  "schema_sha256": "11ad85b656104a8677ecdda89bd65afd8f10a1093ba1a7399653eeb90cb60221",
  "intercept": 36.5,
  "coefficients": [-0.1,2e-07],
  "sha256": "e58c093c45ab061cc85c818e0382602aea209f3e953fce3cf0b3e8f21d0d38fe"
}
)");
}

TEST(LinearModel, refuses_to_be_made_of_what_cannot_be_written_or_told_apart) {
  const double infinite = std::numeric_limits<double>::infinity();
  const auto code = [](record::Schema schema, double intercept, std::vector<double> coefficients) {
    const auto model = LinearModel::make(std::move(schema), intercept, std::move(coefficients));
    return model ? Code::kInternal : model.error().code();
  };
  EXPECT_EQ(code(schema_of(2), std::nan(""), {1, 2}), Code::kBadData);
  EXPECT_EQ(code(schema_of(2), 0, {1, infinite}), Code::kBadData);
  EXPECT_EQ(code(schema_of(2), 0, {1}), Code::kBadData);
  EXPECT_EQ(code(schema_of(0), 0, {}), Code::kBadData);
  EXPECT_EQ(code({{"a", "a"}, "y"}, 0, {1, 2}), Code::kBadData);
  EXPECT_EQ(code({{"a", "y"}, "y"}, 0, {1, 2}), Code::kBadData);
  EXPECT_EQ(code({{"a", ""}, "y"}, 0, {1, 2}), Code::kBadData);
  EXPECT_EQ(code({{"a", "\xff"}, "y"}, 0, {1, 2}), Code::kBadData);
  EXPECT_EQ(code(schema_of(4000), 0, std::vector<double>(4000)), Code::kBadData);
}

TEST(ModelFile, is_refused_at_every_truncation) {
  const std::string text = make(13).to_json();
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_EQ(refusal(text.substr(0, length)), Code::kCorrupt) << length;
  }
}

TEST(ModelFile, is_refused_with_any_bit_flipped_and_any_byte_changed) {
  const std::string text = make(3).to_json();
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

TEST(ModelFile, is_refused_with_anything_added_even_white_space) {
  const std::string text = make(3).to_json();
  for (const char* addition : {" ", "\n", "x", "{}", "\xef\xbb\xbf"}) {
    EXPECT_EQ(refusal(text + addition), Code::kCorrupt);
    EXPECT_EQ(refusal(addition + text), Code::kCorrupt);
  }
  EXPECT_EQ(refusal(text + '\0'), Code::kCorrupt);
}

TEST(ModelFile, is_refused_where_the_seal_fits_but_the_content_does_not) {
  const LinearModel model = make(2);
  const std::string body = body_of(model);
  ASSERT_TRUE(parse_model(sealed(body)));
  const std::string intercept = body.substr(body.find("\"intercept\""));
  const std::string number = intercept.substr(13, intercept.find(',') - 13);
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"weirkeeper-model", "other-model"},
           {"\"format_version\": 1", "\"format_version\": 0"},
           {"\"format_version\": 1", "\"format_version\": \"1\""},
           {"\"format_version\": 1", "\"format_version\": 1.0"},
           {"\"format_version\": 1", "\"format_version\": -1"},
           {"\"linear\"", "7"},
           {"\"x1\",\"x2\"", "\"x1\""},
           {"\"x1\",\"x2\"", "\"x2\",\"x1\""},
           {"\"x1\",\"x2\"", "\"x1\",\"x1\""},
           {"\"x1\",\"x2\"", "\"x1\",2"},
           {"\"x1\",\"x2\"", "\"x1\",[\"x2\"]"},
           {"[\"x1\",\"x2\"]", "{\"x1\":\"x2\"}"},
           {"\"target\": \"y\"", "\"target\": null"},
           {"\"target\": \"y\"", "\"goal\": \"y\""},
           {number, "1e999"},
           {number, "null"},
           {number, "\"1\""},
           {number, "NaN"},
           {number, number + "0"},
           {"\"coefficients\": [", "\"coefficients\": [1,"},
           {"\"coefficients\": [", "\"coefficients\": [true,"},
           {"\"coefficients\": [", "\"extra\": 1, \"coefficients\": ["},
           {"\"intercept\"", "\"intercept\": 3, \"intercept\""}}) {
    EXPECT_EQ(refusal(sealed(replaced(body, from, to))), Code::kCorrupt) << from << " -> " << to;
  }
}

TEST(ModelFile, of_a_newer_version_or_another_algorithm_is_unsupported_by_name) {
  const std::string body = body_of(make(2));
  const auto newer =
      parse_model(sealed(replaced(body, "\"format_version\": 1", "\"format_version\": 2")));
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code(), Code::kUnsupported);
  EXPECT_THAT(newer.error().message(), HasSubstr("version 2"));
  const auto other = parse_model(sealed(replaced(body, "\"linear\"", "\"bagged\"")));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), Code::kUnsupported);
  EXPECT_THAT(other.error().message(), HasSubstr("bagged"));
}

TEST(ModelFile, is_refused_before_it_can_cost_memory) {
  EXPECT_EQ(refusal(std::string(kModelBytesMax + 1, ' ')), Code::kCorrupt);
  EXPECT_EQ(refusal(std::string(kModelBytesMax, '[')), Code::kCorrupt);
  EXPECT_EQ(refusal("[" + std::string(1'000'000, ',') + "]"), Code::kCorrupt);
  EXPECT_EQ(refusal(std::string(kModelBytesMax, '"')), Code::kCorrupt);
  EXPECT_EQ(refusal(""), Code::kCorrupt);
  EXPECT_EQ(refusal("null"), Code::kCorrupt);
}

}  // namespace
}  // namespace weir::model
