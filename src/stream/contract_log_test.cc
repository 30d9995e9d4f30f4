#include <gmock/gmock.h>

#include "stream/contract_harness_internal.h"

namespace weir::stream {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LogReaderContract : public BrokerContract {
 protected:
  Status put(TransactionalSink& out, const std::string& topic, const std::string& value) {
    OutRecord record;
    record.topic = topic;
    record.value = value;
    return out.send(record);
  }
  static std::vector<std::string> values(const std::vector<LogEntry>& entries) {
    std::vector<std::string> found;
    for (const LogEntry& entry : entries) found.push_back(entry.value);
    return found;
  }
};
WEIR_BROKER_CONTRACT(LogReaderContract);

TEST_P(LogReaderContract, reads_an_empty_log_to_its_end) {
  const std::string topic = make_topic("log");
  EXPECT_THAT(visible(topic), IsEmpty());
}

TEST_P(LogReaderContract, reads_to_the_end_behind_trailing_markers_and_aborted_transactions) {
  const std::string topic = make_topic("log");
  const auto out = sink(harness_->fresh("id"));
  ASSERT_TRUE(out);
  auto reader = broker().open_log(topic, StartAt::kEarliest);
  WEIR_ASSERT_OK(reader);
  for (int round = 0; round < 3; ++round) {
    WEIR_ASSERT_OK(out->begin());
    WEIR_ASSERT_OK(put(*out, topic, "kept"));
    WEIR_ASSERT_OK(out->commit("", {}, nullptr));
    auto entries = (*reader)->read_to_end(Millis(10000));
    WEIR_ASSERT_OK(entries);
    EXPECT_THAT(values(*entries), ElementsAre("kept"));

    for (int i = 0; i < 2; ++i) {
      WEIR_ASSERT_OK(out->begin());
      WEIR_ASSERT_OK(put(*out, topic, "aborted"));
      WEIR_ASSERT_OK(out->abort());
    }
    entries = (*reader)->read_to_end(Millis(10000));
    WEIR_ASSERT_OK(entries);
    EXPECT_THAT(*entries, IsEmpty());
    entries = (*reader)->read_to_end(Millis(10000));
    WEIR_ASSERT_OK(entries);
    EXPECT_THAT(*entries, IsEmpty());
  }
  EXPECT_THAT(visible(topic), ElementsAre("kept", "kept", "kept"));
}

TEST_P(LogReaderContract, an_open_transaction_that_hides_the_end_is_a_time_out_and_loses_nothing) {
  const std::string topic = make_topic("log");
  const auto blocking = sink(harness_->fresh("blocking"));
  const auto other = sink(harness_->fresh("other"));
  ASSERT_TRUE(blocking && other);
  write(topic, {"first"});
  WEIR_ASSERT_OK(blocking->begin());
  WEIR_ASSERT_OK(put(*blocking, topic, "hidden"));
  WEIR_ASSERT_OK(other->begin());
  WEIR_ASSERT_OK(put(*other, topic, "behind"));
  auto reader = broker().open_log(topic, StartAt::kEarliest);
  WEIR_ASSERT_OK(reader);
  // What is sent may still be in a queue of the sink; a commit behind it is not.
  WEIR_ASSERT_OK(other->commit("", {}, nullptr));
  auto entries = (*reader)->read_to_end(Millis(800));
  if (!entries) {
    EXPECT_EQ(entries.error().code(), Code::kTimeout);
    WEIR_ASSERT_OK(blocking->commit("", {}, nullptr));
    entries = (*reader)->read_to_end(Millis(10000));
    WEIR_ASSERT_OK(entries);
    EXPECT_THAT(values(*entries), ::testing::UnorderedElementsAre("first", "hidden", "behind"));
  } else {
    // The broker got the blocking record after the other: then it hid nothing.
    EXPECT_EQ(GetParam(), "kafka");
    EXPECT_THAT(values(*entries), ElementsAre("first", "behind"));
  }
}

TEST_P(LogReaderContract, starts_at_the_end_or_at_a_time) {
  const std::string topic = make_topic("log");
  write(topic, {"old"});
  auto at_end = broker().open_log(topic, StartAt::kEnd);
  WEIR_ASSERT_OK(at_end);
  auto all = broker().open_log(topic, StartAt::kEarliest);
  WEIR_ASSERT_OK(all);
  auto first = (*all)->read_to_end(Millis(10000));
  WEIR_ASSERT_OK(first);
  ASSERT_EQ(first->size(), 1U);
  const std::int64_t after_old = first->front().timestamp_ms + 1;
  auto later = broker().open_log(topic, StartAt::kTime, after_old + 3600000);
  WEIR_ASSERT_OK(later);
  auto since = broker().open_log(topic, StartAt::kTime, first->front().timestamp_ms);
  WEIR_ASSERT_OK(since);
  write(topic, {"new"});
  for (auto* reader : {at_end->get(), later->get()}) {
    auto entries = reader->read_to_end(Millis(10000));
    WEIR_ASSERT_OK(entries);
    EXPECT_THAT(values(*entries), ElementsAre("new"));
  }
  auto entries = (*since)->read_to_end(Millis(10000));
  WEIR_ASSERT_OK(entries);
  EXPECT_THAT(values(*entries), ElementsAre("old", "new"));
}

TEST_P(LogReaderContract, poll_gives_what_came_since) {
  const std::string topic = make_topic("log");
  auto reader = broker().open_log(topic, StartAt::kEarliest);
  WEIR_ASSERT_OK(reader);
  auto nothing = (*reader)->poll(Millis(0));
  WEIR_ASSERT_OK(nothing);
  EXPECT_THAT(*nothing, IsEmpty());
  write(topic, {"a"});
  auto entries = (*reader)->poll(Millis(10000));
  WEIR_ASSERT_OK(entries);
  EXPECT_THAT(values(*entries), ElementsAre("a"));
  write(topic, {"b", "c"});
  entries = (*reader)->read_to_end(Millis(10000));
  WEIR_ASSERT_OK(entries);
  EXPECT_THAT(values(*entries), ElementsAre("b", "c"));
}

TEST_P(LogReaderContract, a_missing_topic_is_not_found) {
  const auto reader = broker().open_log(harness_->fresh("missing"), StartAt::kEarliest);
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code(), Code::kNotFound) << reader.error().message();
}

