#include "stream/memory_broker.h"

#include <gmock/gmock.h>

#include <set>
#include <thread>

#include "base/simulated_clock.h"
#include "stream/contract_harness_internal.h"
#include "stream/murmur2.h"

namespace weir::stream {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr Millis kNoWait{0};

class MemoryBrokerFaults : public ::testing::Test {
 protected:
  MemoryBrokerFaults() {
    EXPECT_TRUE(broker.ensure_topics({{"in", 2, false}, {"out", 1, false}}, kNoWait));
    broker.produce("in", "k", "a", 0);
  }
  // Reads what is there, writes it on, commits.
  Status carry(RecordSource& from, TransactionalSink& to) {
    const auto batch = WEIR_TRY(from.poll(100, kNoWait));
    if (batch->records().empty()) return fail(Code::kNotFound, "nothing to carry");
    WEIR_TRY(to.begin());
    std::vector<PartitionOffset> offsets;
    for (const Record& record : batch->records()) {
      OutRecord out;
      out.topic = "out";
      out.value = record.value;
      WEIR_TRY(to.send(out));
      offsets.push_back({record.partition, record.offset + 1});
    }
    return to.commit("in", offsets, batch->group().get());
  }
  std::vector<std::string> out() const {
    std::vector<std::string> values;
    for (const auto& record : broker.records("out")) values.push_back(record.value);
    return values;
  }

