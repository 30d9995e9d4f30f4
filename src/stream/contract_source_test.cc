#include <gmock/gmock.h>

#include <set>

#include "stream/contract_harness_internal.h"

namespace weir::stream {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class RecordSourceContract : public BrokerContract {};
WEIR_BROKER_CONTRACT(RecordSourceContract);

TEST_P(RecordSourceContract, begins_at_the_earliest_record_then_where_it_committed) {
  const std::string topic = make_topic("in");
  const std::string group = harness_->fresh("group");
  write(topic, {"a", "b", "c"});
  const auto out = sink(harness_->fresh("id"));
  {
    NotingListener listener;
    const auto in = source(topic, group, "m", listener);
    const auto batch = take_one(*in);
    ASSERT_TRUE(batch);
    EXPECT_EQ(batch->records()[0].value, "a");
    EXPECT_EQ(listener.assigned, 1);
    WEIR_ASSERT_OK(commit(*out, topic, *batch));
    in->close();
    EXPECT_EQ(listener.revoked, 1);
  }
  EXPECT_EQ(harness_->committed(group, topic, 0), 1);
  NotingListener listener;
  const auto in = source(topic, group, "m", listener);
  EXPECT_THAT(take(*in, 2), ElementsAre("b", "c"));
}

TEST_P(RecordSourceContract, an_aborted_transaction_commits_no_offset) {
  const std::string topic = make_topic("in");
  const std::string group = harness_->fresh("group");
  write(topic, {"a"});
  const auto out = sink(harness_->fresh("id"));
  NotingListener listener;
  const auto in = source(topic, group, "m", listener);
  const auto batch = take_one(*in);
  ASSERT_TRUE(batch);
  WEIR_ASSERT_OK(out->begin());
  WEIR_ASSERT_OK(out->abort());
  EXPECT_EQ(harness_->committed(group, topic, 0), -1);
}

TEST_P(RecordSourceContract, tells_how_far_each_partition_was_handed_out_and_where_it_ends) {
  const std::string topic = make_topic("in", 2);
  const std::string group = harness_->fresh("group");
  write(topic, {"a", "b", "c"}, 1);
  NotingListener listener;
  const auto in = source(topic, group, "m", listener);
  EXPECT_THAT(in->positions(), IsEmpty());
  EXPECT_THAT(take(*in, 3), ElementsAre("a", "b", "c"));
  EXPECT_TRUE(poll_until({in.get()}, [&] { return in->at_end(); }));
  const auto positions = in->positions();
  ASSERT_EQ(positions.size(), 2U);
  for (const PartitionPosition& at : positions) {
    EXPECT_EQ(at.next, at.partition == 1 ? 3 : 0);
    EXPECT_EQ(at.end, at.next);
  }
  WEIR_ASSERT_OK(in->rewind_to_committed());
  EXPECT_EQ(in->positions()[1].next, 0);
  EXPECT_EQ(in->positions()[1].end, 3);
}

TEST_P(RecordSourceContract, stands_at_the_end_though_marks_of_transactions_lie_before_it) {
  const std::string topic = make_topic("in");
  const auto pusher = sink(harness_->fresh("pusher"));
  for (const char* value : {"a", "b"}) {
    WEIR_ASSERT_OK(pusher->begin());
    WEIR_ASSERT_OK(pusher->send({topic, 0, "k", value, nullptr}));
    WEIR_ASSERT_OK(pusher->commit({}, {}, nullptr));
  }
  NotingListener listener;
  const auto in = source(topic, harness_->fresh("group"), "m", listener);
  EXPECT_THAT(take(*in, 2), ElementsAre("a", "b"));
  const auto stands_at = [&](std::int64_t end) {
    return poll_until({in.get()}, [&] { return in->at_end() && in->positions()[0].next == end; });
  };
  EXPECT_TRUE(stands_at(4)) << in->positions()[0].next;
  EXPECT_EQ(in->positions()[0].end, 4);
  // What was told is no place to go on from.
  WEIR_ASSERT_OK(in->rewind_to_committed());
  EXPECT_EQ(in->positions()[0].next, 0);
  EXPECT_THAT(take(*in, 2), ElementsAre("a", "b"));
}

TEST_P(RecordSourceContract, goes_on_after_many_pauses_at_the_end_of_the_log) {
  const std::string topic = make_topic("features", 3);
  NotingListener listener;
  const auto in = source(topic, harness_->fresh("group"), "m", listener);
  ASSERT_TRUE(in);
  ASSERT_TRUE(poll_until({in.get()}, [&] { return listener.held.size() == 3; }));
  for (int round = 0; round < 6; ++round) {
    for (std::int32_t partition = 0; partition < 3; ++partition) {
      write(topic, {std::to_string(round)}, partition);
    }
    EXPECT_EQ(take(*in, 3).size(), 3U) << "round " << round;
    in->set_paused(true);
    WEIR_ASSERT_OK(in->poll(10, Millis(5)));
    in->set_paused(false);
    WEIR_ASSERT_OK(in->poll(10, Millis(round % 4)));
  }
}

TEST_P(RecordSourceContract, rewinds_every_partition_to_its_committed_offset) {
  const std::string topic = make_topic("in", 3);
  const std::string group = harness_->fresh("group");
  for (int p = 0; p < 3; ++p) {
    const std::string at = std::to_string(p);
    write(topic, {at + "a", at + "b", at + "c"}, p);
  }
  const auto out = sink(harness_->fresh("id"));
  NotingListener listener;
  const auto in = source(topic, group, "m", listener);
  auto batch = take_one(*in);
  ASSERT_TRUE(batch);
  const int from = batch->records()[0].partition;
  WEIR_ASSERT_OK(commit(*out, topic, *batch));
  EXPECT_EQ(take(*in, 8).size(), 8U);
  for (int round = 0; round < 3; ++round) {
    WEIR_ASSERT_OK(in->rewind_to_committed());
    const auto again = take(*in, 8);
    std::set<std::string> expected;
    for (int p = 0; p < 3; ++p) {
      for (const char* letter : {"a", "b", "c"}) {
        if (p != from || *letter != 'a') expected.insert(std::to_string(p) + letter);
      }
    }
    EXPECT_EQ(std::set<std::string>(again.begin(), again.end()), expected);
  }
  EXPECT_THAT(take(*in, 1, Millis(300)), IsEmpty());
}

TEST_P(RecordSourceContract, after_rewinds_and_pauses_no_record_is_skipped_or_seen_out_of_order) {
  constexpr int kRecords = 20000;
  const std::string topic = make_topic("in", 2);
  std::vector<std::string> values;
  for (int i = 0; i < kRecords; ++i) values.push_back(std::to_string(i));
  write(topic, values, 0);
  write(topic, values, 1);
  NotingListener listener;
  const auto in = source(topic, harness_->fresh("group"), "m", listener);
  std::int64_t next[2] = {0, 0};
  int rewinds = 0;
  int polls = 0;
  unsigned random = 12345;
  const auto deadline = std::chrono::steady_clock::now() + Millis(40000);
  while ((next[0] < kRecords || next[1] < kRecords) &&
         std::chrono::steady_clock::now() < deadline) {
    random = random * 1664525 + 1013904223;
    auto batch = in->poll(random >> 24, Millis(50));
    WEIR_ASSERT_OK(batch);
    for (const Record& record : (*batch)->records()) {
      ASSERT_EQ(record.offset, next[record.partition]++);
      ASSERT_EQ(record.value, values[static_cast<std::size_t>(record.offset)]);
    }
    ++polls;
    if (rewinds < 20 && (random & 0xf00) == 0) {
      ++rewinds;
      WEIR_ASSERT_OK(in->rewind_to_committed());  // nothing is committed: from the beginning
      next[0] = next[1] = 0;
    } else if ((random & 0xf000) == 0) {
      in->set_paused(true);
      auto nothing = in->poll(100, Millis(5));
      WEIR_ASSERT_OK(nothing);
      ASSERT_THAT((*nothing)->records(), IsEmpty());
      in->set_paused(false);
    }
  }
  EXPECT_EQ(next[0], kRecords);
  EXPECT_EQ(next[1], kRecords);
  EXPECT_GT(rewinds, 0);
}

TEST_P(RecordSourceContract, nothing_comes_while_paused_and_the_membership_is_kept) {
  const std::string topic = make_topic("in");
  write(topic, {"a", "b"});
  NotingListener listener;
  const auto in = source(topic, harness_->fresh("group"), "m", listener);
  ASSERT_TRUE(take_one(*in));
  in->set_paused(true);
  EXPECT_THAT(take(*in, 1, Millis(500)), IsEmpty());
  EXPECT_EQ(listener.assigned, 1);
  EXPECT_EQ(listener.revoked + listener.lost, 0);
  in->set_paused(false);
  EXPECT_THAT(take(*in, 1), ElementsAre("b"));
}

TEST_P(RecordSourceContract, a_member_that_is_paused_before_its_first_assignment_gets_nothing) {
  const std::string topic = make_topic("in");
  write(topic, {"a"});
  NotingListener listener;
  const auto in = source(topic, harness_->fresh("group"), "m", listener);
  in->set_paused(true);
  ASSERT_TRUE(poll_until({in.get()}, [&] { return listener.assigned > 0; }));
  EXPECT_THAT(take(*in, 1, Millis(500)), IsEmpty());
  in->set_paused(false);
  EXPECT_THAT(take(*in, 1), ElementsAre("a"));
}

TEST_P(RecordSourceContract, two_members_share_and_one_takes_over_what_the_other_leaves) {
  const std::string topic = make_topic("in", 4);
  const std::string group = harness_->fresh("group");
  NotingListener first_heard;
  NotingListener second_heard;
  const auto first = source(topic, group, "first", first_heard);
  ASSERT_TRUE(poll_until({first.get()}, [&] { return first_heard.held.size() == 4; }));
  auto second = source(topic, group, "second", second_heard);
  ASSERT_TRUE(poll_until({first.get(), second.get()}, [&] {
    return first_heard.held.size() == 2 && second_heard.held.size() == 2;
  }));
  EXPECT_EQ(first_heard.revoked, 1);
  EXPECT_EQ(first->assignment().size(), 2U);
  second->close();
  EXPECT_EQ(second_heard.revoked, 1);
  ASSERT_TRUE(poll_until({first.get()}, [&] { return first_heard.held.size() == 4; }));
}

TEST_P(RecordSourceContract, the_gate_holds_across_a_rebalance) {
  const std::string topic = make_topic("in", 2);
  const std::string group = harness_->fresh("group");
  write(topic, {"a"}, 0);
  write(topic, {"b"}, 1);
  NotingListener first_heard;
  NotingListener second_heard;
  const auto first = source(topic, group, "first", first_heard);
  first->set_paused(true);
  ASSERT_TRUE(poll_until({first.get()}, [&] { return first_heard.held.size() == 2; }));
  const auto second = source(topic, group, "second", second_heard);
  second->set_paused(true);
  ASSERT_TRUE(poll_until({first.get(), second.get()}, [&] {
    return first_heard.held.size() == 1 && second_heard.held.size() == 1;
  }));
  EXPECT_THAT(take(*first, 1, Millis(300)), IsEmpty());
  EXPECT_THAT(take(*second, 1, Millis(300)), IsEmpty());
  first->set_paused(false);
  second->set_paused(false);
  const auto one = take(*first, 1);
  const auto other = take(*second, 1);
  ASSERT_EQ(one.size() + other.size(), 2U);
  EXPECT_THAT((std::vector<std::string>{one[0], other[0]}), UnorderedElementsAre("a", "b"));
}

TEST_P(RecordSourceContract, the_last_chance_to_commit_is_inside_the_revocation) {
  const std::string topic = make_topic("in", 2);
  const std::string group = harness_->fresh("group");
  write(topic, {"a"}, 0);
  const auto out = sink(harness_->fresh("id"));
  NotingListener first_heard;
  NotingListener second_heard;
  const auto first = source(topic, group, "first", first_heard);
  const auto batch = take_one(*first);
  ASSERT_TRUE(batch);
  Status committed = fail(Code::kInternal, "never tried");
  first_heard.when_revoked = [&] { committed = commit(*out, topic, *batch); };
  const auto second = source(topic, group, "second", second_heard);
  ASSERT_TRUE(poll_until({first.get(), second.get()}, [&] {
    return first_heard.held.size() == 1 && second_heard.held.size() == 1;
  }));
  WEIR_ASSERT_OK(committed);
  EXPECT_EQ(harness_->committed(group, topic, 0), 1);
}

TEST_P(RecordSourceContract, a_zombie_of_an_old_generation_cannot_commit) {
  const std::string topic = make_topic("in", 2);
  const std::string group = harness_->fresh("group");
  write(topic, {"a"}, 0);
  const auto out = sink(harness_->fresh("id"));
  NotingListener first_heard;
  NotingListener second_heard;
  const auto first = source(topic, group, "first", first_heard);
  const auto batch = take_one(*first);
  ASSERT_TRUE(batch);
  const auto second = source(topic, group, "second", second_heard);
  ASSERT_TRUE(poll_until({first.get(), second.get()}, [&] {
    return first_heard.held.size() == 1 && second_heard.held.size() == 1;
  }));
  const Status refused = commit(*out, topic, *batch);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kUnavailable) << refused.error().message();
  EXPECT_EQ(harness_->committed(group, topic, 0), -1);
}

