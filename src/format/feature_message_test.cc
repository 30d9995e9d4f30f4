#include "format/feature_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "base/text.h"
#include "format/feature_message_oracle.h"

namespace weir::format {
namespace {

using ::testing::ElementsAre;
using Kind = FeatureRefusalKind;

const record::Schema kSchema{.features = {"crim", "zn", "a name of more than 16 bytes"},
                             .target = "medv"};
constexpr std::string_view kLong = "\"a name of more than 16 bytes\": ";

// "crim" and "zn" are given; the long one is 3.
std::string flat(std::string_view members) {
  return "{" + std::string(kLong) + "3, " + std::string(members) + "}";
}

std::string refusal(std::string_view message, Kind kind, FeatureParserOptions options = {}) {
  FeatureParser parser(kSchema, options);
  std::vector<double> rows{7};
  if (parser.parse(message, rows)) return "no refusal";
  EXPECT_EQ(parser.refusal().kind, kind) << feature_refusal_name(parser.refusal().kind);
  EXPECT_THAT(rows, ElementsAre(7));
  return parser.refusal().text;
}

std::vector<double> values(std::string_view message, const record::Schema& schema = kSchema) {
  FeatureParser parser(schema);
  std::vector<double> rows;
  const auto parsed = parser.parse(message, rows);
  EXPECT_TRUE(parsed) << parser.refusal().text;
  return rows;
}

TEST(FeatureParser, reads_one_row_of_members_in_any_order_and_leaves_out_others) {
  EXPECT_THAT(values(R"({"crim": 0.00632, "zn": 18.0, "a name of more than 16 bytes": -3e2})"),
              ElementsAre(0.00632, 18, -300));
  EXPECT_THAT(values("\n{\"zn\":1,\"x\":[{\"crim\":5},1e999,\"\\ud83d\\ude00\",null,true,{}],"
                     "\"medv\":\"?\",\"a name of more than 16 bytes\" : 123456789012345678901 ,"
                     "\"crim\":-0.5 }\r\n\t "),
              ElementsAre(-0.5, 1, 123456789012345678901.0));
  EXPECT_THAT(values(flat(R"("cr\u0069m": 1, "\u007an": 2)")), ElementsAre(1, 2, 3));
}

TEST(FeatureParser, appends_to_the_rows_that_are_there) {
  FeatureParser parser(kSchema);
  std::vector<double> rows;
  const std::string message = flat(R"("crim": 1, "zn": 2)");
  for (int i = 0; i < 2; ++i) {
    const auto parsed = parser.parse(message, rows);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->count, 1U);
    EXPECT_FALSE(parsed->many);
  }
  EXPECT_THAT(rows, ElementsAre(1, 2, 3, 1, 2, 3));
}

TEST(FeatureParser, reads_the_shape_that_pandas_writes) {
  FeatureParser parser(kSchema);
  std::vector<double> rows;
  const auto parsed = parser.parse(R"({"sample": {"crim": {"12": 1.5}, "zn": {"12": 18.0},
      "a name of more than 16 bytes": {"12": 3}, "medv": {"12": null}, "new": 4}})",
                                   rows);
  ASSERT_TRUE(parsed) << parser.refusal().text;
  EXPECT_TRUE(parsed->many);
  EXPECT_EQ(parsed->count, 1U);
  EXPECT_THAT(rows, ElementsAre(1.5, 18, 3));
}

