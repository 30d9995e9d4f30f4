// Scorers that die and those that they leave behind, one story at a time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulation/checker.h"

namespace weir::simulation {
namespace {

using ::testing::IsEmpty;

constexpr Millis kSession{10'000};
constexpr Millis kSoon{5'000};

class ScorerGroup : public ::testing::Test {
 protected:
  // Two scorers at work, with model 1, and nothing to do.
  ScorerGroup() : world({.produced = 0}) {
    for (Actor* scorer : world.of(Actor::Kind::kScorer)) scorer->loading_time = Millis{0};
    EXPECT_TRUE(world.drop("a.csv", DatasetKind::kGood));
    EXPECT_TRUE(world.settle());
  }
  void feed(int records) {
    for (int i = 0; i < records; ++i) world.feed(FeatureKind::kFlat);
    fed += static_cast<std::size_t>(records);
  }
  std::size_t answered() const { return world.broker.records(world.topics.predictions).size(); }
  void kill_at(Actor& scorer, const char* place) {
    scorer.crash_at = place;
    feed(40);
    ASSERT_TRUE(world.run_until([&] { return scorer.crashes == 1; }, kSoon));
  }

  World world;
  std::size_t fed = 0;
};

TEST_F(ScorerGroup, does_not_wait_for_a_dead_one_that_comes_back) {
  for (const char* place : {"polled", "produced", "offsets-sent", "committed"}) {
    SCOPED_TRACE(place);
    world.scorer().crashes = 0;
    kill_at(world.scorer(), place);
    feed(40);
    EXPECT_TRUE(world.run_until([&] { return answered() == fed; }, kSoon));
  }
  EXPECT_TRUE(world.settle());
  EXPECT_THAT(check_settled(world), IsEmpty());
}

TEST_F(ScorerGroup, leaves_only_what_a_dead_one_may_yet_commit_until_its_transaction_has_ended) {
  Actor& dead = world.scorer();
  kill_at(dead, "offsets-sent");
  dead.wanted = false;
  EXPECT_FALSE(world.run_until([&] { return answered() == fed; }, kSession + kSoon))
      << "a transaction is open";
  // What is new in the other partitions does not wait for that.
  const std::size_t before = answered();
  feed(40);
  EXPECT_TRUE(world.run_until([&] { return answered() > before; }, kSoon));
  EXPECT_EQ(world.broker.open_transactions(), 1);
  EXPECT_TRUE(world.run_until([&] { return answered() == fed; }, kSession + kSoon));
  EXPECT_TRUE(world.settle());
  EXPECT_THAT(check_settled(world), IsEmpty());
}

}  // namespace
}  // namespace weir::simulation
