#include "record/member.h"

#include <gtest/gtest.h>

namespace weir::record {
namespace {

// No two members alike.
CacheState some_cache() {
  CacheState state;
  state.hits_local = 1;
  state.hits_shared = 2;
  state.misses = 3;
  state.bypassed = 4;
  state.saved_seconds = -0.5;
  state.recomputed = 6;
  state.mismatches = 7;
  state.model = 8;
  state.entries = 9;
  state.bytes = 10;
  state.prediction_ns = 11.5;
  state.lookup_ns = 12.5;
  state.bypass = true;
  state.bypass_reason = "a lookup costs \"more\"";
  state.shared = {true, "", true, "Redis costs more", 13, 14, 15, 16, 17};
  return state;
}

TEST(MemberRecord, comes_back_from_json_as_it_was) {
  for (const auto type : {MemberType::kAlive, MemberType::kHalted, MemberType::kLeft,
                          MemberType::kAskTrain, MemberType::kAskRollback, MemberType::kAnswer}) {
    MemberRecord record;
    record.type = type;
    record.member = "scorer-hö\"st-0";
    record.role = "scorer";
    record.transactional_id = "boston.scorer-0";
    record.epoch = 4;
    record.version = 2;
    record.request = "host:7:1";
    record.dataset = "a\nb.csv";
    record.within_ms = 60'000;
    record.reason = "there is no such data set";
    record.progress = {2,
                       4,
                       "the gate is \"closed\"",
                       1200,
                       7,
                       1,
                       {{0, 7, 9, 31, 8}, {1, 0, {}, {}}},
                       {},
                       some_cache(),
                       {{2, 2}, {200, 599}}};
    const auto back = MemberRecord::parse(record.to_json());
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(back->type, type);
    EXPECT_EQ(back->progress, record.progress);
    EXPECT_EQ(back->member, record.member);
    EXPECT_EQ(back->role, record.role);
    EXPECT_EQ(back->transactional_id, record.transactional_id);
    EXPECT_EQ(back->epoch, 4u);
    EXPECT_EQ(back->version, 2u);
    EXPECT_EQ(back->request, "host:7:1");
    EXPECT_EQ(back->dataset, "a\nb.csv");
    EXPECT_EQ(back->within_ms, 60'000);
    EXPECT_EQ(back->reason, "there is no such data set");
    EXPECT_EQ(back->progress, record.progress);
  }
}

TEST(MemberRecord, is_understood_whatever_another_version_tells_of_its_cache) {
  for (const char* cache :
       {"{}", "1", "null", "{\"hits\":{\"local\":-1},\"redis\":{\"used\":3}}"}) {
    const auto record = MemberRecord::parse(R"({"type":"alive","member":"m","model":3,"cache":)" +
                                            std::string(cache) + "}");
    ASSERT_TRUE(record) << cache;
    EXPECT_EQ(record->progress.model, 3u);
    EXPECT_FALSE(record->progress.cache) << cache;
  }
}

TEST(CacheState, tells_the_rate_of_hits_among_the_rows_that_were_looked_up) {
  EXPECT_EQ(CacheState{}.hit_rate(), 0);
  EXPECT_EQ(some_cache().hit_rate(), 0.5);
  EXPECT_EQ(some_cache().rows(), 10u);
}

TEST(MemberRecord, needs_only_a_type_and_a_member) {
  const auto record = MemberRecord::parse(R"({"type":"halted","member":"m","later":1})");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->epoch, 0u);
  EXPECT_EQ(record->role, "");
}

TEST(MemberRecord, is_refused_where_it_is_not_as_it_should_be) {
  for (const char* text :
       {"", "{", "[]", "5", R"({"type":"alive"})", R"({"member":"m"})",
        R"({"type":"dancing","member":"m"})", R"({"type":7,"member":"m"})",
        R"({"type":"alive","member":null})", R"({"type":"halted","member":"m","epoch":"4"})",
        R"({"type":"halted","member":"m","epoch":-4})",
        R"({"type":"halted","member":"m","epoch":4.5})",
        R"({"type":"ask_rollback","member":"m","version":-1})",
        R"({"type":"alive","member":"m","role":3})",
        R"({"type":"ask_train","member":"m","dataset":3})",
        R"({"type":"ask_train","member":"m","within_ms":-3})"}) {
    const auto record = MemberRecord::parse(text);
    ASSERT_FALSE(record) << text;
    EXPECT_EQ(record.error().code(), Code::kBadData) << text;
  }
}

}  // namespace
}  // namespace weir::record