TEST(FeatureParser, orders_many_rows_as_the_first_features_column_does) {
  const std::vector<std::string> columns = {
      R"("crim": {"7": 1, "5": 2, "x\"": 3})", R"("zn": {"5": 20, "7": 10, "\u0078\"": 30})",
      std::string(kLong) + R"({"x\"": 3e2, "7": 1e2,"5":2e2})"};
  std::vector<std::size_t> order = {0, 1, 2};
  do {
    std::string message = "{\"\": {";
    for (std::size_t i = 0; i < 3; ++i) message += (i > 0 ? ", " : "") + columns[order[i]];
    EXPECT_THAT(values(message + "}}"), ElementsAre(1, 10, 100, 2, 20, 200, 3, 30, 300));
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(FeatureParser, takes_a_lone_object_for_a_table_and_any_other_for_a_member) {
  EXPECT_EQ(refusal(R"({"crim": {"zn": {"0": 1}}})", Kind::kMissingFeature),
            "feature 'crim' is missing, and 1 more");
  EXPECT_THAT(values(R"({"meta": {"crim": {"0": 1}}, "crim": 1, "zn": 2,
      "a name of more than 16 bytes": 3})"),
              ElementsAre(1, 2, 3));
  EXPECT_EQ(refusal(R"({"sample": {"crim": 1, "zn": 2}})", Kind::kNotAnObject),
            "column 'crim' is not an object of rows");
}

TEST(FeatureParser, refuses_rows_that_do_not_match) {
  const auto table = [](std::string_view crim, std::string_view zn) {
    return "{\"sample\": {\"crim\": {" + std::string(crim) + "}, \"zn\": {" + std::string(zn) +
           "}, " + std::string(kLong) + "{\"1\": 1, \"2\": 2}}}";
  };
  EXPECT_EQ(refusal(table("\"1\": 1, \"2\": 2", "\"1\": 1, \"3\": 2"), Kind::kRowLabels),
            "row '3' is not in every column");
  EXPECT_EQ(refusal(table("\"1\": 1, \"2\": 2", "\"1\": 1"), Kind::kRowLabels),
            "column 'zn' has 1 rows, another has 2");
  EXPECT_EQ(refusal(table("\"1\": 1, \"\\u0031\": 2", "\"1\": 1"), Kind::kRowLabels),
            "row '1' twice");
  EXPECT_EQ(refusal(table("\"1\": 1, \"2\": 2", "\"2\": 1, \"2\": 1"), Kind::kRowLabels),
            "row '2' twice in column 'zn'");
  EXPECT_EQ(refusal(R"({"s": {"crim": {}, "zn": {}, "a name of more than 16 bytes": {}}})",
                    Kind::kRowLabels),
            "there are no rows");
  EXPECT_EQ(refusal("{\"s\": {}}", Kind::kMissingFeature), "feature 'crim' is missing, and 2 more");
}

TEST(FeatureParser, names_the_feature_that_it_refuses) {
  EXPECT_EQ(refusal(flat("\"crim\": 1"), Kind::kMissingFeature), "feature 'zn' is missing");
  EXPECT_EQ(refusal("{}", Kind::kMissingFeature), "feature 'crim' is missing, and 2 more");
  EXPECT_EQ(refusal(flat("\"crim\": null, \"zn\": 1"), Kind::kNotANumber),
            "feature 'crim' is not a number but null");
  EXPECT_EQ(refusal(flat("\"crim\": \"0.5\""), Kind::kNotANumber),
            "feature 'crim' is not a number but text");
  EXPECT_EQ(refusal(flat("\"crim\": [1]"), Kind::kNotANumber),
            "feature 'crim' is not a number but an array");
  EXPECT_EQ(refusal(flat("\"crim\": true"), Kind::kNotANumber),
            "feature 'crim' is not a number but a truth value");
  EXPECT_EQ(refusal(flat("\"crim\": 1e999"), Kind::kOutOfRange), "feature 'crim' is out of range");
  EXPECT_EQ(refusal(flat("\"crim\": 1e-999"), Kind::kOutOfRange), "feature 'crim' is out of range");
  EXPECT_EQ(refusal(flat("\"crim\": 1, \"zn\": 2, \"cri\\u006d\": 1"), Kind::kDuplicateFeature),
            "feature 'crim' twice");
}

