#include <gmock/gmock.h>

#include <map>

#include "stream/contract_harness_internal.h"

namespace weir::stream {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr Millis kPatience{15'000};

class TopicHistoryContract : public BrokerContract {
 protected:
  std::unique_ptr<TopicHistory> history(const std::string& topic, const HistoryStart& start = {}) {
    auto opened = broker().open_history(topic, start);
    EXPECT_TRUE(opened) << opened.error().message();
    return opened ? std::move(*opened) : nullptr;
  }

  static std::unique_ptr<RecordBatch> next(TopicHistory& from, std::int32_t partition,
                                           std::size_t records_max = 1000) {
    auto batch = from.next(partition, records_max, kPatience);
    EXPECT_TRUE(batch) << batch.error().message();
    return batch ? std::move(*batch) : nullptr;
  }

  // The values of a partition up to its end.
  static std::vector<std::string> rest(TopicHistory& from, std::int32_t partition = 0,
                                       std::size_t records_max = 1000) {
    std::vector<std::string> values;
    for (;;) {
      const auto batch = next(from, partition, records_max);
      if (!batch || batch->records().empty()) return values;
      EXPECT_LE(batch->records().size(), records_max);
      EXPECT_EQ(batch->group(), nullptr);
      for (const Record& record : batch->records()) {
        EXPECT_EQ(record.partition, partition);
        values.emplace_back(record.value);
      }
    }
  }

  static Status put(TransactionalSink& out, const std::string& topic, const std::string& value,
                    std::int32_t partition = 0) {
    OutRecord record;
    record.topic = topic;
    record.partition = partition;
    record.value = value;
    return out.send(record);
  }

  std::int64_t log_end(const std::string& topic, std::size_t partition = 0) {
    const auto ends = broker().log_ends(topic, kPatience);
    EXPECT_TRUE(ends) << ends.error().message();
    return ends ? ends->at(partition).next_offset : -1;
  }

  // Kafka answers a commit before the marker is in the log: a history that has all of it.
  std::unique_ptr<TopicHistory> settled_history(const std::string& topic) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    do {
      auto found = history(topic);
      if (!found || found->spans().front().end == log_end(topic)) return found;
    } while (std::chrono::steady_clock::now() < deadline);
    ADD_FAILURE() << "a transaction that was ended still hides the end";
    return nullptr;
  }

  // Until the brokers have what a sink has sent, but not committed.
  bool log_grows_past(const std::string& topic, std::int64_t end) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < deadline) {
      if (log_end(topic) > end) return true;
    }
    return false;
  }
};
WEIR_BROKER_CONTRACT(TopicHistoryContract);

TEST_P(TopicHistoryContract, of_an_empty_topic_has_empty_spans) {
  const auto found = history(make_topic("history", 2));
  ASSERT_TRUE(found);
  ASSERT_EQ(found->spans().size(), 2U);
  for (const PartitionSpan& span : found->spans()) {
    EXPECT_EQ(span.begin, 0);
    EXPECT_EQ(span.end, 0);
    EXPECT_THAT(rest(*found, span.partition), IsEmpty());
  }
}

TEST_P(TopicHistoryContract, ends_behind_trailing_markers_and_aborted_transactions) {
  const std::string topic = make_topic("history");
  const auto out = sink(harness_->fresh("id"));
  ASSERT_TRUE(out);
  std::vector<std::string> expected;
  for (int round = 0; round < 2; ++round) {
    WEIR_ASSERT_OK(out->begin());
    WEIR_ASSERT_OK(put(*out, topic, "kept"));
    WEIR_ASSERT_OK(out->commit("", {}, nullptr));
    for (int i = 0; i < 2; ++i) {
      WEIR_ASSERT_OK(out->begin());
      WEIR_ASSERT_OK(put(*out, topic, "aborted"));
      WEIR_ASSERT_OK(out->abort());
    }
    const auto found = settled_history(topic);
    ASSERT_TRUE(found);
    write(topic, {"later"});  // behind the markers, and behind the end
    expected.push_back("kept");
    EXPECT_EQ(rest(*found), expected) << "round " << round;
    expected.push_back("later");
    EXPECT_THAT(rest(*found), IsEmpty()) << "the end stays the end";
  }
}

