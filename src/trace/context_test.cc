#include "trace/context.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace weir::trace {
namespace {

constexpr const char* kGood = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceContext, comes_back_from_its_header_as_it_was) {
  const auto context = parse_traceparent(kGood, "vendor=1");
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id, "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(context->span_id, "b7ad6b7169203331");
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(context->state, "vendor=1");
  EXPECT_EQ(traceparent_of(*context), kGood);
}

TEST(TraceContext, goes_by_the_lowest_flag) {
  std::string text = kGood;
  for (const auto& [flags, sampled] :
       std::map<std::string, bool>{{"00", false}, {"02", false}, {"03", true}, {"ff", true}}) {
    text.replace(53, 2, flags);
    EXPECT_EQ(parse_traceparent(text)->sampled, sampled) << flags;
  }
}

TEST(TraceContext, of_a_later_version_is_read_as_far_as_it_is_known) {
  const std::string rest = std::string(kGood).substr(2);
  EXPECT_TRUE(parse_traceparent("cc" + rest));
  EXPECT_TRUE(parse_traceparent("cc" + rest + "-what-the-future-will-be-like"));
  EXPECT_FALSE(parse_traceparent("cc" + rest + ".what"));
  EXPECT_FALSE(parse_traceparent("ff" + rest));
}

TEST(TraceContext, is_refused_where_it_is_none) {
  for (const char* text : {"", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
                           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
                           "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                           "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                           "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
                           "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}) {
    EXPECT_FALSE(parse_traceparent(text)) << text;
  }
}

TEST(TraceContext, has_no_state_that_is_too_long) {
  const auto context = parse_traceparent(kGood, std::string(kTraceStateBytesMax + 1, 'x'));
  ASSERT_TRUE(context);
  EXPECT_EQ(context->state, "");
}

TEST(TraceContext, has_ids_that_nobody_else_has) {
  std::set<std::string> ids;
  for (int i = 0; i < 10'000; ++i) {
    ids.insert(random_trace_id());
    ids.insert(random_span_id());
  }
  EXPECT_EQ(ids.size(), 20'000u);
  for (const auto& id : ids) {
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), id.npos);
    EXPECT_TRUE(id.size() == 32 || id.size() == 16);
  }
}

TEST(TraceContext, that_is_derived_is_the_same_wherever_its_name_is_known) {
  EXPECT_EQ(derived_context("p/3/at"), derived_context("p/3/at"));
  EXPECT_NE(derived_context("p/3/at").trace_id, derived_context("p/4/at").trace_id);
  EXPECT_TRUE(parse_traceparent(traceparent_of(derived_context("p/3/at"))));
}

}  // namespace
}  // namespace weir::trace
