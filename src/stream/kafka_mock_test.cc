// The error paths of a commit, on the mock cluster that librdkafka brings along.
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "stream/contract_harness_internal.h"
#include "stream/kafka_broker.h"
#include "stream/kafka_group_internal.h"

namespace weir::stream {
namespace {

constexpr std::int16_t kEndTxn = 26;
constexpr std::int16_t kInitProducerId = 22;
constexpr std::int16_t kAddPartitionsToTxn = 24;
constexpr std::int16_t kProduce = 0;
constexpr std::int16_t kFetch = 1;

class KafkaMockCluster : public ::testing::Test {
 protected:
  void SetUp() override {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    owner_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0);
    mock_ = rd_kafka_mock_cluster_new(owner_, 1);
    rd_kafka_mock_topic_create(mock_, "out", 1, 1);
    KafkaTimeouts timeouts;
    timeouts.commit = Millis(2000);
    timeouts.abort = Millis(1500);
    timeouts.lookup = Millis(500);
    timeouts.close = Millis(1000);
    broker_ = std::move(
        *KafkaBroker::make({{"bootstrap.servers", rd_kafka_mock_cluster_bootstraps(mock_)},
                            {"message.timeout.ms", "1500"},
                            {"socket.timeout.ms", "1000"}},
                           timeouts));
  }
  void TearDown() override {
    rd_kafka_mock_cluster_destroy(mock_);
    rd_kafka_destroy(owner_);
  }

  void push(std::int16_t api, rd_kafka_resp_err_t error, int times = 1) {
    for (int i = 0; i < times; ++i) rd_kafka_mock_push_request_errors(mock_, api, 1, error);
  }

  std::unique_ptr<TransactionalSink> begun() {
    auto sink = broker_->open_sink("id", Millis(10000));
    EXPECT_TRUE(sink) << sink.error().message();
    if (!sink) return nullptr;
    const Status begun = (*sink)->begin();
    EXPECT_TRUE(begun);
    OutRecord record;
    record.topic = "out";
    record.value = "v";
    const Status sent = (*sink)->send(record);
    EXPECT_TRUE(sent) << sent.error().message();
    return std::move(*sink);
  }

  rd_kafka_t* owner_ = nullptr;
  rd_kafka_mock_cluster_t* mock_ = nullptr;
  std::unique_ptr<KafkaBroker> broker_;
};

TEST_F(KafkaMockCluster, a_commit_that_works) {
  const auto sink = begun();
  ASSERT_TRUE(sink);
  WEIR_ASSERT_OK(sink->commit("", {}, nullptr));
}

TEST_F(KafkaMockCluster, a_passing_error_of_the_coordinator_is_ridden_out) {
  const auto sink = begun();
  ASSERT_TRUE(sink);
  push(kEndTxn, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, 2);
  push(kEndTxn, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS);
  WEIR_ASSERT_OK(sink->commit("", {}, nullptr));
}

TEST_F(KafkaMockCluster, a_commit_without_an_answer_has_an_unknown_outcome) {
  const auto sink = begun();
  ASSERT_TRUE(sink);
  push(kEndTxn, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, 500);
  const auto start = std::chrono::steady_clock::now();
  const Status committed = sink->commit("", {}, nullptr);
  EXPECT_LT(std::chrono::steady_clock::now() - start, Millis(6000));
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code(), Code::kUnknownOutcome) << committed.error().message();
  EXPECT_FALSE(sink->begin()) << "spent";
}

TEST_F(KafkaMockCluster, an_answer_to_the_commit_that_is_lost_leaves_an_unknown_outcome) {
  const auto sink = begun();
  ASSERT_TRUE(sink);
  // The broker takes the request to commit, and its answer never comes.
  rd_kafka_mock_broker_push_request_error_rtts(mock_, 1, kEndTxn, 3, RD_KAFKA_RESP_ERR_NO_ERROR,
                                               30000, RD_KAFKA_RESP_ERR_NO_ERROR, 30000,
                                               RD_KAFKA_RESP_ERR_NO_ERROR, 30000);
  const Status committed = sink->commit("", {}, nullptr);
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code(), Code::kUnknownOutcome) << committed.error().message();
}

TEST_F(KafkaMockCluster,
       a_topic_that_is_denied_is_told_by_the_send_that_finds_the_transaction_failed) {
  push(kAddPartitionsToTxn, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  const auto sink = begun();
  ASSERT_TRUE(sink);
  OutRecord record;
  record.topic = "out";
  record.value = "v";
  Status sent;
  const auto deadline = std::chrono::steady_clock::now() + Millis(10000);
  while (sent && std::chrono::steady_clock::now() < deadline) sent = sink->send(record);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code(), Code::kPermissionDenied) << sent.error().message();
}

