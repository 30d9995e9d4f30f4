#include <gtest/gtest.h>

#include "stream/kafka_error_internal.h"

namespace weir::stream {
namespace {

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

}  // namespace
}  // namespace weir::stream
