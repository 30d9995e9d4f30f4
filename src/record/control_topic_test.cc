#include "record/control_topic.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "record/signing_keys_test.h"

namespace weir::record {
namespace {

ControlRecord halt(std::uint64_t epoch) {
  ControlRecord record;
  record.epoch = epoch;
  record.dataset = DatasetIdentity{"/dataset/\xff.csv", 1, 2, "3"};
  record.by = "trainer@host:1";
  return record;
}

void expect_refused(const ControlTopic& topic, const std::string& value, const char* reason) {
  const auto read = topic.read(value);
  ASSERT_FALSE(read) << value;
  EXPECT_EQ(read.error().code(), Code::kPermissionDenied);
  EXPECT_NE(read.error().message().find(reason), std::string::npos) << read.error().message();
}

TEST(ControlTopic, believes_what_a_trusted_key_has_signed) {
  const std::string value = trainers_topic("p.control").to_value(halt(3));
  for (const ControlTopic& topic : {trainers_topic("p.control"), readers_topic("p.control")}) {
    const auto read = topic.read(value);
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->epoch, 3u);
    EXPECT_EQ(read->by, "trainer@host:1");
  }
}

TEST(ControlTopic, writes_json_that_others_can_read) {
  const std::string value = trainers_topic("p.control").to_value(halt(3));
  const auto json = nlohmann::json::parse(value, nullptr, false);
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json.at("signature").get<std::string>().size(), 128u);
  EXPECT_EQ(json.at("epoch"), 3);
  EXPECT_TRUE(ControlTopic("p.control").read(value));  // who has no keys reads it, too
}

TEST(ControlTopic, believes_none_but_the_trusted_where_there_are_keys) {
  const ControlTopic reader = readers_topic("p.control");
  expect_refused(reader, halt(3).to_json(), "not signed");
  expect_refused(reader, ControlTopic("p.control").to_value(halt(3)), "not signed");
  expect_refused(reader, strangers_topic("p.control").to_value(halt(3)), "none by a key");
  expect_refused(reader, trainers_topic("q.control").to_value(halt(3)), "none by a key");
  expect_refused(reader, "", "not signed");
  expect_refused(reader, "\"}", "not signed");
}

// To stop a reader by a type that it does not know takes a signature, too.
TEST(ControlTopic, is_not_stopped_by_a_forged_record_of_a_later_version) {
  const std::string later = R"({"type":"later","epoch":4})";
  EXPECT_EQ(ControlTopic("p.control").read(later).error().code(), Code::kUnsupported);
  expect_refused(readers_topic("p.control"), later, "not signed");
  expect_refused(readers_topic("p.control", 9), later, "not signed");
}

TEST(ControlTopic, refuses_a_signed_record_with_any_byte_changed_or_cut) {
  const ControlTopic reader = readers_topic("p.control");
  const std::string value = trainers_topic("p.control").to_value(halt(3));
  for (std::size_t i = 0; i < value.size(); ++i) {
    std::string changed = value;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(reader.read(changed)) << i;
    EXPECT_FALSE(reader.read(value.substr(0, i))) << i;
    EXPECT_FALSE(reader.read(value.substr(i + 1))) << i;
  }
  EXPECT_FALSE(reader.read(value + " "));
}

TEST(ControlTopic, believes_unsigned_records_of_the_epochs_before_there_were_keys) {
  const ControlTopic reader = readers_topic("p.control", 3);
  EXPECT_TRUE(reader.read(halt(2).to_json()));
  EXPECT_TRUE(reader.read(halt(3).to_json()));
  expect_refused(reader, halt(4).to_json(), "not signed");
  // A wrong signature is no missing one.
  expect_refused(reader, strangers_topic("p.control").to_value(halt(2)), "none by a key");
}

TEST(ControlTopic, lets_nobody_write_what_nobody_would_believe) {
  EXPECT_TRUE(ControlTopic("p.control").check_can_write());
  EXPECT_TRUE(trainers_topic("p.control").check_can_write());
  const Status keyless = readers_topic("p.control").check_can_write();
  ASSERT_FALSE(keyless);
  EXPECT_EQ(keyless.error().code(), Code::kBadConfig);
  EXPECT_NE(keyless.error().message().find("control.signing_key"), std::string::npos);
  const ControlTopic wrong(
      "p.control", ControlKeys{{key_of(kTrainerKey).public_key()}, key_of(kStrangerKey), 0});
  const Status strange = wrong.check_can_write();
  ASSERT_FALSE(strange);
  EXPECT_NE(strange.error().message().find("control.trusted_keys"), std::string::npos);
}

}  // namespace
}  // namespace weir::record
