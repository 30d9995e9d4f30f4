#include "record/swap.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace weir::record {
namespace {

SwapRecord swap() { return {3, 2, 1, 1207, "scorer-hö\"st-0"}; }

TEST(SwapRecord, comes_back_from_json_as_it_was) {
  const auto back = SwapRecord::parse(swap().to_json());
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(*back, swap());
}

TEST(SwapRecord, is_one_line_of_json_with_the_documented_names) {
  const std::string text = swap().to_json();
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["type"], "swap");
  EXPECT_EQ(json["epoch"], 3);
  EXPECT_EQ(json["version"], 2);
  EXPECT_EQ(json["partition"], 1);
  EXPECT_EQ(json["offset"], 1207);
  EXPECT_EQ(json["member"], "scorer-hö\"st-0");
}

TEST(SwapRecord, of_a_newer_type_is_unsupported_by_name) {
  const auto parsed = SwapRecord::parse(R"({"type":"swap2","epoch":1})");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code(), Code::kUnsupported);
  EXPECT_NE(parsed.error().message().find("swap2"), std::string::npos);
}

TEST(SwapRecord, that_lacks_something_or_holds_what_cannot_be_is_refused) {
  for (
      const char* text :
      {"", "garbage", "[]", "{}", R"({"type":7})",
       R"({"type":"swap","version":1,"partition":0,"offset":0,"member":"m"})",
       R"({"type":"swap","epoch":1,"partition":0,"offset":0,"member":"m"})",
       R"({"type":"swap","epoch":1,"version":1,"offset":0,"member":"m"})",
       R"({"type":"swap","epoch":1,"version":1,"partition":0,"member":"m"})",
       R"({"type":"swap","epoch":1,"version":1,"partition":0,"offset":0})",
       R"({"type":"swap","epoch":0,"version":1,"partition":0,"offset":0,"member":"m"})",
       R"({"type":"swap","epoch":1,"version":0,"partition":0,"offset":0,"member":"m"})",
       R"({"type":"swap","epoch":10000000000,"version":1,"partition":0,"offset":0,"member":"m"})",
       R"({"type":"swap","epoch":1,"version":1,"partition":-1,"offset":0,"member":"m"})",
       R"({"type":"swap","epoch":1,"version":1,"partition":2147483648,"offset":0,"member":"m"})",
       R"({"type":"swap","epoch":1,"version":1,"partition":0,"offset":-1,"member":"m"})",
       R"({"type":"swap","epoch":1,"version":1,"partition":0,"offset":1.5,"member":"m"})",
       R"({"type":"swap","epoch":1,"version":1,"partition":0,"offset":9223372036854775808,"member":"m"})",
       R"({"type":"swap","epoch":1,"version":1,"partition":0,"offset":0,"member":7})"}) {
    const auto parsed = SwapRecord::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code(), Code::kBadData) << text;
  }
}

}  // namespace
}  // namespace weir::record
