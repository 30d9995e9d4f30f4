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
  explicit ScorerGroup(bool halts = true) : world({.halt_while_training = halts, .produced = 0}) {
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
  const auto before = world.broker.commits();
  feed(40);
  EXPECT_TRUE(world.run_until(
      [&] { return world.broker.commits() > before && world.broker.open_transactions() == 1; },
      kSoon));
  EXPECT_EQ(answered(), 0U) << "it can be read once the dead one's transaction has ended";
  EXPECT_TRUE(world.run_until([&] { return answered() == fed; }, kSession + kSoon));
  EXPECT_TRUE(world.settle());
  EXPECT_THAT(check_settled(world), IsEmpty());
}

class ScorerGroupWithoutHalts : public ScorerGroup {
 protected:
  ScorerGroupWithoutHalts() : ScorerGroup(false) {}
};

// Partitions may come while others flow, and so while a transaction is open. A change of model then
// ends it, and where that fails the source goes back: what the poll gave before lies ahead once
// more.
TEST_F(ScorerGroupWithoutHalts, scores_no_batch_that_was_polled_before_it_went_back) {
  Actor& dead = world.scorer();
  Actor& survivor = world.scorer(1);
  kill_at(dead, "offsets-sent");
  dead.wanted = false;
  int changes = 0;
  std::string_view last_place;
  world.hook = [&](Actor& actor, std::string_view place) {
    if (&actor != &survivor) return;
    if (place == "poll") feed(3);
    // It reads to the end when partitions came, and when it has opened its sink again.
    const bool came = place == "read to end" && last_place != "open sink answered";
    last_place = place;
    if (!came || changes == 2) return;
    const std::uint64_t before = world.control().epoch;
    world.drop("bad" + std::to_string(++changes) + ".csv", DatasetKind::kNoTarget);
    world.run_others(Millis{9'000},
                     [&] { return world.control().epoch > before && !world.control().begun; });
    survivor.commit_faults = {stream::CommitFault::kAborted};
  };
  EXPECT_TRUE(world.run_until([&] { return changes == 2; }, Millis{100'000}));
  world.hook = {};
  EXPECT_TRUE(world.settle());
  EXPECT_THAT(check_settled(world), IsEmpty());
}

// Most have no partition, and yet each has to acknowledge the halt.
TEST(LargeGroup, of_sixty_scorers_halts_and_resumes_as_one) {
  World world({.scorers = 60, .produced = 200});
  for (const char* name : {"a.csv", "b.csv"}) {
    ASSERT_TRUE(world.drop(name, DatasetKind::kGood));
    ASSERT_TRUE(world.settle());
  }
  for (const Actor* scorer : world.of(Actor::Kind::kScorer)) {
    EXPECT_EQ(scorer->lives, 1) << scorer->name;
  }
  EXPECT_EQ(world.control().ruling_epoch, 2U);
  EXPECT_THAT(check_settled(world), IsEmpty());
}

}  // namespace
}  // namespace weir::simulation