  SimulatedClock clock;
  MemoryBroker broker{clock};
  NotingListener listener;
};

TEST_F(MemoryBrokerFaults, each_commit_fault_does_what_its_name_says) {
  const auto in = *broker.open_source("in", "g", "m", listener);
  const struct {
    CommitFault fault;
    Code code;
    bool happened;
  } cases[] = {{CommitFault::kAborted, Code::kUnavailable, false},
               {CommitFault::kUnknownNotHappened, Code::kUnknownOutcome, false},
               {CommitFault::kFenced, Code::kFenced, false},
               {CommitFault::kRefused, Code::kInvalidArgument, false},
               {CommitFault::kUnknownButHappened, Code::kUnknownOutcome, true}};
  for (const auto& expected : cases) {
    broker.fail_commit(1, expected.fault);
    const auto sink = *broker.open_sink("id", kNoWait);
    const Status committed = carry(*in, *sink);
    ASSERT_FALSE(committed);
    EXPECT_EQ(committed.error().code(), expected.code);
    EXPECT_EQ(out().size(), expected.happened ? 1U : 0U);
    EXPECT_EQ(broker.committed("g", "in").size(), expected.happened ? 1U : 0U);
    EXPECT_FALSE(sink->begin()) << "spent";
    EXPECT_TRUE(in->rewind_to_committed());
  }
  EXPECT_EQ(broker.open_transactions(), 0);
}

TEST_F(MemoryBrokerFaults, the_nth_commit_of_one_id_fails_and_no_other) {
  broker.fail_commit(2, CommitFault::kAborted, "chosen");
  const auto chosen = *broker.open_sink("chosen", kNoWait);
  const auto other = *broker.open_sink("other", kNoWait);
  const auto commit = [](TransactionalSink& sink) {
    EXPECT_TRUE(sink.begin());
    return sink.commit("", {}, nullptr).has_value();
  };
  EXPECT_TRUE(commit(*other));
  EXPECT_TRUE(commit(*chosen));
  EXPECT_TRUE(commit(*other));
  EXPECT_FALSE(commit(*chosen));
}

TEST_F(MemoryBrokerFaults, a_member_that_is_thrown_out_cannot_commit_and_joins_again) {
  const auto in = *broker.open_source("in", "g", "m", listener);
  const auto batch = *in->poll(10, kNoWait);
  ASSERT_EQ(batch->records().size(), 1U);
  broker.expire_member("m");
  const auto sink = *broker.open_sink("id", kNoWait);
  ASSERT_TRUE(sink->begin());
  const PartitionOffset offset{0, 1};
  EXPECT_EQ(sink->commit("in", {&offset, 1}, batch->group().get()).error().code(),
            Code::kUnavailable);
  const auto again = *in->poll(10, kNoWait);
  EXPECT_EQ(listener.lost, 1);
  EXPECT_EQ(listener.assigned, 2);
  EXPECT_EQ(again->records().size(), 1U);
}

TEST_F(MemoryBrokerFaults, a_crashed_instance_is_dead_and_is_waited_for) {
  auto process = broker.instance();
  const auto in = *process->open_source("in", "g", "m", listener);
  const auto sink = *process->open_sink("id", kNoWait);
  ASSERT_EQ((*in->poll(10, kNoWait))->records().size(), 1U);
  ASSERT_TRUE(sink->begin());
  OutRecord record;
  record.topic = "out";
  record.value = "half";
  ASSERT_TRUE(sink->send(record));
  process->crash();
  EXPECT_EQ(in->poll(10, kNoWait).error().code(), Code::kCancelled);
  EXPECT_EQ(sink->commit("", {}, nullptr).error().code(), Code::kCancelled);
  EXPECT_EQ(broker.open_transactions(), 1);

  NotingListener heard;
  const auto successor = *broker.open_source("in", "g", "successor", heard);
  EXPECT_THAT((*successor->poll(10, kNoWait))->records(), IsEmpty());
  EXPECT_EQ(heard.assigned, 0);
  clock.advance(Millis(10001));
  EXPECT_EQ((*successor->poll(10, kNoWait))->records().size(), 1U);
  EXPECT_THAT(heard.held, ElementsAre(0, 1));
  EXPECT_EQ(listener.revoked + listener.lost, 0);
  clock.advance(Millis(60000));
  EXPECT_EQ(broker.open_transactions(), 0);
}

TEST_F(MemoryBrokerFaults,
       offsets_that_were_sent_are_waited_for_until_their_transaction_has_ended) {
  auto process = broker.instance();
  {
    const auto in = *process->open_source("in", "g", "m", listener);
    const auto sink = *process->open_sink("id", kNoWait);
    broker.fail_commit(1, CommitFault::kOffsetsSent);
    EXPECT_EQ(carry(*in, *sink).error().code(), Code::kUnknownOutcome);
    process->crash();
  }
  clock.advance(Millis(10001));  // its session is over, its transaction is not
  NotingListener heard;
  const auto successor = *broker.open_source("in", "g", "successor", heard);
  EXPECT_THAT((*successor->poll(10, kNoWait))->records(), IsEmpty());
  EXPECT_THAT(successor->assignment(), ElementsAre(1)) << "nothing is in doubt there";
  EXPECT_EQ(broker.open_transactions(), 1);
  ASSERT_TRUE(broker.fence("id", kNoWait));
  EXPECT_EQ((*successor->poll(10, kNoWait))->records().size(), 1U);
  EXPECT_THAT(successor->assignment(), ElementsAre(0, 1));
  EXPECT_THAT(out(), IsEmpty());
}

TEST_F(MemoryBrokerFaults, a_crashed_member_that_comes_back_under_its_name_is_not_waited_for) {
  auto process = broker.instance();
  const auto in = *process->open_source("in", "g", "m", listener);
  ASSERT_TRUE(in->poll(10, kNoWait));
  process->crash();
  NotingListener heard;
  const auto again = *broker.open_source("in", "g", "m", heard);
  EXPECT_EQ((*again->poll(10, kNoWait))->records().size(), 1U);
  EXPECT_THAT(heard.held, ElementsAre(0, 1));
  EXPECT_THAT(broker.members("g"), ElementsAre("m"));
}

TEST_F(MemoryBrokerFaults, a_member_that_stops_polling_is_thrown_out) {
  broker.set_timeouts(Millis(10000), Millis(60000), Millis(60000));
  const auto in = *broker.open_source("in", "g", "m", listener);
  ASSERT_TRUE(in->poll(10, kNoWait));
  clock.advance(Millis(60001));
  EXPECT_THAT(broker.members("g"), IsEmpty());
  ASSERT_TRUE(in->poll(10, kNoWait));
  EXPECT_EQ(listener.lost, 1);
}

TEST_F(MemoryBrokerFaults, away_denied_and_forgotten) {
  const auto in = *broker.open_source("in", "g", "m", listener);
  broker.set_away_until(clock.steady() + Millis(1000));
  EXPECT_EQ(in->poll(10, kNoWait).error().code(), Code::kUnavailable);
  EXPECT_EQ(broker.open_sink("id", kNoWait).error().code(), Code::kUnavailable);
  clock.advance(Millis(1000));
  EXPECT_TRUE(in->poll(10, kNoWait));
  broker.set_denied("in", true);
  EXPECT_EQ(in->poll(10, kNoWait).error().code(), Code::kPermissionDenied);
  broker.set_denied("in", false);
  const auto sink = *broker.open_sink("id", kNoWait);
  ASSERT_TRUE(in->rewind_to_committed());
  ASSERT_TRUE(carry(*in, *sink));
  EXPECT_THAT(broker.committed("g", "in"), ElementsAre(Pair(0, 1)));
  broker.forget_committed("g", "in");
  EXPECT_THAT(broker.committed("g", "in"), IsEmpty());
}

TEST_F(MemoryBrokerFaults, sends_are_refused_as_often_as_asked) {
  broker.fail_sends(1, Code::kInvalidArgument);
  const auto sink = *broker.open_sink("id", kNoWait);
  ASSERT_TRUE(sink->begin());
  OutRecord record;
  record.topic = "out";
  record.value = "v";
  EXPECT_EQ(sink->send(record).error().code(), Code::kInvalidArgument);
  EXPECT_TRUE(sink->send(record));
  EXPECT_TRUE(sink->commit("", {}, nullptr));
  EXPECT_THAT(out(), ElementsAre("v"));
}

// Several scorers carry records over while members are thrown out and commits fail: each record
// arrives once.
TEST(MemoryBrokerThreads, carry_each_record_over_once_whatever_happens) {
  MemoryBroker broker;
  ASSERT_TRUE(broker.ensure_topics({{"in", 4, false}, {"out", 2, false}}, Millis(0)));
  constexpr int kRecords = 400;
  for (int i = 0; i < kRecords; ++i) broker.produce("in", std::to_string(i), std::to_string(i));
  std::atomic<bool> done{false};
  const auto carry = [&](const std::string& name) {
    NotingListener listener;
    const auto in = *broker.open_source("in", "g", name, listener);
    auto sink = *broker.open_sink(name, Millis(0));
    while (!done) {
      const auto batch = in->poll(7, Millis(5));
      if (!batch || (*batch)->records().empty()) continue;
      std::vector<PartitionOffset> offsets;
      Status status = sink->begin();
      for (const Record& record : (*batch)->records()) {
        OutRecord out;
        out.topic = "out";
        out.key = record.key;
        out.value = record.value;
        if (status) status = sink->send(out);
        offsets.push_back({record.partition, record.offset + 1});
      }
      if (status) status = sink->commit("in", offsets, (*batch)->group().get());
      if (status) continue;
      sink = *broker.open_sink(name, Millis(0));
      ASSERT_TRUE(in->rewind_to_committed());
    }
    in->close();
  };
  std::vector<std::thread> threads;
  for (const char* name : {"one", "two", "three"}) threads.emplace_back(carry, name);
  const CommitFault faults[] = {CommitFault::kAborted, CommitFault::kUnknownButHappened,
                                CommitFault::kUnknownNotHappened, CommitFault::kFenced};
  int round = 0;
  const auto deadline = std::chrono::steady_clock::now() + Millis(30000);
  while (broker.records("out").size() < kRecords && std::chrono::steady_clock::now() < deadline) {
    broker.fail_commit(1 + round % 3, faults[round % 4]);
    if (round % 5 == 0) broker.expire_member(round % 2 ? "one" : "two");
    ++round;
    std::this_thread::yield();
  }
  done = true;
  for (auto& thread : threads) thread.join();
  std::multiset<std::string> seen;
  for (const auto& record : broker.records("out")) seen.insert(record.value);
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kRecords));
  for (int i = 0; i < kRecords; ++i) EXPECT_EQ(seen.count(std::to_string(i)), 1U) << i;
}

TEST(Murmur2, agrees_with_the_values_of_the_java_client) {
  // From the unit test of org.apache.kafka.common.utils.Utils.murmur2.
  EXPECT_EQ(static_cast<std::int32_t>(murmur2("21")), -973932308);
  EXPECT_EQ(static_cast<std::int32_t>(murmur2("foobar")), -790332482);
  EXPECT_EQ(static_cast<std::int32_t>(murmur2("a-little-bit-long-string")), -985981536);
  EXPECT_EQ(static_cast<std::int32_t>(murmur2("abc")), 479470107);
}

}  // namespace
}  // namespace weir::stream