TEST_F(KafkaMockCluster, records_that_never_arrive_are_aborted_for_certain) {
  const auto sink = begun();
  ASSERT_TRUE(sink);
  rd_kafka_mock_broker_set_rtt(mock_, 1, 30000);
  const Status committed = sink->commit("", {}, nullptr);
  rd_kafka_mock_broker_set_rtt(mock_, 1, 0);
  ASSERT_FALSE(committed);
  const Code code = committed.error().code();
  EXPECT_TRUE(code == Code::kUnavailable || code == Code::kUnknownOutcome)
      << committed.error().message();
}

TEST_F(KafkaMockCluster, a_fenced_commit_is_fenced) {
  const auto sink = begun();
  ASSERT_TRUE(sink);
  push(kEndTxn, RD_KAFKA_RESP_ERR_PRODUCER_FENCED);
  const Status committed = sink->commit("", {}, nullptr);
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code(), Code::kFenced) << committed.error().message();
}

TEST_F(KafkaMockCluster, a_forgotten_transactional_id_spends_the_sink_and_the_next_works) {
  {
    const auto sink = begun();
    ASSERT_TRUE(sink);
    push(kEndTxn, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING);
    const Status committed = sink->commit("", {}, nullptr);
    ASSERT_FALSE(committed);
    const Code code = committed.error().code();
    EXPECT_TRUE(code == Code::kUnavailable || code == Code::kUnknownOutcome)
        << committed.error().message();
    EXPECT_FALSE(sink->begin()) << "spent";
  }
  const auto sink = begun();
  ASSERT_TRUE(sink);
  WEIR_ASSERT_OK(sink->commit("", {}, nullptr));
}

TEST_F(KafkaMockCluster, an_invalid_state_at_the_commit_has_an_unknown_outcome) {
  const auto sink = begun();
  ASSERT_TRUE(sink);
  push(kEndTxn, RD_KAFKA_RESP_ERR_INVALID_TXN_STATE);
  const Status committed = sink->commit("", {}, nullptr);
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code(), Code::kUnknownOutcome) << committed.error().message();
}

TEST_F(KafkaMockCluster, a_record_that_the_broker_refuses_aborts_with_its_reason) {
  // Before the record is on its way: the client sends it when it likes.
  push(kProduce, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  const auto sink = begun();
  ASSERT_TRUE(sink);
  const Status committed = sink->commit("", {}, nullptr);
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code(), Code::kPermissionDenied) << committed.error().message();
}

TEST_F(KafkaMockCluster, a_record_too_large_for_the_broker_is_blamed) {
  // Before the record is on its way: the client sends it when it likes.
  push(kProduce, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  const auto sink = begun();
  ASSERT_TRUE(sink);
  const Status committed = sink->commit("", {}, nullptr);
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code(), Code::kInvalidArgument) << committed.error().message();
}

