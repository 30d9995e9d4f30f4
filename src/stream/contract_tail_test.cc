#include <gmock/gmock.h>

#include <thread>

#include "stream/contract_harness_internal.h"

namespace weir::stream {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr Millis kPatience{15'000};

class TopicTailContract : public BrokerContract {
 protected:
  std::unique_ptr<TopicTail> tail(const std::string& topic, const TailStart& start = {}) {
    auto opened = broker().open_tail(topic, start);
    EXPECT_TRUE(opened) << opened.error().message();
    return opened ? std::move(*opened) : nullptr;
  }

  // The values that come until there are `count`, or for too long.
  static std::vector<std::string> take(TopicTail& from, std::size_t count,
                                       std::size_t records_max = 1000) {
    std::vector<std::string> values;
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (values.size() < count && std::chrono::steady_clock::now() < deadline) {
      const auto batch = from.poll(records_max, Millis(100));
      EXPECT_TRUE(batch) << batch.error().message();
      if (!batch) break;
      EXPECT_LE((*batch)->records().size(), records_max);
      EXPECT_EQ((*batch)->group(), nullptr);
      for (const Record& record : (*batch)->records()) values.emplace_back(record.value);
    }
    return values;
  }

  static std::int64_t next(const TopicTail& from, std::size_t partition = 0) {
    return from.positions().at(partition).next;
  }

  // Polls until everything up to the log's end is passed; what came must be nothing.
  bool comes_to(TopicTail& from, std::int64_t end) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < deadline) {
      const auto batch = from.poll(100, Millis(20));
      EXPECT_TRUE(batch) << batch.error().message();
      if (!batch || !(*batch)->records().empty()) return false;
      if (next(from) >= end) return next(from) == end;
    }
    return false;
  }

  std::int64_t log_end(const std::string& topic) {
    const auto ends = broker().log_ends(topic, kPatience);
    EXPECT_TRUE(ends) << ends.error().message();
    return ends ? ends->at(0).next_offset : -1;
  }

  static Status put(TransactionalSink& out, const std::string& topic, const std::string& value) {
    OutRecord record;
    record.topic = topic;
    record.value = value;
    return out.send(record);
  }
};
WEIR_BROKER_CONTRACT(TopicTailContract);

TEST_P(TopicTailContract, gives_what_is_there_and_then_what_comes) {
  const std::string topic = make_topic("tail");
  write(topic, {"a", "b"});
  const auto follower = tail(topic);
  ASSERT_TRUE(follower);
  EXPECT_FALSE(follower->made_anew());
  EXPECT_THAT(take(*follower, 2, 1), ElementsAre("a", "b"));
  EXPECT_EQ(next(*follower), 2);
  const auto nothing = follower->poll(10, Millis(0));
  WEIR_ASSERT_OK(nothing);
  EXPECT_THAT((*nothing)->records(), IsEmpty());
  write(topic, {"c"});
  EXPECT_THAT(take(*follower, 1), ElementsAre("c"));
  EXPECT_EQ(next(*follower), 3);
}

TEST_P(TopicTailContract, goes_on_from_the_offsets_that_are_given) {
  const std::string topic = make_topic("tail", 3);
  for (std::int32_t partition = 0; partition < 3; ++partition) {
    write(topic, {"0", "1", "2"}, partition);
  }
  TailStart start;
  start.offsets = {{0, 2}, {2, 3}};
  const auto follower = tail(topic, start);
  ASSERT_TRUE(follower);
  EXPECT_EQ(next(*follower, 2), 3);
  EXPECT_THAT(take(*follower, 4), UnorderedElementsAre("2", "0", "1", "2"));
  EXPECT_THAT(follower->jumps(), IsEmpty());
  for (const std::size_t partition : {0, 1, 2}) EXPECT_EQ(next(*follower, partition), 3);
}

