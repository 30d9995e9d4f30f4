// Members that go, die and come back, and those that they leave behind.
#include <gmock/gmock.h>

#include "base/crash_point.h"
#include "stream/contract_harness_internal.h"

namespace weir::stream {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ConsumerGroupContract : public BrokerContract {};
WEIR_BROKER_CONTRACT(ConsumerGroupContract);

TEST_P(ConsumerGroupContract,
       one_that_comes_back_under_its_name_holds_nobody_up_and_shuts_out_its_past) {
  const std::string topic = make_topic("in", 4);
  const std::string group = harness_->fresh("group");
  for (std::int32_t partition = 0; partition < 4; ++partition) write(topic, {"a"}, partition);
  const auto out = sink(harness_->fresh("id"));
  NotingListener past_heard;
  NotingListener other_heard;
  NotingListener next_heard;
  const auto past = source(topic, group, "one", past_heard);
  const auto other = source(topic, group, "other", other_heard);
  ASSERT_TRUE(poll_until({past.get(), other.get()}, [&] {
    return past_heard.held.size() == 2 && other_heard.held.size() == 2;
  }));
  WEIR_ASSERT_OK(past->rewind_to_committed());
  const auto in_hand = take_one(*past);
  ASSERT_TRUE(in_hand);
  const std::vector<std::int32_t> was_held = past_heard.held;
  const int revoked = other_heard.revoked;
  const int assigned = other_heard.assigned;
  // Nobody polls the first any more, as if it were dead.
  const auto start = std::chrono::steady_clock::now();
  const auto next = source(topic, group, "one", next_heard);
  next->set_paused(true);
  ASSERT_TRUE(poll_until({next.get(), other.get()}, [&] { return next_heard.assigned == 1; }));
  EXPECT_LT(std::chrono::steady_clock::now() - start, Millis(4000)) << "a session is longer";
  EXPECT_EQ(next_heard.held, was_held);
  EXPECT_EQ(other_heard.revoked + other_heard.lost, revoked);
  EXPECT_EQ(other_heard.assigned, assigned);
  next->set_paused(false);
  EXPECT_EQ(take(*next, 2).size(), 2U);
  // What the first still has in hand is of the same generation, and refused all the same.
  const Status refused = commit(*out, topic, *in_hand);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kFenced) << refused.error().message();
  EXPECT_EQ(harness_->committed(group, topic, in_hand->records()[0].partition), -1);
  const auto deadline = std::chrono::steady_clock::now() + Millis(15000);
  auto polled = past->poll(10, Millis(100));
  while (polled && std::chrono::steady_clock::now() < deadline) {
    polled = past->poll(10, Millis(100));  // it has not heard of it yet
  }
  ASSERT_FALSE(polled);
  EXPECT_EQ(polled.error().code(), Code::kFenced) << polled.error().message();
  EXPECT_EQ(past->poll(10, Millis(0)).error().code(), Code::kFenced) << "for good";
  past->close();  // which puts nobody out
  EXPECT_TRUE(poll_until({next.get(), other.get()}, [&] { return next->at_end(); }));
  EXPECT_EQ(next_heard.revoked + next_heard.lost, 0);
}

TEST_P(ConsumerGroupContract, one_that_goes_is_not_waited_for) {
  const std::string topic = make_topic("in", 2);
  const std::string group = harness_->fresh("group");
  NotingListener stays_heard;
  const auto stays = source(topic, group, "stays", stays_heard);
  const auto leaves_behind = [&](const std::function<void(std::unique_ptr<RecordSource>)>& go) {
    NotingListener goes_heard;
    auto goes = source(topic, group, "goes", goes_heard);
    ASSERT_TRUE(poll_until({stays.get(), goes.get()}, [&] {
      return stays_heard.held.size() == 1 && goes_heard.held.size() == 1;
    }));
    const auto start = std::chrono::steady_clock::now();
    go(std::move(goes));
    ASSERT_TRUE(poll_until({stays.get()}, [&] { return stays_heard.held.size() == 2; }));
    EXPECT_LT(std::chrono::steady_clock::now() - start, Millis(4000)) << "a session is longer";
  };
  leaves_behind([](std::unique_ptr<RecordSource> goes) { goes->close(); });
  leaves_behind([](std::unique_ptr<RecordSource> goes) { goes.reset(); });
}

