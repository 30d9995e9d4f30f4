#include "audit/recompute.h"

#include <gtest/gtest.h>

#include "audit/csv_count.h"

namespace weir::audit {
namespace {

using Verdict = Expectation::Verdict;

constexpr const char* kModel =
    R"({"format": "weirkeeper-model", "algorithm": "linear", "features": ["x", "y"],
        "intercept": 0.1, "coefficients": [0.2, 1e-3]})";

class RecomputerTest : public ::testing::Test {
 protected:
  const Expectation& expect(std::string_view message) { return recomputer.expect(model, message); }

  AuditModel model = *AuditModel::parse(kModel);
  Recomputer recomputer;
};

TEST_F(RecomputerTest, adds_up_in_the_order_of_the_model) {
  double value = 0.1;
  value = value + 0.2 * 3.7;
  value = value + 1e-3 * 12345678901.0;
  const auto& expected = expect(R"({"y": 12345678901, "z": [{"x": 1}], "x": 3.7})");
  ASSERT_EQ(expected.verdict, Verdict::kScored) << expected.why;
  EXPECT_FALSE(expected.many);
  EXPECT_EQ(expected.values, std::vector<double>{value});
}

TEST_F(RecomputerTest, reads_tables_by_label) {
  const auto& expected =
      expect(R"({"t": {"y": {"b": 2, "a": 1}, "q": 7, "x": {"a": 10, "b": 20}}})");
  ASSERT_EQ(expected.verdict, Verdict::kScored) << expected.why;
  EXPECT_TRUE(expected.many);
  EXPECT_EQ(expected.values,
            (std::vector<double>{0.1 + 0.2 * 10 + 1e-3 * 1, 0.1 + 0.2 * 20 + 1e-3 * 2}));
}

TEST_F(RecomputerTest, refuses_what_cannot_be_scored) {
  for (const char* message :
       {"", " ", "x", "[1]", "{\"x\": 1}", "{\"x\": 1, \"y\": null}", "{\"x\": 1, \"y\": \"2\"}",
        "{\"x\": 1, \"y\": 2, \"x\": 1}", "{\"x\": 1, \"y\": 2} x", "{\"x\": 1, \"y\": 2",
        "{\"x\": 1e308, \"y\": 1.7e308, \"x2\": \"\xff\"}", "{\"t\": {\"x\": {\"a\": 1}}}",
        "{\"t\": {\"x\": {\"a\": 1}, \"y\": {\"b\": 1}}}",
        "{\"t\": {\"x\": {\"a\": 1, \"b\": 2}, \"y\": {\"b\": 1}}}",
        "{\"t\": {\"x\": {\"a\": 1, \"a\": 2}, \"y\": {\"a\": 1}}}",
        "{\"t\": {\"x\": {}, \"y\": {}}}", "{\"t\": {\"x\": 1, \"y\": {\"a\": 1}}}"}) {
    EXPECT_EQ(expect(message).verdict, Verdict::kRefused) << message;
  }
  const auto large = *AuditModel::parse(
      R"({"format": "weirkeeper-model", "algorithm": "linear", "features": ["x"],
          "intercept": 1e308, "coefficients": [1e308]})");
  EXPECT_EQ(recomputer.expect(large, R"({"x": 1})").verdict, Verdict::kRefused);
}

TEST_F(RecomputerTest, says_so_where_it_cannot_tell) {
  EXPECT_EQ(expect(R"({"x": 1, "y": 2, "z": 1e999})").verdict, Verdict::kUnknown);
}

constexpr const char* kTrees =
    R"({"format": "weirkeeper-model", "algorithm": "boosted", "features": ["x", "y"], "base": 16777216,
        "trees": [{"feature": [1, -1, 0, -1, -1], "value": [0.1, 1, 2.5, 1, 3], "missing_left": [0, 0]},
                  {"feature": [-1], "value": [1], "missing_left": []}]})";

