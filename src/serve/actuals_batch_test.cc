#include "serve/actuals_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::serve {
namespace {

using format::BatchKind;
using testing::HasSubstr;

std::vector<std::pair<std::string, std::string>> pairs_of(std::string_view body, BatchKind kind) {
  const auto batch = read_actuals(body, kind, 100);
  EXPECT_TRUE(batch) << batch.error().message();
  std::vector<std::pair<std::string, std::string>> pairs;
  if (batch) {
    for (const auto& one : batch->actuals) pairs.emplace_back(one.id, one.value);
  }
  return pairs;
}

TEST(ActualsBatch, reads_the_same_from_json_lines_and_csv) {
  const std::vector<std::pair<std::string, std::string>> expected = {{"a", "24.5"}, {"7", "-3"}};
  EXPECT_EQ(pairs_of(R"([{"id":"a","actual":24.5},{"actual":-3.0,"id":7,"unit":"k$"}])",
                     BatchKind::kJson),
            expected);
  EXPECT_EQ(pairs_of("{\"id\":\"a\",\"actual\":2.45e1}\n{\"id\":\"7\",\"actual\":-3}\n",
                     BatchKind::kJsonLines),
            expected);
  EXPECT_EQ(pairs_of("actual,id\n24.5,a\n-3,7\n", BatchKind::kCsv), expected);
}

TEST(ActualsBatch, keeps_each_bit_of_a_value) {
  const auto pairs =
      pairs_of(R"({"id":"a","actual":0.1000000000000000055511151231257827})", BatchKind::kJson);
  EXPECT_EQ(std::stod(pairs.at(0).second), 0.1);
}

TEST(ActualsBatch, takes_what_stands_there_twice_once_and_counts_it) {
  const auto batch = read_actuals("id,actual\na,1\na,1.0\nb,2\n", BatchKind::kCsv, 100);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->actuals.size(), 2u);
  EXPECT_EQ(batch->repeated, 1u);
}

TEST(ActualsBatch, refuses_an_id_with_two_values) {
  const auto batch = read_actuals("id,actual\na,1\nb,1\na,2\n", BatchKind::kCsv, 100);
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().code(), Code::kAlreadyExists);
  EXPECT_THAT(batch.error().message(), HasSubstr("record 2: id 'a' has another true value"));
}

TEST(ActualsBatch, tells_what_is_wrong_with_which_record) {
  const auto fault = [](std::string_view body) {
    const auto batch = read_actuals(body, BatchKind::kJson, 100);
    EXPECT_FALSE(batch) << body;
    if (batch) return std::string();
    EXPECT_EQ(batch.error().code(), Code::kBadData) << body;
    return batch.error().message();
  };
  EXPECT_THAT(fault(R"([{"id":"a","actual":1},{"actual":1}])"),
              HasSubstr("record 1: it has no \"id\""));
  EXPECT_THAT(fault(R"({"id":"a"})"), HasSubstr("record 0: it has no \"actual\""));
  EXPECT_THAT(fault(R"({"id":"a","actual":"1"})"), HasSubstr("\"actual\" is no number"));
  EXPECT_THAT(fault(R"({"id":"a","actual":null})"), HasSubstr("\"actual\" is no number"));
  EXPECT_THAT(fault(R"({"id":"a","actual":1e999})"), HasSubstr("record 0: "));
  EXPECT_THAT(fault(R"({"id":"","actual":1})"), HasSubstr("1 to 200 bytes"));
  EXPECT_THAT(fault("[]"), HasSubstr("no record"));
  EXPECT_THAT(fault("nonsense"), HasSubstr("record 0: not JSON"));
  std::string many = "[{\"id\":\"a\"}";
  for (int i = 0; i < 30; ++i) many += ",{\"id\":\"a\"}";
  EXPECT_THAT(fault(many + "]"), HasSubstr("and 11 more"));
}

TEST(ActualsBatch, is_bounded) {
  const auto batch = read_actuals("id,actual\na,1\nb,1\nc,1\n", BatchKind::kCsv, 2);
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().code(), Code::kExhausted);
}

}  // namespace
}  // namespace weir::serve