TEST_P(RecordSourceContract, a_member_that_left_cannot_commit) {
  const std::string topic = make_topic("in");
  const std::string group = harness_->fresh("group");
  write(topic, {"a"});
  const auto out = sink(harness_->fresh("id"));
  NotingListener listener;
  auto in = source(topic, group, "m", listener);
  const auto batch = take_one(*in);
  ASSERT_TRUE(batch);
  in->close();
  NotingListener other_heard;
  const auto other = source(topic, group, "other", other_heard);
  ASSERT_TRUE(poll_until({other.get()}, [&] { return other_heard.assigned == 1; }));
  const Status refused = commit(*out, topic, *batch);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kUnavailable) << refused.error().message();
}

TEST_P(RecordSourceContract, a_batch_outlives_its_source) {
  const std::string topic = make_topic("in");
  write(topic, {"a"});
  NotingListener listener;
  auto in = source(topic, harness_->fresh("group"), "m", listener);
  const auto batch = take_one(*in);
  ASSERT_TRUE(batch);
  in.reset();
  EXPECT_EQ(batch->records()[0].value, "a");
}

TEST_P(RecordSourceContract, knows_when_it_has_read_to_the_end) {
  const std::string topic = make_topic("in", 2);
  write(topic, {"a", "b"}, 0);
  NotingListener listener;
  const auto in = source(topic, harness_->fresh("group"), "m", listener);
  EXPECT_FALSE(in->at_end());
  EXPECT_EQ(take(*in, 2).size(), 2U);
  EXPECT_TRUE(poll_until({in.get()}, [&] { return in->at_end(); }));
  write(topic, {"c"}, 1);
  EXPECT_THAT(take(*in, 1), ElementsAre("c"));
  EXPECT_FALSE(in->at_end());
  EXPECT_TRUE(poll_until({in.get()}, [&] { return in->at_end(); }));
}

