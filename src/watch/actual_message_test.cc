#include "watch/actual_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::watch {
namespace {

std::string told(std::string_view key, std::string_view value) {
  const auto actual = parse_actual(key, value);
  return actual ? actual->id + "=" + std::to_string(actual->value) : actual.error().reason();
}

TEST(ActualMessage, has_its_id_in_the_value_or_in_the_key) {
  EXPECT_EQ(told("", R"({"id": "7:12", "actual": 24.5})"), "7:12=24.500000");
  EXPECT_EQ(told("other", R"({"actual": -1, "later": [1], "id": "7:12"})"), "7:12=-1.000000");
  EXPECT_EQ(told("7:12", "24.5"), "7:12=24.500000");
  EXPECT_EQ(told("7:12", " 3 "), "7:12=3.000000");
}

TEST(ActualMessage, that_is_none_is_refused_with_the_reason) {
  const std::pair<const char*, const char*> table[] = {
      {"", "neither a number nor a JSON object"},
      {"abc", "neither a number nor a JSON object"},
      {"[1]", "neither a number nor a JSON object"},
      {"true", "neither a number nor a JSON object"},
      {"1 2", "neither a number nor a JSON object"},
      {"1e999", "neither a number nor a JSON object"},
      {R"({"actual": 1})", "no member \"id\" that is a text"},
      {R"({"id": 7, "actual": 1})", "no member \"id\" that is a text"},
      {R"({"id": "", "actual": 1})", "no member \"id\" that is a text"},
      {R"({"id": "a"})", "no member \"actual\" that is a number"},
      {R"({"id": "a", "actual": "1"})", "no member \"actual\" that is a number"},
      {R"({"id": "a", "actual": null})", "no member \"actual\" that is a number"},
      {R"({"id": "a", "actual": 1)", "neither a number nor a JSON object"},
  };
  for (const auto& [value, reason] : table) {
    EXPECT_THAT(told("key", value), ::testing::HasSubstr(reason)) << value;
  }
  EXPECT_THAT(told("", "24.5"), ::testing::HasSubstr("without a key"));
  EXPECT_THAT(told("a", std::string(kActualBytesMax + 1, '[')),
              ::testing::HasSubstr("longer than"));
  EXPECT_THAT(told("a", std::string(kActualBytesMax, '[')), ::testing::HasSubstr("neither"));
  EXPECT_EQ(told("a", "x\ny").find('\n'), std::string::npos);
}

}  // namespace
}  // namespace weir::watch