TEST_F(KafkaMockCluster, a_publisher_counts_what_was_not_delivered) {
  auto publisher = broker_->open_publisher();
  ASSERT_TRUE(publisher);
  OutRecord record;
  record.topic = "out";
  record.value = "v";
  WEIR_ASSERT_OK((*publisher)->send(record));
  EXPECT_EQ((*publisher)->undelivered(), 1u) << "it is on its way";
  WEIR_ASSERT_OK((*publisher)->flush(Millis(10000)));
  EXPECT_EQ((*publisher)->undelivered(), 0u);
  push(kProduce, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  WEIR_ASSERT_OK((*publisher)->send(record));
  EXPECT_FALSE((*publisher)->flush(Millis(10000)));
  WEIR_ASSERT_OK((*publisher)->flush(Millis(10000)));
  EXPECT_EQ((*publisher)->undelivered(), 1u) << "for good";
}

TEST_F(KafkaMockCluster, opening_is_bounded_and_says_why) {
  push(kInitProducerId, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, 500);
  const auto start = std::chrono::steady_clock::now();
  const auto sink = broker_->open_sink("id", Millis(1000));
  EXPECT_LT(std::chrono::steady_clock::now() - start, Millis(5000));
  ASSERT_FALSE(sink);
  EXPECT_TRUE(sink.error().retryable()) << sink.error().message();
}

TEST(KafkaAway, a_server_that_is_not_there_is_unavailable_in_bounded_time) {
  KafkaTimeouts timeouts;
  timeouts.lookup = Millis(500);
  timeouts.close = Millis(1000);
  const auto broker =
      std::move(*KafkaBroker::make({{"bootstrap.servers", "127.0.0.1:1"}}, timeouts));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(broker->open_sink("id", Millis(300)).error().retryable());
  EXPECT_TRUE(broker->open_log("topic", StartAt::kEarliest).error().retryable());
  EXPECT_TRUE(broker->ensure_topics({{"topic", 1, false}}, Millis(300)).error().retryable());
  NotingListener listener;
  const auto source = std::move(*broker->open_source("topic", "group", "m", listener));
  const auto polled = source->poll(10, Millis(3000));
  ASSERT_FALSE(polled);
  EXPECT_EQ(polled.error().code(), Code::kUnavailable) << polled.error().message();
  source->close();
  EXPECT_LT(std::chrono::steady_clock::now() - start, Millis(12000));
}

TEST_F(KafkaMockCluster, a_first_start_beside_another_that_commits_meanwhile_has_lost_nothing) {
  const KafkaClientFactory factory({{"bootstrap.servers", rd_kafka_mock_cluster_bootstraps(mock_)}},
                                   {});
  const auto member = [&] {
    auto made = factory.consumer("group", "m", std::make_shared<KafkaClientContext>("m"));
    EXPECT_TRUE(made);
    return std::move(*made);
  };
  const auto self = member();
  const auto other = member();
  bool commits = true;
  const auto finds_answers = [&]() -> Status {
    if (commits) {
      const PartitionListPtr list(rd_kafka_topic_partition_list_new(1));
      rd_kafka_topic_partition_list_add(list.get(), "out", 0)->offset = 5;
      EXPECT_EQ(rd_kafka_commit(other->get(), list.get(), 0), RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    return fail(Code::kCorrupt, "there are answers already");
  };
  const PartitionListPtr starts = list_of("out", {0});
  commits = false;
  const Status lost =
      find_starts(*self, "out", *starts, finds_answers, Millis(10000), Millis(10000));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code(), Code::kCorrupt);
  commits = true;
  WEIR_ASSERT_OK(find_starts(*self, "out", *starts, finds_answers, Millis(10000), Millis(10000)));
}

// The event that a partition was given up comes while the gate is closed; then the gate opens, and
// the first thing is a seek, which librdkafka refuses in such a partition for ever.
TEST_F(KafkaMockCluster, a_partition_that_was_given_up_while_nobody_looked_is_read_on) {
  NotingListener listener;
  const auto source = std::move(*broker_->open_source("out", "group", "m", listener));
  const auto publisher = std::move(*broker_->open_publisher());
  const auto carries_over = [&](std::string_view value) {
    OutRecord record;
    record.topic = "out";
    record.value = value;
    EXPECT_TRUE(publisher->send(record));
    EXPECT_TRUE(publisher->flush(Millis(5000)));
    const auto end = std::chrono::steady_clock::now() + Millis(15000);
    while (std::chrono::steady_clock::now() < end) {
      const auto batch = source->poll(10, Millis(200));
      if (!batch) continue;
      for (const Record& read : (*batch)->records()) {
        if (read.value == value) return true;
      }
    }
    return false;
  };
  ASSERT_TRUE(carries_over("first"));
  for (const char* value : {"second", "third", "fourth"}) {  // it is not met each time
    push(kFetch, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
    rd_kafka_poll(owner_, 1500);  // meanwhile the fetch under way ends, and the next one is refused
    source->set_paused(true);
    source->set_paused(false);
    ASSERT_TRUE(carries_over(value)) << value;
  }
  source->close();
}

// librdkafka's thread looks at what it has to fetch, finds it paused and sleeps for a second;
// nothing wakes it when a partition is resumed.
TEST_F(KafkaMockCluster, what_waited_comes_at_once_when_the_gate_opens) {
  const auto publisher = std::move(*broker_->open_publisher());
  OutRecord record;
  record.topic = "out";
  record.value = "waits";
  ASSERT_TRUE(publisher->send(record));
  ASSERT_TRUE(publisher->flush(Millis(5000)));
  std::vector<SteadyTime::duration> waits;
  for (const char* group : {"g1", "g2", "g3", "g4", "g5"}) {
    NotingListener listener;
    const auto source = std::move(*broker_->open_source("out", group, "m", listener));
    source->set_paused(true);
    for (int polls = 0; polls < 300 && listener.assigned == 0; ++polls) {
      static_cast<void>(source->poll(10, Millis(50)));
    }
    ASSERT_EQ(listener.assigned, 1);
    static_cast<void>(source->poll(10, Millis(50)));
    source->set_paused(false);
    const auto start = std::chrono::steady_clock::now();
    for (;;) {
      const auto batch = source->poll(10, Millis(200));
      if (batch && !(*batch)->records().empty()) break;
      ASSERT_LT(std::chrono::steady_clock::now() - start, Millis(15000));
    }
    waits.push_back(std::chrono::steady_clock::now() - start);
    source->close();
  }
  std::nth_element(waits.begin(), waits.begin() + 2, waits.end());
  EXPECT_LT(waits[2], Millis(400));
}

}  // namespace
}  // namespace weir::stream