TEST_P(RecordSourceContract, an_offset_that_expired_is_told_with_topic_partition_and_offset) {
  const std::string topic = make_topic("in");
  const std::string group = harness_->fresh("group");
  write(topic, {"a", "b", "c", "d"});
  const auto out = sink(harness_->fresh("id"));
  {
    NotingListener listener;
    const auto in = source(topic, group, "m", listener);
    const auto batch = take_one(*in);
    ASSERT_TRUE(batch);
    WEIR_ASSERT_OK(commit(*out, topic, *batch));
  }
  harness_->delete_records_before(topic, 0, 3);
  NotingListener listener;
  const auto in = source(topic, group, "m", listener);
  const auto deadline = std::chrono::steady_clock::now() + Millis(15000);
  auto batch = in->poll(10, Millis(100));
  while (batch && std::chrono::steady_clock::now() < deadline) {
    ASSERT_THAT((*batch)->records(), IsEmpty());
    batch = in->poll(10, Millis(100));
  }
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().code(), Code::kCorrupt);
  EXPECT_THAT(batch.error().message(), HasSubstr("topic " + topic + " partition 0: offset 1 "));
  EXPECT_EQ(in->poll(10, Millis(0)).error().code(), Code::kCorrupt);
}

TEST_P(RecordSourceContract, a_partition_without_a_commit_is_read_whole_or_not_at_all) {
  const std::string topic = make_topic("in", 2);
  const std::string group = harness_->fresh("group");
  write(topic, {"a"}, 0);
  const auto out = sink(harness_->fresh("id"));
  {
    NotingListener listener;
    const auto in = source(topic, group, "m", listener);
    const auto batch = take_one(*in);
    ASSERT_TRUE(batch);
    WEIR_ASSERT_OK(commit(*out, topic, *batch));
  }
  write(topic, {"b", "c"}, 1);
  {
    NotingListener listener;
    const auto in = source(topic, group, "m", listener);
    EXPECT_THAT(take(*in, 2), ElementsAre("b", "c"));
  }
  harness_->delete_records_before(topic, 1, 1);
  NotingListener listener;
  const auto in = source(topic, group, "m", listener);
  const auto deadline = std::chrono::steady_clock::now() + Millis(15000);
  auto batch = in->poll(10, Millis(100));
  while (batch && std::chrono::steady_clock::now() < deadline) batch = in->poll(10, Millis(100));
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().code(), Code::kCorrupt);
  EXPECT_THAT(batch.error().message(), HasSubstr("partition 1"));
}