TEST_P(ConsumerGroupContract, offsets_of_a_dead_one_are_waited_for_and_a_fence_sets_them_free) {
  const std::string topic = make_topic("in");
  const std::string group = harness_->fresh("group");
  const std::string id = harness_->fresh("id");
  write(topic, {"a"});
  const auto out = sink(id);
  NotingListener dead_heard;
  auto dead = source(topic, group, "dead", dead_heard);
  const auto batch = take_one(*dead);
  ASSERT_TRUE(batch);
  harness_->crash_once_offsets_are_sent();
  try {
    EXPECT_FALSE(commit(*out, topic, *batch));
  } catch (const SimulatedCrash&) {  // the transaction is as it was
  }
  dead->close();  // so that the group does not wait for it as well
  NotingListener heard;
  const auto in = source(topic, group, "m", heard);
  const auto deadline = std::chrono::steady_clock::now() + Millis(15000);
  auto polled = in->poll(10, Millis(100));
  while (polled && std::chrono::steady_clock::now() < deadline) polled = in->poll(10, Millis(100));
  ASSERT_FALSE(polled);
  EXPECT_TRUE(polled.error().retryable()) << polled.error().message();
  EXPECT_EQ(heard.assigned, 0);
  WEIR_ASSERT_OK(broker().fence(id, Millis(15000)));
  EXPECT_THAT(take(*in, 1), ElementsAre("a"));
}

TEST_P(ConsumerGroupContract, partitions_whose_offsets_are_known_do_not_wait_for_the_others) {
  const std::string topic = make_topic("in", 2);
  const std::string group = harness_->fresh("group");
  const std::string id = harness_->fresh("id");
  write(topic, {"a"}, 0);
  write(topic, {"done"}, 1);
  const auto out = sink(id);
  NotingListener dead_heard;
  auto dead = source(topic, group, "dead", dead_heard);
  std::unique_ptr<RecordBatch> in_hand;
  for (int i = 0; i < 2; ++i) {
    auto batch = take_one(*dead);
    ASSERT_TRUE(batch);
    if (batch->records()[0].partition == 0) in_hand = std::move(batch);
    else WEIR_ASSERT_OK(commit(*out, topic, *batch));
  }
  ASSERT_TRUE(in_hand);
  harness_->crash_once_offsets_are_sent();
  try {
    EXPECT_FALSE(commit(*out, topic, *in_hand));
  } catch (const SimulatedCrash&) {  // the transaction is as it was
  }
  dead->close();
  write(topic, {"b"}, 1);
  NotingListener heard;
  const auto in = source(topic, group, "m", heard);
  std::vector<std::string> values;
  const auto deadline = std::chrono::steady_clock::now() + Millis(8000);
  while (values.empty() && std::chrono::steady_clock::now() < deadline) {
    const auto polled = in->poll(10, Millis(100));  // may say meanwhile that it waits
    if (!polled) continue;
    for (const Record& record : (*polled)->records()) values.emplace_back(record.value);
  }
  EXPECT_THAT(values, ElementsAre("b"));
  EXPECT_THAT(in->assignment(), ElementsAre(1));
  EXPECT_FALSE(in->at_end());
  EXPECT_THAT(take(*in, 1, Millis(2500)), IsEmpty());
  EXPECT_FALSE(in->at_end()) << "a partition of ours has not been looked into";
  WEIR_ASSERT_OK(in->rewind_to_committed());
  EXPECT_THAT(take(*in, 1), ElementsAre("b"));
  WEIR_ASSERT_OK(broker().fence(id, Millis(15000)));
  EXPECT_THAT(take(*in, 1), ElementsAre("a"));
  EXPECT_EQ(heard.assigned, 2);
  EXPECT_EQ(heard.revoked + heard.lost, 0);
  EXPECT_TRUE(poll_until({in.get()}, [&] { return in->at_end(); }));
}

}  // namespace
}  // namespace weir::stream
