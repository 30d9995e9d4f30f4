#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "stream/kafka_error_internal.h"

namespace weir::stream {
namespace {

using ::testing::HasSubstr;

struct ClientDeleter {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
};
using KafkaClientPtr = std::unique_ptr<rd_kafka_t, ClientDeleter>;

TEST(KafkaError, every_code_that_librdkafka_knows_is_in_the_table) {
  const rd_kafka_err_desc* descriptions = nullptr;
  std::size_t count = 0;
  rd_kafka_get_err_descs(&descriptions, &count);
  ASSERT_GT(count, 100U);
  int seen = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!descriptions[i].name) continue;
    ++seen;
    EXPECT_TRUE(tabled_code(descriptions[i].code)) << descriptions[i].name;
  }
  EXPECT_GT(seen, 100);
}

struct Case {
  rd_kafka_resp_err_t error;
  KafkaErrorFlags flags;
  Code code;
};

TEST(KafkaError, classifies_by_code_and_flags) {
  constexpr KafkaErrorFlags kNone{};
  constexpr KafkaErrorFlags kFatal{true, false, false};
  constexpr KafkaErrorFlags kRetriable{false, true, false};
  constexpr KafkaErrorFlags kAbortable{false, false, true};
  const Case cases[] = {
      {RD_KAFKA_RESP_ERR__TRANSPORT, kNone, Code::kUnavailable},
      {RD_KAFKA_RESP_ERR__TIMED_OUT, kNone, Code::kTimeout},
      {RD_KAFKA_RESP_ERR__TIMED_OUT, kRetriable, Code::kTimeout},
      {RD_KAFKA_RESP_ERR__FENCED, kFatal, Code::kFenced},
      {RD_KAFKA_RESP_ERR_PRODUCER_FENCED, kAbortable, Code::kFenced},
      {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, kNone, Code::kFenced},
      {RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, kFatal, Code::kFenced},
      {RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, kAbortable, Code::kUnavailable},
      {RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, kAbortable, Code::kUnavailable},
      {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING, kNone, Code::kUnavailable},
      {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING, kFatal, Code::kIo},
      {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, kAbortable, Code::kInvalidArgument},
      {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, kAbortable, Code::kPermissionDenied},
      {RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, kFatal, Code::kPermissionDenied},
      {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, kNone, Code::kNotFound},
      {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, kRetriable, Code::kUnavailable},
      {RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, kNone, Code::kCorrupt},
      {RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, kNone, Code::kCorrupt},
      {RD_KAFKA_RESP_ERR_INVALID_TXN_STATE, kFatal, Code::kInternal},
      {RD_KAFKA_RESP_ERR_UNKNOWN, kAbortable, Code::kUnavailable},
  };
  for (const Case& expected : cases) {
    EXPECT_EQ(classify(expected.error, expected.flags), expected.code)
        << rd_kafka_err2name(expected.error);
  }
}

TEST(KafkaError, says_the_name_of_the_code) {
  EXPECT_EQ(kafka_error(RD_KAFKA_RESP_ERR__TRANSPORT, "no route").reason(),
            "no route (_TRANSPORT)");
}

class DeniedRight : public ::testing::Test {
 protected:
  // Never connects anywhere.
  static KafkaClientPtr client(rd_kafka_type_t type, const std::map<std::string, std::string>& of) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    for (const auto& [name, value] : of) {
      EXPECT_EQ(rd_kafka_conf_set(conf, name.c_str(), value.c_str(), nullptr, 0), RD_KAFKA_CONF_OK);
    }
    KafkaClientPtr made(rd_kafka_new(type, conf, nullptr, 0));
    EXPECT_TRUE(made);
    return made;
  }
};

TEST_F(DeniedRight, is_named_with_its_user_and_how_to_grant_it) {
  const auto scorer =
      client(RD_KAFKA_CONSUMER, {{"group.id", "p.scorer"}, {"sasl.username", "scorer"}});
  const KafkaRight wanted = to_read("p.features");
  const Error error = kafka_error(scorer.get(), RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                                  "Fetch from broker 1 failed", &wanted);
  EXPECT_EQ(error.code(), Code::kPermissionDenied);
  EXPECT_EQ(error.reason(),
            "Kafka denies user 'scorer': Read on topic p.features; to allow it: kafka-acls --add "
            "--allow-principal User:scorer --operation Read --topic p.features (docs/security.md)");
}

TEST_F(DeniedRight, of_a_group_or_a_transactional_id_is_that_of_the_client_itself) {
  const auto consumer = client(RD_KAFKA_CONSUMER, {{"group.id", "p.scorer"}});
  const auto said = [](rd_kafka_t* from, rd_kafka_resp_err_t error, const KafkaRight* wanted) {
    return kafka_error(from, error, nullptr, wanted).reason();
  };
  constexpr auto kGroupDenied = RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
  EXPECT_THAT(said(consumer.get(), kGroupDenied, nullptr), HasSubstr("Read on group p.scorer;"));
  const KafkaRight look{"Describe", "group", "other"};
  EXPECT_THAT(said(consumer.get(), kGroupDenied, &look), HasSubstr("Describe on group other;"));
  // What is wanted of a topic says nothing of a group.
  const KafkaRight topic = to_read("p.features");
  EXPECT_THAT(said(consumer.get(), kGroupDenied, &topic), HasSubstr("Read on group p.scorer;"));
  EXPECT_THAT(said(consumer.get(), kGroupDenied, &topic), HasSubstr("User:…"));

  const auto producer = client(RD_KAFKA_PRODUCER, {{"transactional.id", "p.trainer"}});
  EXPECT_THAT(
      said(producer.get(), RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, nullptr),
      HasSubstr("--operation Write --transactional-id p.trainer"));
  EXPECT_THAT(said(producer.get(), RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, nullptr),
              HasSubstr("IdempotentWrite on cluster;"));
}

TEST_F(DeniedRight, is_left_to_the_words_of_librdkafka_where_nobody_knows_it) {
  const auto plain = client(RD_KAFKA_CONSUMER, {});
  for (const auto error : {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                           RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED}) {
    EXPECT_EQ(kafka_error(plain.get(), error).code(), Code::kPermissionDenied);
    EXPECT_THAT(kafka_error(plain.get(), error).reason(), HasSubstr(rd_kafka_err2name(error)));
  }
}

TEST_F(DeniedRight, comes_with_all_others_that_are_missing) {
  const KafkaRight lacking[] = {to_write("p.dead"), to_read("p.control")};
  EXPECT_EQ(denial("", lacking),
            "Kafka denies this user: Write on topic p.dead, Read on topic p.control; to allow it: "
            "kafka-acls --add --allow-principal User:… --operation Write --topic p.dead, and with "
            "--operation Read --topic p.control (docs/security.md)");
}

}  // namespace
}  // namespace weir::stream