TEST_P(RecordSourceContract, a_group_whose_offsets_were_all_lost_does_not_begin_again) {
  const std::string topic = make_topic("in");
  const std::string written = make_topic("out");
  write(topic, {"a"});
  const auto out = sink(harness_->fresh("id"));
  WEIR_ASSERT_OK(out->begin());
  OutRecord record;
  record.topic = written;
  record.value = "never committed";
  WEIR_ASSERT_OK(out->send(record));
  WEIR_ASSERT_OK(out->abort());
  {
    NotingListener listener;
    auto in = broker().open_source(topic, harness_->fresh("new"), "m", listener, {written});
    WEIR_ASSERT_OK(in);
    EXPECT_THAT(take(**in, 1), ElementsAre("a"));
  }
  write(written, {"a prediction"});
  NotingListener listener;
  const std::string group = harness_->fresh("forgetful");
  auto in = broker().open_source(topic, group, "m", listener, {written});
  WEIR_ASSERT_OK(in);
  const auto deadline = std::chrono::steady_clock::now() + Millis(15000);
  auto batch = (*in)->poll(10, Millis(100));
  while (batch && (*batch)->records().empty() && std::chrono::steady_clock::now() < deadline) {
    batch = (*in)->poll(10, Millis(100));
  }
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().code(), Code::kCorrupt);
  EXPECT_THAT(batch.error().message(), HasSubstr(written));
  EXPECT_EQ(listener.assigned, 0);
}

