#include "audit/audit_inputs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "audit/recompute.h"

namespace weir::audit {
namespace {

constexpr const char* kModel = R"json({
  "format": "weirkeeper-model", "format_version": 1, "algorithm": "prepared", "target": "y",
  "features": ["size", "zone", "when"],
  "inputs": [{"kind":"number","fill":2.5,"positive":true},
             {"kind":"category","fill":0,"categories":["a","7","1.5"]},
             {"kind":"date-time"}],
  "missing_words": ["NA", "-999"],
  "terms": [{"name":"size","factors":[["value",0]],"shift":1,"scale":2},
            {"name":"ln(size)","factors":[["log",0]]},
            {"name":"size is missing","factors":[["missing",0]]},
            {"name":"zone=7","factors":[["category",1,1]]},
            {"name":"zone=(other)*size","factors":[["beyond",1,2],["value",0]]},
            {"name":"when","factors":[["value",2]],"scale":86400}],
  "model": {"format": "weirkeeper-model", "format_version": 1, "algorithm": "linear", "target": "y",
            "features": ["1","2","3","4","5","6"], "intercept": 0,
            "coefficients": [1, 10, 100, 1000, 10000, 100000]}
})json";

class PreparedAudit : public ::testing::Test {
 protected:
  const Expectation& expect(const char* message) { return recomputer.expect(model, message); }
  double value(const char* message) {
    const Expectation& expected = expect(message);
    EXPECT_EQ(expected.verdict, Expectation::Verdict::kScored) << message << expected.why;
    return expected.values.empty() ? std::nan("") : expected.values.front();
  }
  void expect_refused(const char* message) {
    EXPECT_EQ(expect(message).verdict, Expectation::Verdict::kRefused) << message;
  }

  AuditModel model = *AuditModel::parse(kModel);
  Recomputer recomputer;
};

TEST_F(PreparedAudit, makes_terms_of_messages) {
  EXPECT_EQ(value(R"({"size":3,"zone":"a","when":"1970-01-02"})"), 1 + 10 * std::log(3.0) + 1e5);
  EXPECT_EQ(value(R"({"size":3,"zone":7,"when":"1970-01-01"})"), 1 + 10 * std::log(3.0) + 1e3);
  EXPECT_EQ(value(R"({"size":1,"zone":"elsewhere","when":"1970-01-01T00:00Z"})"), 1e4);
  EXPECT_EQ(value(R"({"size":1,"zone":true,"when":"1970-01-01"})"), 1e4);
  const double filled = 0.75 + 10 * std::log(2.5) + 100;
  EXPECT_EQ(value(R"({"zone":"a","when":"1970-01-01 00:00:00"})"), filled);
  EXPECT_EQ(value(R"({"size":null,"zone":"NA","when":"1969-12-31T23:00:00-01:00"})"), filled);
  EXPECT_EQ(value(R"({"size":-999,"zone":"  a\t","when":"1970-01-01"})"), filled);
}

TEST_F(PreparedAudit, refuses_what_is_not_of_its_kind) {
  expect_refused(R"({"size":0,"zone":"a","when":"1970-01-02"})");
  expect_refused(R"({"size":-1.5,"zone":"a","when":"1970-01-02"})");
  expect_refused(R"({"size":"3","zone":"a","when":"1970-01-02"})");
  expect_refused(R"({"size":true,"zone":"a","when":"1970-01-02"})");
  expect_refused(R"({"size":3,"zone":{},"when":"1970-01-02"})");
  expect_refused(R"({"size":3,"zone":"a","when":5})");
  expect_refused(R"({"size":3,"zone":"a","when":5.5})");
  expect_refused(R"({"size":3,"zone":"a","when":null})");
  expect_refused(R"({"size":3,"zone":"a"})");
  for (const char* when :
       {"1970-1-2", "1970-02-30", "1970-01-02T1:00", "1970-01-02T25:00", "1970-01-02T10:00:00.",
        "1970-01-02T10:00.5", "1970-01-02Z", "1970-01-02T10:00+1", "0000-01-01", "soon",
        "0001-01-01T00:00+01:00", "9999-12-31T23:59:60"}) {
    expect_refused((std::string(R"({"size":3,"zone":"a","when":")") + when + "\"}").c_str());
  }
}

TEST_F(PreparedAudit, does_not_know_what_depends_on_how_a_number_was_spelt) {
  EXPECT_EQ(expect(R"({"size":3,"zone":1.50,"when":"1970-01-02"})").verdict,
            Expectation::Verdict::kUnknown);
  EXPECT_EQ(expect(R"({"size":-999.0,"zone":"a","when":"1970-01-02"})").verdict,
            Expectation::Verdict::kUnknown);
  EXPECT_EQ(expect(R"({"size":3,"zone":-0,"when":"1970-01-01"})").verdict,
            Expectation::Verdict::kScored)
      << "neither 0 nor -0 is a category";
  EXPECT_EQ(value(R"({"size":1.0,"zone":2.5,"when":"1970-01-01"})"), 1e4) << "no category is it";
}

TEST_F(PreparedAudit, reads_tables_with_gaps) {
  const Expectation& expected =
      expect(R"({"t":{"when":{"b":"1970-01-01","a":"1970-01-02"},"zone":{"a":"a","b":"7"}}})");
  ASSERT_EQ(expected.verdict, Expectation::Verdict::kScored) << expected.why;
  const double filled = 0.75 + 10 * std::log(2.5) + 100;
  EXPECT_EQ(expected.values, (std::vector<double>{filled + 1e3, filled + 1e5}))
      << "in the order of the message's first column";
}

TEST_F(PreparedAudit, takes_only_models_that_are_whole) {
  const auto whole = nlohmann::json::parse(kModel);
  const auto refused = [](const nlohmann::json& json) { return !AuditModel::parse(json.dump()); };
  EXPECT_FALSE(refused(whole));
  for (const char* name : {"inputs", "missing_words", "terms", "model"}) {
    nlohmann::json json = whole;
    json.erase(name);
    EXPECT_TRUE(refused(json)) << name;
  }
  nlohmann::json json = whole;
  json["inputs"].erase(0);
  EXPECT_TRUE(refused(json));
  json = whole;
  json["terms"].erase(0);
  EXPECT_TRUE(refused(json));
  json = whole;
  json["terms"][0]["factors"][0][1] = 3;
  EXPECT_TRUE(refused(json));
  json = whole;
  json["inputs"][0]["kind"] = "picture";
  EXPECT_TRUE(refused(json));
  json = whole;
  json["model"] = whole;
  EXPECT_TRUE(refused(json));
}

}  // namespace
}  // namespace weir::audit