TEST(AuditModel, goes_down_trees_in_binary32_and_adds_up_in_their_order) {
  const auto model = AuditModel::parse(kTrees);
  ASSERT_TRUE(model) << model.error().message();
  const auto value = [&](double x, double y) {
    const double row[] = {x, y};
    return model->predict(row);
  };
  // 2^24 + 1 is no float and rounds to 2^24, twice; 2^24 + 3 rounds to 2^24 + 4, and so on.
  EXPECT_EQ(value(9, 0), 16777216);
  EXPECT_EQ(value(2.4, 1), 16777216);
  EXPECT_EQ(value(2.5, 1), 16777220);
  // As a float this is the threshold itself.
  EXPECT_EQ(value(2.4999999999, 1), 16777220);
  EXPECT_EQ(value(9, 0.1), 16777220);
  EXPECT_EQ(value(1e300, 1), 16777220);
  EXPECT_EQ(value(-1e300, 1), 16777216);
}

TEST(AuditModel, of_trees_is_refused_where_they_are_none) {
  const auto with = [](const std::string& tree) {
    return AuditModel::parse(
        R"({"format": "weirkeeper-model", "algorithm": "boosted", "features": ["x"], "base": 1, "trees": [)" +
        tree + "]}");
  };
  EXPECT_TRUE(with(R"({"feature": [0, -1, -1], "value": [1, 2, 3]})"));
  for (const char* tree :
       {"1", "null", "{}", R"({"feature": [], "value": []})", R"({"feature": [0], "value": [1]})",
        R"({"feature": [-1, -1], "value": [1, 2]})", R"({"feature": [-1], "value": [1, 2]})",
        R"({"feature": [1, -1, -1], "value": [1, 2, 3]})",
        R"({"feature": [-2, -1, -1], "value": [1, 2, 3]})",
        R"({"feature": [0, -1], "value": [1, 2]})", R"({"feature": [-1], "value": [1e39]})",
        R"({"feature": [-1], "value": ["1"]})", R"({"feature": [-1.0], "value": [1]})",
        R"({"feature": [0, 0, -1], "value": [1, 2, 3]})"}) {
    const auto model = with(tree);
    ASSERT_FALSE(model) << tree;
    EXPECT_EQ(model.error().code(), Code::kCorrupt);
  }
}

TEST(AuditModel, is_refused_where_it_is_not_whole) {
  for (const char* text :
       {"", "[]", "{}", R"({"format": "weirkeeper-model", "algorithm": "trees"})",
        R"({"format": "weirkeeper-model", "algorithm": "linear", "features": ["x", "x"],
            "intercept": 1, "coefficients": [1, 2]})",
        R"({"format": "weirkeeper-model", "algorithm": "linear", "features": ["x"],
            "intercept": 1, "coefficients": [1, 2]})",
        R"({"format": "weirkeeper-model", "algorithm": "linear", "features": [],
            "intercept": 1, "coefficients": []})",
        R"({"format": "weirkeeper-model", "algorithm": "linear", "features": ["x"],
            "intercept": "1", "coefficients": [1]})"}) {
    const auto model = AuditModel::parse(text);
    ASSERT_FALSE(model) << text;
    EXPECT_EQ(model.error().code(), Code::kCorrupt);
  }
}

TEST(CsvCount, counts_records_however_the_bytes_are_cut) {
  struct Case {
    std::string_view bytes;
    std::uint64_t records;
  };
  for (const Case& one : {Case{"", 0}, Case{"a,b", 1}, Case{"a,b\n", 1}, Case{"a,b\r\n1,2\r\n", 2},
                          Case{"a\n\n\r\nb", 2}, Case{"\"a\nb\",c\nd,\"e\"\"\nf\"\n", 2},
                          Case{"37 36'37.8\"N,x\ny\n", 2}, Case{"a,\"\n\n", 1}}) {
    CsvCount whole;
    whole.update(one.bytes);
    EXPECT_EQ(whole.finish(), one.records) << one.bytes;
    CsvCount in_bytes;
    for (const char& c : one.bytes) in_bytes.update({&c, 1});
    EXPECT_EQ(in_bytes.finish(), one.records) << one.bytes;
  }
}

}  // namespace
}  // namespace weir::audit