TEST_P(TopicTailContract, begins_at_a_time_where_no_offset_is_given) {
  const std::string topic = make_topic("tail", 2);
  write(topic, {"old"}, 0);
  write(topic, {"old", "known"}, 1);
  TailStart start;
  start.else_from_ms = system_clock().wall().time_since_epoch().count() + 3'600'000;
  start.offsets = {{1, 1}};
  const auto follower = tail(topic, start);
  ASSERT_TRUE(follower);
  EXPECT_EQ(next(*follower, 0), 1);
  write(topic, {"new"}, 0);
  EXPECT_THAT(take(*follower, 2), UnorderedElementsAre("known", "new"));
}

TEST_P(TopicTailContract, sees_committed_records_alone_and_passes_what_is_none) {
  const std::string topic = make_topic("tail");
  const auto out = sink(harness_->fresh("id"));
  ASSERT_TRUE(out);
  const auto follower = tail(topic);
  ASSERT_TRUE(follower);
  WEIR_ASSERT_OK(out->begin());
  WEIR_ASSERT_OK(put(*out, topic, "kept"));
  WEIR_ASSERT_OK(out->commit("", {}, nullptr));
  EXPECT_THAT(take(*follower, 1), ElementsAre("kept"));
  WEIR_ASSERT_OK(out->begin());
  WEIR_ASSERT_OK(put(*out, topic, "aborted"));
  WEIR_ASSERT_OK(out->abort());
  const std::int64_t end = log_end(topic);
  EXPECT_GT(end, 1);
  EXPECT_TRUE(comes_to(*follower, end)) << next(*follower) << " of " << end;
}

TEST_P(TopicTailContract, brings_keys_and_headers) {
  const std::string topic = make_topic("tail");
  const auto out = sink(harness_->fresh("id"));
  ASSERT_TRUE(out);
  const Headers headers = {{"why", "because"}, {"why", ""}};
  OutRecord record;
  record.topic = topic;
  record.key = "";
  record.value = "v";
  record.headers = &headers;
  WEIR_ASSERT_OK(out->begin());
  WEIR_ASSERT_OK(out->send(record));
  record.key.reset();
  record.headers = nullptr;
  record.null_value = true;
  WEIR_ASSERT_OK(out->send(record));
  WEIR_ASSERT_OK(out->commit("", {}, nullptr));
  const auto follower = tail(topic);
  ASSERT_TRUE(follower);
  std::vector<std::unique_ptr<RecordBatch>> batches;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (next(*follower) < 2 && std::chrono::steady_clock::now() < deadline) {
    auto batch = follower->poll(1, Millis(100));
    WEIR_ASSERT_OK(batch);
    if (!(*batch)->records().empty()) batches.push_back(std::move(*batch));
  }
  ASSERT_EQ(batches.size(), 2U);
  EXPECT_EQ(batches[0]->records()[0].key, "");
  EXPECT_EQ(batches[0]->headers(0), headers);
  EXPECT_EQ(batches[1]->records()[0].key, std::nullopt);
  EXPECT_EQ(batches[1]->records()[0].value.data(), nullptr);
  EXPECT_THAT(batches[1]->headers(0), IsEmpty());
}

TEST_P(TopicTailContract, tells_of_offsets_that_were_deleted_and_begins_at_the_earliest) {
  const std::string topic = make_topic("tail", 2);
  write(topic, {"a", "b", "c"});
  harness_->delete_records_before(topic, 0, 2);
  TailStart start;
  start.offsets = {{0, 1}, {1, 0}};
  const auto follower = tail(topic, start);
  ASSERT_TRUE(follower);
  EXPECT_FALSE(follower->made_anew());
  ASSERT_EQ(follower->jumps().size(), 1U);
  EXPECT_EQ(follower->jumps()[0].partition, 0);
  EXPECT_EQ(follower->jumps()[0].wanted, 1);
  EXPECT_EQ(follower->jumps()[0].began, 2);
  EXPECT_THAT(take(*follower, 1), ElementsAre("c"));
}