TEST_P(TopicHistoryContract, ends_before_a_transaction_that_is_open) {
  const std::string topic = make_topic("history");
  const auto out = sink(harness_->fresh("id"));
  ASSERT_TRUE(out);
  write(topic, {"a", "b"});
  WEIR_ASSERT_OK(out->begin());
  WEIR_ASSERT_OK(put(*out, topic, "open"));
  ASSERT_TRUE(log_grows_past(topic, 2));
  write(topic, {"behind"});
  const auto found = history(topic);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->spans().front().end, 2);
  EXPECT_THAT(rest(*found), ElementsAre("a", "b"));
  WEIR_ASSERT_OK(out->abort());
  EXPECT_THAT(rest(*found), IsEmpty());
  const auto later = settled_history(topic);
  ASSERT_TRUE(later);
  EXPECT_THAT(rest(*later), ElementsAre("a", "b", "behind"));
}

TEST_P(TopicHistoryContract, does_not_have_what_was_written_after_it_was_opened) {
  const std::string topic = make_topic("history");
  write(topic, {"a", "b"});
  const auto by_one = history(topic);
  const auto by_many = history(topic);
  ASSERT_TRUE(by_one && by_many);
  write(topic, {"c", "d"});
  EXPECT_THAT(rest(*by_one, 0, 1), ElementsAre("a", "b"));
  EXPECT_THAT(rest(*by_many), ElementsAre("a", "b"));
}

TEST_P(TopicHistoryContract, begins_at_the_offsets_that_are_named_and_else_at_the_earliest) {
  const std::string topic = make_topic("history", 3);
  for (std::int32_t partition = 0; partition < 3; ++partition) {
    write(topic, {"0", "1", "2", "3"}, partition);
  }
  const auto found = history(topic, {std::nullopt, {{0, 3}, {2, 9}}});
  ASSERT_TRUE(found);
  EXPECT_THAT(rest(*found, 0), ElementsAre("3"));
  EXPECT_THAT(rest(*found, 1), ElementsAre("0", "1", "2", "3"));
  EXPECT_THAT(rest(*found, 2), IsEmpty());
  EXPECT_EQ(found->spans()[2].begin, 4);
  EXPECT_EQ(found->spans()[2].end, 4);
}

