#include "gate/members.h"

#include <gtest/gtest.h>

#include "base/log.h"
#include "base/simulated_clock.h"
#include "base/skewed_clock.h"
#include "stream/memory_broker.h"

namespace weir::gate {
namespace {

using record::MemberRecord;
using record::MemberType;

constexpr Millis kTimeout{1000};
constexpr const char* kTopic = "p.members";

class Members : public ::testing::Test {
 protected:
  Members() {
    log::configure({log::Level::kOff, log::Shape::kText, false});
    EXPECT_TRUE(broker.ensure_topics({{kTopic, 1, false}}, kTimeout));
    table = open_table();
  }
  ~Members() override { log::configure({}); }

  std::unique_ptr<MemberTable> open_table() {
    auto made = MemberTable::open(broker, kTopic, clock);
    EXPECT_TRUE(made);
    EXPECT_TRUE((*made)->refresh(kTimeout));
    return std::move(*made);
  }
  std::unique_ptr<Membership> join(const std::string& name, bool transactional = true) {
    MemberRecord self;
    self.member = name;
    self.role = transactional ? "scorer" : "producer";
    if (transactional) self.transactional_id = "p." + name;
    auto made = Membership::open(broker, kTopic, self, clock);
    EXPECT_TRUE(made);
    return std::move(*made);
  }
  std::vector<std::string> not_halted(std::uint64_t epoch) {
    EXPECT_TRUE(table->refresh(kTimeout));
    std::vector<std::string> names;
    for (const auto& member : table->not_halted(epoch)) {
      names.push_back(member.latest.member + (member.silent ? " (silent)" : ""));
    }
    return names;
  }
  using Names = std::vector<std::string>;