TEST_P(RecordSourceContract, a_missing_topic_is_not_found) {
  NotingListener listener;
  const auto in = source(harness_->fresh("missing"), harness_->fresh("group"), "m", listener);
  const auto deadline = std::chrono::steady_clock::now() + Millis(15000);
  auto batch = in->poll(10, Millis(100));
  while (batch && std::chrono::steady_clock::now() < deadline) batch = in->poll(10, Millis(100));
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().code(), Code::kNotFound) << batch.error().message();
}

class LeadershipContract : public BrokerContract {};
WEIR_BROKER_CONTRACT(LeadershipContract);

TEST_P(LeadershipContract, one_leads_and_hands_over_when_it_goes) {
  const std::string topic = make_topic("control");
  const std::string group = harness_->fresh("trainers");
  auto first = broker().open_leadership(topic, group, "first");
  WEIR_ASSERT_OK(first);
  auto leads = (*first)->is_leader(Millis(15000));
  WEIR_ASSERT_OK(leads);
  ASSERT_TRUE(*leads);
  auto second = broker().open_leadership(topic, group, "second");
  WEIR_ASSERT_OK(second);
  const auto start = std::chrono::steady_clock::now();
  int leaders = 0;
  const auto go_on = [&] {  // until the group has dealt anew, however long that takes it
    const auto passed = std::chrono::steady_clock::now() - start;
    return passed < Millis(2000) || (leaders != 1 && passed < Millis(30000));
  };
  while (go_on()) {
    auto one = (*first)->is_leader(Millis(50));
    auto other = (*second)->is_leader(Millis(50));
    WEIR_ASSERT_OK(one);
    WEIR_ASSERT_OK(other);
    leaders = (*one ? 1 : 0) + (*other ? 1 : 0);
    EXPECT_LE(leaders, 1);
  }
  EXPECT_EQ(leaders, 1);
  const bool first_leads = *(*first)->is_leader(Millis(0));
  auto& leader = first_leads ? *first : *second;
  auto& follower = first_leads ? *second : *first;
  leader.reset();
  leads = follower->is_leader(Millis(15000));
  WEIR_ASSERT_OK(leads);
  EXPECT_TRUE(*leads);
}

}  // namespace
}  // namespace weir::stream