TEST_P(TopicHistoryContract, begins_at_the_first_record_of_a_time) {
  const std::string topic = make_topic("history");
  // Records until one is of another millisecond than the first.
  std::int64_t first_ms = 0;
  std::int64_t later_ms = 0;
  std::int64_t later_offset = 0;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (later_offset == 0 && std::chrono::steady_clock::now() < deadline) {
    write(topic, {"record"});
    const auto all = history(topic);
    ASSERT_TRUE(all);
    const auto batch = next(*all, 0, 100'000);
    ASSERT_TRUE(batch);
    for (const Record& record : batch->records()) {
      if (record.offset == 0) first_ms = record.timestamp_ms;
      if (later_offset > 0 || record.timestamp_ms <= first_ms) continue;
      later_ms = record.timestamp_ms;
      later_offset = record.offset;
    }
  }
  ASSERT_GT(later_offset, 0);
  EXPECT_EQ(history(topic, {first_ms, {}})->spans().front().begin, 0);
  EXPECT_EQ(history(topic, {0, {}})->spans().front().begin, 0);
  EXPECT_EQ(history(topic, {first_ms + 1, {}})->spans().front().begin, later_offset);
  const auto since = history(topic, {later_ms, {}});
  EXPECT_EQ(next(*since, 0, 1)->records().front().offset, later_offset);
  const auto never = history(topic, {later_ms + 3'600'000, {}});
  EXPECT_EQ(never->spans().front().begin, never->spans().front().end);
  EXPECT_THAT(rest(*never), IsEmpty());
}

TEST_P(TopicHistoryContract, refuses_a_start_before_the_earliest_record) {
  const std::string topic = make_topic("history");
  write(topic, {"a", "b", "c"});
  harness_->delete_records_before(topic, 0, 2);
  const auto refused = broker().open_history(topic, {std::nullopt, {{0, 1}}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kCorrupt);
  EXPECT_THAT(refused.error().message(), HasSubstr(topic + " partition 0: offset 1"));
  const auto there = history(topic, {std::nullopt, {{0, 2}}});
  ASSERT_TRUE(there);
  EXPECT_THAT(rest(*there), ElementsAre("c"));
  const auto earliest = history(topic);
  ASSERT_TRUE(earliest);
  EXPECT_EQ(earliest->spans().front().begin, 2);
}

TEST_P(TopicHistoryContract, tells_of_records_that_are_deleted_before_they_are_read) {
  const std::string topic = make_topic("history");
  write(topic, {"a", "b", "c"});
  const auto found = history(topic);
  ASSERT_TRUE(found);
  harness_->delete_records_before(topic, 0, 2);
  auto batch = found->next(0, 10, kPatience);
  // Kafka's fetcher may have been faster than the deletion.
  if (batch) {
    EXPECT_EQ(GetParam(), "kafka");
    EXPECT_EQ((*batch)->records().size(), 3U);
    return;
  }
  EXPECT_EQ(batch.error().code(), Code::kCorrupt) << batch.error().message();
  batch = found->next(0, 10, kPatience);
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().code(), Code::kCorrupt) << batch.error().message();
}

TEST_P(TopicHistoryContract, reads_each_partition_at_its_own_pace) {
  const std::string topic = make_topic("history", 3);
  std::map<std::int32_t, std::vector<std::string>> written;
  for (std::int32_t partition = 0; partition < 3; ++partition) {
    for (int i = 0; i < 50; ++i) {
      written[partition].push_back(std::to_string(partition) + ":" + std::to_string(i));
    }
    write(topic, written[partition], partition);
  }
  const auto found = history(topic);
  ASSERT_TRUE(found);
  EXPECT_EQ(rest(*found, 2, 1), written[2]);
  // One step in the one, two in the other, and the batches before are still good.
  std::map<std::int32_t, std::vector<std::unique_ptr<RecordBatch>>> batches;
  for (const std::int32_t partition : {0, 1, 1, 0, 1, 1}) {
    batches[partition].push_back(next(*found, partition, 7));
  }
  for (const std::int32_t partition : {0, 1}) {
    std::vector<std::string> values;
    for (const auto& batch : batches[partition]) {
      for (const Record& record : batch->records()) values.emplace_back(record.value);
    }
    for (auto& value : rest(*found, partition, 7)) values.push_back(std::move(value));
    EXPECT_EQ(values, written[partition]);
  }
}

TEST_P(TopicHistoryContract, keeps_keys_headers_and_tombstones) {
  const std::string topic = make_topic("history");
  auto publisher = broker().open_publisher();
  WEIR_ASSERT_OK(publisher);
  const Headers headers = {{"name", "value"}, {"name", ""}};
  WEIR_ASSERT_OK((*publisher)->send({topic, 0, "key", "value", &headers}));
  WEIR_ASSERT_OK((*publisher)->send({topic, 0, "", "", nullptr}));
  WEIR_ASSERT_OK((*publisher)->send({topic, 0, std::nullopt, {}, nullptr, true}));
  WEIR_ASSERT_OK((*publisher)->flush(kPatience));
  const auto found = history(topic);
  ASSERT_TRUE(found);
  std::vector<std::unique_ptr<RecordBatch>> batches;
  std::vector<Record> records;
  do {
    batches.push_back(next(*found, 0));
    ASSERT_TRUE(batches.back());
    for (std::size_t i = 0; i < batches.back()->records().size(); ++i) {
      EXPECT_EQ(batches.back()->headers(i), records.empty() ? headers : Headers{});
      records.push_back(batches.back()->records()[i]);
    }
  } while (!batches.back()->records().empty());
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].key, "key");
  EXPECT_EQ(records[0].value, "value");
  EXPECT_GT(records[0].timestamp_ms, 1'500'000'000'000);
  EXPECT_EQ(records[1].key, "");
  EXPECT_NE(records[1].value.data(), nullptr);
  EXPECT_EQ(records[2].key, std::nullopt);
  EXPECT_EQ(records[2].value.data(), nullptr);
}

TEST_P(TopicHistoryContract, its_batches_outlive_it) {
  const std::string topic = make_topic("history");
  write(topic, {"a", "b"});
  auto found = history(topic);
  ASSERT_TRUE(found);
  const auto batch = next(*found, 0, 1);
  ASSERT_TRUE(batch);
  found.reset();
  ASSERT_EQ(batch->records().size(), 1U);
  EXPECT_EQ(batch->records().front().value, "a");
}

