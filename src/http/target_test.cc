#include "http/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::http {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Target, is_taken_apart_before_it_is_decoded) {
  const auto target = parse_target("/v1/predictions/a%2Fb%20c?limit=3&prefix=x%26y+z&flag&=v");
  ASSERT_TRUE(target);
  EXPECT_THAT(target->segments, ElementsAre("v1", "predictions", "a/b c"));
  EXPECT_THAT(target->query, ElementsAre(Pair("limit", "3"), Pair("prefix", "x&y z"),
                                         Pair("flag", ""), Pair("", "v")));
}

TEST(Target, keeps_a_slash_at_the_end) {
  EXPECT_THAT(parse_target("/docs/")->segments, ElementsAre("docs", ""));
  EXPECT_TRUE(parse_target("/")->segments.empty());
}

TEST(Target, refuses_what_means_no_good) {
  for (const char* bad : {"", "x", "/a/../b", "/a/%2e%2e/b", "/.", "/a%", "/a%2", "/a%zz", "/a%00b",
                          "/a?x=%", "/a?%00=1"}) {
    EXPECT_FALSE(parse_target(bad)) << bad;
  }
  std::string many = "/a?";
  for (std::size_t i = 0; i <= kPartsMax; ++i) many += "a=1&";
  EXPECT_FALSE(parse_target(many));
  std::string deep;
  for (std::size_t i = 0; i <= kPartsMax; ++i) deep += "/a";
  EXPECT_FALSE(parse_target(deep));
}

}  // namespace
}  // namespace weir::http
