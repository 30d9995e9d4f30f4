#include "serve/pipeline_status.h"

#include <gtest/gtest.h>

#include "base/simulated_clock.h"
#include "stream/memory_broker.h"

namespace weir::serve {
namespace {

class PipelineWatchOnMemory : public testing::Test {
 protected:
  PipelineWatchOnMemory() {
    EXPECT_TRUE(broker_.ensure_topics({{"control", 1}, {"members", 1}, {"f", 1}}, Millis{1'000}));
  }

  // One record, and the mark of its transaction.
  void push() {
    auto sink = broker_.open_sink("pusher", Millis{1'000});
    ASSERT_TRUE(sink);
    ASSERT_TRUE((*sink)->begin());
    ASSERT_TRUE((*sink)->send({"f", 0, "id", "{}", nullptr}));
    ASSERT_TRUE((*sink)->commit({}, {}, nullptr));
  }
  void say(std::optional<std::int64_t> answered) {
    record::MemberRecord record;
    record.member = "scorer-a";
    record.role = "scorer";
    record.progress.partitions = {{0, 1, 2, std::nullopt, answered}};
    broker_.produce("members", "scorer-a", record.to_json());
  }
  std::int64_t lag() {
    auto watch = PipelineWatch::open({"control", "members", "f", "group"}, broker_, clock_);
    EXPECT_TRUE(watch);
    const auto status = (*watch)->look();
    EXPECT_TRUE(status);
    return status->lag();
  }

  SimulatedClock clock_;
  stream::MemoryBroker broker_{clock_};
};

TEST_F(PipelineWatchOnMemory, counts_no_marks_of_transactions_that_a_scorer_has_read_over) {
  push();
  EXPECT_EQ(lag(), 2) << "nobody has said what lies there";
  say(std::nullopt);  // something is under way
  EXPECT_EQ(lag(), 2);
  say(2);
  EXPECT_EQ(lag(), 0);
  push();
  EXPECT_EQ(lag(), 2);
}

TEST_F(PipelineWatchOnMemory,
       knows_who_holds_partitions_that_a_heartbeat_has_no_room_to_tell_more_of) {
  broker_.add_partitions("f", 9);
  record::MemberRecord record;
  record.member = "scorer-a";
  record.progress.partitions = {{4, 0, 0, std::nullopt}};
  record.progress.also_holds = {{0, 2}, {6, 6}, {9, 8}, {8, 2'000'000'000}, {-5, -1}};
  broker_.produce("members", "scorer-a", record.to_json());
  auto watch = PipelineWatch::open({"control", "members", "f", "group"}, broker_, clock_);
  ASSERT_TRUE(watch);
  const auto status = (*watch)->look();
  ASSERT_TRUE(status);
  std::vector<std::int32_t> held;
  for (const auto& [number, at] : status->partitions) {
    if (at.member == "scorer-a") held.push_back(number);
  }
  EXPECT_EQ(held, (std::vector<std::int32_t>{0, 1, 2, 4, 6, 8}));
  EXPECT_EQ(status->partitions.size(), 9U);
}

TEST_F(PipelineWatchOnMemory, does_not_go_by_what_a_silent_scorer_has_said) {
  push();
  say(2);
  clock_.advance(record::kMemberSilence + Millis{1'000});
  EXPECT_EQ(lag(), 2);
}

}  // namespace
}  // namespace weir::serve