TEST_P(LogReaderContract, records_deleted_under_the_reader_are_told_of) {
  const std::string topic = make_topic("log");
  write(topic, {"a", "b", "c"});
  auto reader = broker().open_log(topic, StartAt::kEarliest);
  WEIR_ASSERT_OK(reader);
  harness_->delete_records_before(topic, 0, 2);
  const auto entries = (*reader)->read_to_end(Millis(3000));
  // Kafka's fetcher may have been faster than the deletion.
  if (entries) {
    EXPECT_EQ(GetParam(), "kafka");
    EXPECT_THAT(values(*entries), ElementsAre("a", "b", "c"));
  } else {
    EXPECT_EQ(entries.error().code(), Code::kCorrupt) << entries.error().message();
  }
}

class BrokerTopicsContract : public BrokerContract {};
WEIR_BROKER_CONTRACT(BrokerTopicsContract);

TEST_P(BrokerTopicsContract, makes_what_is_missing_and_leaves_the_rest_as_it_is) {
  const std::string there = make_topic("there", 3);
  const std::string missing = harness_->fresh("missing");
  const std::vector<TopicSpec> wish = {{there, 1, true}, {missing, 2, true}};
  WEIR_ASSERT_OK(broker().ensure_topics(wish, Millis(20000)));
  WEIR_ASSERT_OK(broker().ensure_topics(wish, Millis(20000)));
  write(there, {"v"}, 2);
  write(missing, {"v"}, 1);
}

TEST_P(BrokerTopicsContract, refuses_a_name_that_cannot_be) {
  if (GetParam() == "memory") GTEST_SKIP() << "the twin takes any name";
  const Status made = broker().ensure_topics({{"no such/name", 1, false}}, Millis(20000));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), Code::kInvalidArgument) << made.error().message();
}

}  // namespace
}  // namespace weir::stream