TEST_P(TopicHistoryContract, refuses_what_cannot_be) {
  const std::string topic = make_topic("history", 2);
  const auto both = broker().open_history(topic, {1, {{0, 1}}});
  ASSERT_FALSE(both);
  EXPECT_EQ(both.error().code(), Code::kInvalidArgument);
  const auto no_partition = broker().open_history(topic, {std::nullopt, {{2, 0}}});
  ASSERT_FALSE(no_partition);
  EXPECT_EQ(no_partition.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(no_partition.error().message(), HasSubstr("no partition 2"));
  const auto found = history(topic);
  ASSERT_TRUE(found);
  for (const std::int32_t partition : {-1, 2}) {
    const auto batch = found->next(partition, 1, Millis(0));
    ASSERT_FALSE(batch);
    EXPECT_EQ(batch.error().code(), Code::kInvalidArgument);
  }
}

TEST_P(TopicHistoryContract, of_a_missing_topic_is_not_found) {
  const std::string missing = harness_->fresh("missing");
  const auto found = broker().open_history(missing, {});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), Code::kNotFound) << found.error().message();
}

class BrokerOffsetsContract : public TopicHistoryContract {
 protected:
  std::map<std::int32_t, std::int64_t> committed(const std::string& group,
                                                 const std::string& topic) {
    const auto offsets = broker().committed_offsets(group, topic, kPatience);
    EXPECT_TRUE(offsets) << offsets.error().message();
    std::map<std::int32_t, std::int64_t> found;
    if (!offsets) return found;
    for (const auto& at : *offsets) EXPECT_TRUE(found.emplace(at.partition, at.next_offset).second);
    return found;
  }
};
WEIR_BROKER_CONTRACT(BrokerOffsetsContract);

TEST_P(BrokerOffsetsContract, of_a_group_that_never_was_are_none) {
  EXPECT_THAT(committed(harness_->fresh("group"), make_topic("offsets", 2)), IsEmpty());
}

TEST_P(BrokerOffsetsContract, of_a_group_are_those_that_it_committed_and_no_member_is_needed) {
  const std::string topic = make_topic("offsets", 3);
  const std::string group = harness_->fresh("group");
  write(topic, {"a", "b", "c"}, 1);
  NotingListener listener;
  const auto from = source(topic, group, "member", listener);
  ASSERT_TRUE(from);
  const auto batch = take_one(*from);
  ASSERT_TRUE(batch);
  const auto out = sink(harness_->fresh("id"));
  ASSERT_TRUE(out);
  WEIR_ASSERT_OK(out->begin());
  const PartitionOffset next{1, 1};
  WEIR_ASSERT_OK(out->commit(topic, {&next, 1}, batch->group().get()));
  EXPECT_THAT(committed(group, topic), ElementsAre(Pair(1, 1)));
  EXPECT_EQ(listener.revoked + listener.lost, 0);
  from->close();
  EXPECT_THAT(committed(group, topic), ElementsAre(Pair(1, 1)));
  EXPECT_THAT(committed(harness_->fresh("other"), topic), IsEmpty());
}

TEST_P(BrokerOffsetsContract, the_ends_count_records_of_any_kind) {
  const std::string topic = make_topic("offsets", 2);
  EXPECT_EQ(log_end(topic, 0), 0);
  write(topic, {"a"});
  EXPECT_EQ(log_end(topic, 0), 1);
  const auto out = sink(harness_->fresh("id"));
  ASSERT_TRUE(out);
  WEIR_ASSERT_OK(out->begin());
  WEIR_ASSERT_OK(put(*out, topic, "open"));
  ASSERT_TRUE(log_grows_past(topic, 1));
  EXPECT_EQ(log_end(topic, 0), 2);
  WEIR_ASSERT_OK(out->abort());
  ASSERT_TRUE(log_grows_past(topic, 2));
  EXPECT_EQ(log_end(topic, 0), 3);
  EXPECT_EQ(log_end(topic, 1), 0);
}

TEST_P(BrokerOffsetsContract, of_a_missing_topic_are_not_found) {
  const std::string missing = harness_->fresh("missing");
  const auto offsets = broker().committed_offsets("group", missing, kPatience);
  ASSERT_FALSE(offsets);
  EXPECT_EQ(offsets.error().code(), Code::kNotFound) << offsets.error().message();
  const auto ends = broker().log_ends(missing, kPatience);
  ASSERT_FALSE(ends);
  EXPECT_EQ(ends.error().code(), Code::kNotFound) << ends.error().message();
}

}  // namespace
}  // namespace weir::stream