TEST_P(TopicTailContract, an_offset_past_the_end_means_that_the_topic_was_made_anew) {
  const std::string topic = make_topic("tail", 2);
  write(topic, {"a"}, 0);
  write(topic, {"b"}, 1);
  TailStart start;
  start.offsets = {{0, 1}, {1, 2}};
  const auto follower = tail(topic, start);
  ASSERT_TRUE(follower);
  EXPECT_TRUE(follower->made_anew());
  EXPECT_THAT(follower->jumps(), IsEmpty());
  EXPECT_THAT(take(*follower, 2), UnorderedElementsAre("a", "b"));
}

TEST_P(TopicTailContract, knows_a_topic_from_another_one_of_its_name) {
  const std::string topic = make_topic("tail");
  write(topic, {"a", "b"});
  TailStart start;
  start.offsets = {{0, 1}};
  std::string before;
  {
    const auto first = tail(topic, start);
    ASSERT_TRUE(first);
    before = first->topic_id();
    EXPECT_NE(before, "");
  }
  start.topic_id = before;
  EXPECT_FALSE(tail(topic, start)->made_anew());
  harness_->delete_topic(topic);
  WEIR_ASSERT_OK(broker().ensure_topics({{topic, 1, false}}, kPatience));
  write(topic, {"x", "y", "z"});
  const auto follower = tail(topic, start);
  ASSERT_TRUE(follower);
  EXPECT_NE(follower->topic_id(), before);
  EXPECT_TRUE(follower->made_anew());
  EXPECT_THAT(take(*follower, 3), ElementsAre("x", "y", "z"));
}

TEST_P(TopicTailContract, records_deleted_under_it_are_told_of_each_time) {
  const std::string topic = make_topic("tail");
  write(topic, {"a", "b", "c"});
  const auto follower = tail(topic);
  ASSERT_TRUE(follower);
  harness_->delete_records_before(topic, 0, 2);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < deadline) {
    const auto batch = follower->poll(10, Millis(100));
    // Kafka's fetcher may have been faster than the deletion.
    if (batch && GetParam() == "kafka" && next(*follower) == 3) return;
    if (batch) continue;
    EXPECT_EQ(batch.error().code(), Code::kCorrupt) << batch.error().message();
    const auto again = follower->poll(10, Millis(0));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code(), Code::kCorrupt);
    return;
  }
  FAIL() << "neither the records nor word of their deletion";
}

TEST_P(TopicTailContract, follows_partitions_that_the_topic_gets_meanwhile) {
  const std::string topic = make_topic("tail");
  const auto follower = tail(topic);
  ASSERT_TRUE(follower);
  harness_->add_partitions(topic, 3);
  OutRecord record;
  record.topic = topic;
  record.partition = 2;
  record.value = "new";
  // A broker tells of them a moment later, and a producer that asked too early would ask again
  // after minutes only: each try has a producer of its own.
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  bool written = false;
  while (!written && std::chrono::steady_clock::now() < deadline) {
    auto publisher = broker().open_publisher();
    WEIR_ASSERT_OK(publisher);
    written = (*publisher)->send(record).has_value() && (*publisher)->flush(kPatience).has_value();
    if (!written) std::this_thread::sleep_for(Millis(20));
  }
  ASSERT_TRUE(written);
  EXPECT_THAT(take(*follower, 1), ElementsAre("new"));
  ASSERT_EQ(follower->positions().size(), 3U);
  EXPECT_EQ(next(*follower, 1), 0);
  EXPECT_EQ(next(*follower, 2), 1);
}

TEST_P(TopicTailContract, of_a_missing_topic_is_not_found) {
  const auto opened = broker().open_tail(harness_->fresh("missing"), {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Code::kNotFound) << opened.error().message();
}

}  // namespace
}  // namespace weir::stream