TEST(FeatureParser, refuses_numbers_that_are_not_json) {
  for (const std::string_view number :
       {"01",  "00",  "-01",  "+1",  ".5",       "1.",        "-",   "-.5",
        "1e",  "1e+", "0x10", "NaN", "Infinity", "-Infinity", "nan", "1.2.3",
        "1,5", "1_0", "1f",   "--1", "1e5.5",    "''",        ""}) {
    const std::string message = "{\"crim\": " + std::string(number) + ", \"zn\": 1, " +
                                std::string(kLong) + "12345678901234567}";
    EXPECT_THAT(refusal(message, Kind::kNotJson), ::testing::StartsWith("not JSON at byte"))
        << number;
  }
  EXPECT_EQ(refusal(flat("\"crim\": NaN"), Kind::kNotJson),
            "not JSON at byte 44: expected a value, in feature 'crim'");
}

TEST(FeatureParser, refuses_what_is_no_message) {
  EXPECT_EQ(refusal("", Kind::kTombstone), "the message has no value");
  EXPECT_EQ(refusal(" ", Kind::kNotJson), "not JSON at byte 1: expected a value");
  EXPECT_EQ(refusal("[1, 2]", Kind::kNotAnObject), "the message is not a JSON object");
  EXPECT_EQ(refusal("12", Kind::kNotAnObject), "the message is not a JSON object");
  EXPECT_EQ(refusal("12 x", Kind::kNotJson), "not JSON at byte 3: bytes after the document");
  const std::string good = flat("\"crim\": 1, \"zn\": 2");
  EXPECT_EQ(refusal(good + "x", Kind::kNotJson), "not JSON at byte 55: bytes after the document");
  EXPECT_EQ(refusal(good + good, Kind::kNotJson), "not JSON at byte 55: bytes after the document");
  EXPECT_EQ(refusal(good + std::string(1, '\0'), Kind::kNotJson),
            "not JSON at byte 55: bytes after the document");
  EXPECT_EQ(refusal("\xef\xbb\xbf" + good, Kind::kNotJson), "not JSON at byte 0: expected a value");
  EXPECT_EQ(refusal("{\"x\": \"\xff\"}", Kind::kNotUtf8), "at byte 8: not UTF-8");
  EXPECT_EQ(refusal("{\"x\": \"\xed\xa0\x80\"}", Kind::kNotUtf8), "at byte 10: not UTF-8");
  EXPECT_EQ(refusal(R"({"x": "\ud800"})", Kind::kNotJson),
            "not JSON at byte 13: half a surrogate pair");
  EXPECT_EQ(refusal(R"({"x": "\udc00"})", Kind::kNotJson),
            "not JSON at byte 13: half a surrogate pair");
  EXPECT_EQ(refusal(R"({"crim": 1,})", Kind::kNotJson),
            "not JSON at byte 11: expected a member's name");
}

TEST(FeatureParser, refuses_every_truncation_of_a_message) {
  for (const std::string& good :
       {flat("\"crim\": 1.25e2, \"zn\": 2, \"x\": [true, false, null, \"\\u00e9\"]"),
        std::string(R"({"s": {"crim": {"1": 1, "2": 2}, "zn": {"1": 1, "2": 2},
            "a name of more than 16 bytes": {"2": 1, "1": 2}}})")}) {
    EXPECT_EQ(values(good).size() % 3, 0U);
    FeatureParser parser(kSchema);
    std::vector<double> rows;
    for (std::size_t length = 0; length < good.size(); ++length) {
      // A copy of its own size, so that a sanitizer sees a read beyond it.
      const std::vector<char> cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length));
      EXPECT_FALSE(parser.parse({cut.data(), cut.size()}, rows)) << length;
    }
    EXPECT_TRUE(rows.empty());
  }
}

TEST(FeatureParser, bounds_depth_and_size) {
  const auto nested = [](std::size_t depth) {
    return flat("\"crim\": 1, \"zn\": 2, \"x\": " + std::string(depth, '[') +
                std::string(depth, ']'));
  };
  EXPECT_EQ(refusal(nested(63), Kind::kTooDeep), "no refusal");
  EXPECT_EQ(refusal(nested(64), Kind::kTooDeep), "at byte 124: nested too deeply");
  EXPECT_THAT(refusal(std::string(1 << 20, '['), Kind::kTooDeep), ::testing::HasSubstr("byte 64:"));
  EXPECT_THAT(refusal(nested(500000), Kind::kTooDeep), ::testing::HasSubstr("nested too deeply"));
  EXPECT_EQ(refusal("{\"x\": 12345}", Kind::kTooLong, {.message_bytes_max = 10}),
            "the message has 12 bytes, more than 10");
}