  SimulatedClock clock;
  stream::MemoryBroker broker{clock};
  std::unique_ptr<MemberTable> table;
};

TEST_F(Members, that_are_trainers_are_shown_and_never_waited_for) {
  MemberRecord self;
  self.type = MemberType::kTrainer;
  self.member = "host:1";
  self.role = "trainer";
  auto trainer = Membership::open(broker, kTopic, self, clock);
  ASSERT_TRUE(trainer);
  const auto a = join("a");
  EXPECT_EQ(not_halted(4), (Names{"a"}));
  clock.advance(record::kMemberHeartbeat);
  ASSERT_TRUE((*trainer)->heartbeat([] {
    record::MemberProgress progress;
    progress.waiting_for = "no data set";
    return progress;
  }));
  EXPECT_EQ(not_halted(4), (Names{"a"}));
  ASSERT_EQ(table->all().size(), 2U);
  EXPECT_EQ(table->all()[1].latest.role, "trainer");
  EXPECT_EQ(table->all()[1].latest.progress.waiting_for, "no data set");
  (*trainer)->leave();
  EXPECT_EQ(not_halted(4), (Names{"a"}));
  EXPECT_EQ(table->all().size(), 1U);
}

TEST_F(Members, are_waited_for_until_each_has_halted_in_this_epoch) {
  const auto a = join("a");
  const auto b = join("b");
  EXPECT_EQ(not_halted(4), (Names{"a", "b"}));
  ASSERT_TRUE(a->acknowledge_halt(3));
  EXPECT_EQ(not_halted(4), (Names{"a", "b"})) << "that was another epoch";
  ASSERT_TRUE(a->acknowledge_halt(4));
  EXPECT_EQ(not_halted(4), (Names{"b"}));
  ASSERT_TRUE(b->acknowledge_halt(4));
  EXPECT_EQ(not_halted(4), Names{});
  EXPECT_EQ(table->live_count(), 2u);
}

TEST_F(Members, that_leave_are_not_waited_for) {
  const auto a = join("a");
  a->leave();
  EXPECT_EQ(not_halted(1), Names{});
}

TEST_F(Members, say_the_same_halt_once_and_again_with_each_heartbeat) {
  const auto a = join("a");
  ASSERT_TRUE(a->acknowledge_halt(4));
  ASSERT_TRUE(a->acknowledge_halt(4));
  EXPECT_EQ(broker.records(kTopic).size(), 2u);
  clock.advance(record::kMemberHeartbeat);
  ASSERT_TRUE(a->heartbeat([] { return record::MemberProgress{}; }));
  ASSERT_TRUE(a->heartbeat([] { return record::MemberProgress{}; }));
  EXPECT_EQ(broker.records(kTopic).size(), 3u);
  EXPECT_EQ(MemberRecord::parse(broker.records(kTopic).back().value)->type, MemberType::kHalted);
  a->gate_opened();
  clock.advance(record::kMemberHeartbeat);
  ASSERT_TRUE(a->heartbeat([] { return record::MemberProgress{}; }));
  EXPECT_EQ(MemberRecord::parse(broker.records(kTopic).back().value)->type, MemberType::kAlive);
}

TEST_F(Members, are_heard_by_a_leader_that_comes_later) {
  const auto a = join("a");
  const auto b = join("b");
  ASSERT_TRUE(b->acknowledge_halt(2));
  table = open_table();
  EXPECT_EQ(not_halted(2), (Names{"a"}));
}

// A scorer held up for longer than the silence may wake with a transaction open. To forget it would
// let it commit an old epoch after the resume; it must be fenced like any other.
TEST_F(Members, that_fall_silent_are_still_to_be_fenced) {
  const auto scorer = join("scorer");
  const auto producer = join("producer", false);
  ASSERT_TRUE(table->refresh(kTimeout));
  clock.advance(record::kMemberSilence + Millis{1});
  EXPECT_EQ(not_halted(1), (Names{"scorer (silent)"})) << "a producer has nothing to fence";
  EXPECT_EQ(table->live_count(), 0u);
  clock.advance(Millis{1});
  ASSERT_TRUE(scorer->heartbeat([] { return record::MemberProgress{}; }));
  EXPECT_EQ(not_halted(1), (Names{"scorer"})) << "it is back";
}

TEST_F(Members, that_fell_silent_before_are_found_by_a_new_leader) {
  const auto scorer = join("scorer");
  clock.advance(3 * record::kMemberSilence);
  const auto other = join("other");
  table = open_table();
  EXPECT_EQ(not_halted(1), (Names{"other", "scorer (silent)"}));
}

TEST_F(Members, are_forgotten_once_kafka_has_long_put_them_out) {
  const auto scorer = join("scorer");
  ASSERT_TRUE(table->refresh(kTimeout));
  clock.advance(record::kMemberForgotten + Millis{1});
  EXPECT_EQ(not_halted(1), Names{});
}

TEST_F(Members, that_were_fenced_are_not_waited_for_until_they_speak_again) {
  const auto a = join("a");
  ASSERT_TRUE(table->refresh(kTimeout));
  table->remove("a");
  EXPECT_EQ(not_halted(1), Names{});
  const auto again = join("a");
  EXPECT_EQ(not_halted(1), (Names{"a"}));
}

TEST_F(Members, ask_and_are_answered_in_their_order) {
  for (const std::uint64_t version : {3, 2}) {
    MemberRecord ask;
    ask.type = MemberType::kAskRollback;
    ask.member = "ann";
    ask.version = version;
    broker.produce(kTopic, std::nullopt, ask.to_json());
  }
  ASSERT_TRUE(table->refresh(kTimeout));
  EXPECT_EQ(table->take_request()->record.version, 3u);
  EXPECT_EQ(table->take_request()->record.version, 2u);
  EXPECT_FALSE(table->take_request());
  EXPECT_EQ(table->live_count(), 0u) << "who asks is no member";
}

TEST_F(Members, that_were_answered_are_not_heard_again_by_a_new_leader) {
  MemberRecord ask;
  ask.type = MemberType::kAskTrain;
  ask.member = "ann";
  for (const char* id : {"ann:1", "ann:2"}) {
    ask.request = id;
    broker.produce(kTopic, std::nullopt, ask.to_json());
  }
  MemberRecord answer;
  answer.type = MemberType::kAnswer;
  answer.member = "trainer";
  answer.request = "ann:1";
  broker.produce(kTopic, std::nullopt, answer.to_json());
  ASSERT_TRUE(table->refresh(kTimeout));
  EXPECT_EQ(table->take_request()->record.request, "ann:2");
  EXPECT_FALSE(table->take_request());
}

TEST_F(Members, know_how_old_a_request_is_whatever_the_clocks_show) {
  MemberRecord ask;
  ask.type = MemberType::kAskTrain;
  ask.member = "ann";
  ask.request = "ann:1";
  SkewedClock ahead(clock, Millis{3'500'000});
  auto opened = MemberTable::open(broker, kTopic, ahead);
  ASSERT_TRUE(opened && (*opened)->refresh(kTimeout));
  clock.advance(Millis{400});
  broker.produce(kTopic, std::nullopt, ask.to_json());
  clock.advance(Millis{100});
  ASSERT_TRUE((*opened)->refresh(kTimeout));
  EXPECT_EQ(clock.steady() - (*opened)->take_request()->asked, Millis{500})
      << "not older than the last look";
  clock.advance(Millis{60'000});
  ASSERT_TRUE(table->refresh(kTimeout));
  EXPECT_EQ(clock.steady() - table->take_request()->asked, Millis{60'100}) << "the first look";
}

TEST_F(Members, topic_full_of_garbage_changes_nothing_and_is_bounded) {
  const auto a = join("a");
  for (int i = 0; i < 300; ++i) {
    broker.produce(kTopic, std::nullopt,
                   i % 2 == 0 ? "garbage" : R"({"type":"ask_train","member":"x"})");
  }
  EXPECT_EQ(not_halted(1), (Names{"a"}));
  int requests = 0;
  while (table->take_request()) ++requests;
  EXPECT_EQ(requests, 100);
}

TEST_F(Members, cannot_acknowledge_a_halt_that_nobody_can_hear) {
  const auto a = join("a");
  broker.set_away_until(clock.steady() + Millis{5000});
  EXPECT_FALSE(a->acknowledge_halt(1));
  clock.advance(Millis{5000});
  ASSERT_TRUE(a->acknowledge_halt(1)) << "said again, as it was not heard";
  EXPECT_EQ(not_halted(1), Names{});
}

// A member that is overlooked could commit behind the halt that everybody else has kept.
TEST_F(Members, are_not_overlooked_by_a_trainer_whose_clock_is_wrong) {
  const auto member = join("scorer-1");
  for (const Millis skew : {Millis{3'500'000}, Millis{-3'500'000}}) {
    SkewedClock wrong(clock, skew);
    auto opened = MemberTable::open(broker, kTopic, wrong);
    ASSERT_TRUE(opened);
    for (const Millis later : {Millis{0}, Millis{60'000}}) {
      clock.advance(later);
      ASSERT_TRUE((*opened)->refresh(kTimeout));
      const auto waited_for = (*opened)->not_halted(1);
      ASSERT_EQ(waited_for.size(), 1u) << skew.count();
      EXPECT_EQ(waited_for[0].latest.transactional_id, "p.scorer-1");
    }
    // Once it speaks it is live, whatever the clocks say.
    clock.advance(record::kMemberHeartbeat);
    ASSERT_TRUE(member->heartbeat([] { return record::MemberProgress{}; }));
    ASSERT_TRUE((*opened)->refresh(kTimeout));
    EXPECT_FALSE((*opened)->not_halted(1).at(0).silent);
  }
}

}  // namespace
}  // namespace weir::gate
