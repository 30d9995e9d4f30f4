#include "record/member.h"

#include <gtest/gtest.h>

namespace weir::record {
namespace {

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
    record.progress = {2, 4, "the gate is \"closed\"", 1200, {{0, 7, 9, 31}, {1, 0, {}, {}}}, {}};
    const auto back = MemberRecord::parse(record.to_json());
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(back->type, type);
    EXPECT_EQ(back->member, record.member);
    EXPECT_EQ(back->role, record.role);
    EXPECT_EQ(back->transactional_id, record.transactional_id);
    EXPECT_EQ(back->epoch, 4u);
    EXPECT_EQ(back->version, 2u);
    EXPECT_EQ(back->request, "host:7:1");
    EXPECT_EQ(back->dataset, "a\nb.csv");
    EXPECT_EQ(back->within_ms, 60'000);
    EXPECT_EQ(back->reason, "there is no such data set");
  }
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