TEST(FeatureParser, reads_names_that_need_escapes_or_are_not_ascii) {
  const record::Schema schema{.features = {"\"", "a\\b", "n\xc3\xa4", "\n", "\xf0\x9f\x98\x80"},
                              .target = "y"};
  EXPECT_THAT(values("{\"\\\"\": 1, \"a\\\\b\": 2, \"n\xc3\xa4\": 3, \"\\n\": 4, "
                     "\"\\ud83d\\uDE00\": 5}",
                     schema),
              ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(values("{\"\\u0022\": 1, \"a\\u005cb\": 2, \"n\\u00e4\": 3, \"\\u000a\": 4, "
                     "\"\xf0\x9f\x98\x80\": 5}",
                     schema),
              ElementsAre(1, 2, 3, 4, 5));
}

TEST(FeatureParser, gives_equal_bits_whatever_the_order_of_members_and_the_messages_before) {
  record::Schema schema{{}, "y"};
  std::vector<std::string> members;
  std::mt19937_64 random(7);
  for (int i = 0; i < 13; ++i) {
    schema.features.push_back("feature" + std::to_string(i));
    const double value =
        std::ldexp(static_cast<double>(random()), static_cast<int>(random() % 80) - 60);
    members.push_back("\"" + schema.features.back() + "\": " + format_double(value));
  }
  FeatureParser parser(schema);
  std::vector<double> first;
  for (int round = 0; round < 2000; ++round) {
    std::string message = "{";
    for (const std::string& member : members) message += member + ", ";
    std::vector<double> rows;
    ASSERT_TRUE(parser.parse(message + "\"more\": {}}", rows)) << parser.refusal().text;
    if (round == 0) first = rows;
    ASSERT_EQ(rows, first);
    std::shuffle(members.begin(), members.end(), random);
  }
}

// The message with some bytes changed, doubled, left out or moved.
std::string mutated(std::string message, std::mt19937& random) {
  static constexpr std::string_view kBytes = "{}[]\",:.0123456789eE+-\\u ntz\n\xc3\xa4";
  for (std::uint64_t n = random() % 3 + 1; n > 0 && !message.empty(); --n) {
    const std::size_t at = random() % message.size();
    const std::size_t from = random() % message.size();
    const std::size_t length = random() % 24;
    switch (random() % 4) {
      case 0: message[at] = kBytes[random() % kBytes.size()]; break;
      case 1: message.insert(at, 1, kBytes[random() % kBytes.size()]); break;
      case 2: message.erase(at, random() % 3 == 0 ? length : 1); break;
      default: message.insert(at, message.substr(from, length));
    }
  }
  return message;
}

TEST(FeatureParser, agrees_with_another_parser_on_damaged_messages) {
  const std::vector<std::string> seeds = {
      R"({"a": 0.00632, "zn": 18.0, "b": 1e-5})",
      R"({"zn":-12,"b":123456789.5,"x":{"a":[1,"\u00e9\\",null]},"a":0})",
      R"({"a": 0.00632123456789012, "zn":-18.25, "b": 396.9, "x": "more than thirty-three bytes"})",
      R"({"b": 10000000.5, "a":1.0000000000000002, "zn": 123456789012345678, "x": [1, 2, 3, 4, 5, 6, 7]})",
      R"({"sample": {"a": {"12": 1}, "zn": {"12": 2.5}, "b": {"12": 3}}})",
      R"({"s": {"b": {"1": 1, "2": 2}, "zn": {"2": 1, "1": 2}, "a": {"2": 5, "1": 6}, "y": 1}})"};
  const record::Schema schema{.features = {"a", "zn", "b"}, .target = "y"};
  constexpr std::size_t kDepthMax = 6;
  FeatureParser parser(schema, {.depth_max = kDepthMax});
  std::mt19937 random(8);
  std::vector<double> rows;
  int taken = 0;
  for (int round = 0; round < 150'000; ++round) {
    const std::string& seed = seeds[static_cast<unsigned>(round) % seeds.size()];
    const std::string message = mutated(seed, random);
    static_cast<void>(
        parser.parse(seed, rows));  // its order is what the next one is likely to have
    rows.clear();
    const auto parsed = parser.parse(message, rows);
    const auto expected = oracle::expected_features(schema, message, kDepthMax);
    if (!expected.sure) continue;
    ASSERT_EQ(parsed.has_value(), expected.rows.has_value()) << message << "\n"
                                                             << parser.refusal().text;
    if (!parsed) continue;
    ++taken;
    ASSERT_EQ(rows, *expected.rows) << message;
    ASSERT_EQ(parsed->many, expected.many) << message;
  }
  EXPECT_GT(taken, 3000);
}

TEST(FeatureParser, refuses_each_time_a_feature_that_stands_where_another_did) {
  const record::Schema schema{.features = {"a", "zn", "b"}, .target = "y"};
  FeatureParser parser(schema);
  std::vector<double> rows;
  for (int i = 0; i < 3; ++i) {
    const auto parsed = parser.parse(
        R"({"a": 1, "a": 2, "zn": 3, "x": "more than thirty-three bytes, all of them"})", rows);
    ASSERT_FALSE(parsed);
    ASSERT_EQ(parser.refusal().kind, Kind::kDuplicateFeature);
  }
}

TEST(FeatureParser, reads_the_same_after_a_member_that_is_unlike_the_others) {
  const record::Schema schema{.features = {"a", "zn", "b"}, .target = "y"};
  const std::string tail = R"(, "x": "more than thirty-three bytes, all of them"})";
  FeatureParser parser(schema);
  for (const std::string_view first :
       {R"("id": "house-1", "a": 1)", R"("a": 1e0)", R"("a": 1)", R"("a":1)", "\n\t\"a\" :\r 1"}) {
    for (const std::string_view blank : {"", " ", "  ", "\n "}) {
      std::vector<double> rows;
      std::string message = "{" + std::string(first);
      for (const std::string_view member : {R"("zn":-2.5)", R"("b": 123456789012.25)"}) {
        message.append(",").append(blank).append(member);
      }
      ASSERT_TRUE(parser.parse(message + tail, rows)) << message;
      EXPECT_THAT(rows, ElementsAre(1, -2.5, 123456789012.25)) << message;
    }
  }
}

TEST(FeatureParser, allocates_nothing_for_the_rows_once_they_have_grown) {
  FeatureParser parser(kSchema);
  std::vector<double> rows;
  rows.reserve(3);
  const double* const memory = rows.data();
  for (int i = 0; i < 100; ++i) {
    rows.clear();
    ASSERT_TRUE(parser.parse(flat("\"crim\": 1, \"zn\": 2"), rows));
  }
  EXPECT_EQ(rows.data(), memory);
}

TEST(FeatureParser, is_quick_with_as_many_labels_as_a_message_holds) {
  std::string message = "{\"s\": {";
  for (const std::string& name : kSchema.features) {
    message += (name == "crim" ? "\"" : ", \"") + name + "\": {";
    for (int i = 0; i < 20000; ++i) {
      // Each column in another order, so that every label has to be looked up.
      const int label = name == "crim" ? i : (i * 7919) % 20000;
      message +=
          (i > 0 ? ",\"" : "\"") + std::to_string(label) + "\":" + std::to_string(label % 10);
    }
    message += "}";
  }
  const std::vector<double> rows = values(message + "}}");
  ASSERT_EQ(rows.size(), 60000U);
  for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(rows[i], static_cast<double>(i / 3 % 10));
}

}  // namespace
}  // namespace weir::format
