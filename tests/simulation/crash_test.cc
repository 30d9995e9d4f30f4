// A trainer or a scorer dies at each named place, and at each of its calls to the outside; another
// life goes on, and no promise is broken.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "simulation/checker.h"

namespace weir::simulation {
namespace {

using ::testing::IsEmpty;

std::string as_name(const ::testing::TestParamInfo<const char*>& place) {
  std::string name = place.param;
  std::replace(name.begin(), name.end(), '-', '_');
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

// A pipeline with one model in force and some records scored.
class Running {
 public:
  explicit Running(std::uint64_t seed = 1) : world({.seed = seed}) {
    EXPECT_TRUE(world.drop("a.csv", DatasetKind::kGood));
    EXPECT_TRUE(world.run_until([&] { return world.control().version == 1; }));
    feed(20);
  }
  void feed(int records) {
    for (int i = 0; i < records; ++i) {
      world.feed(i % 5 == 4 ? FeatureKind::kGarbage : FeatureKind::kFlat);
    }
  }
  World world;
};

class TrainerCrash : public ::testing::TestWithParam<const char*> {};

TEST_P(TrainerCrash, is_finished_by_the_next_life) {
  Running running;
  World& world = running.world;
  world.trainer().crash_at = GetParam();
  const Drop* const second = world.drop("b.csv", DatasetKind::kGood);
  ASSERT_TRUE(world.run_until([&] { return world.trainer().crashes == 1; })) << GetParam();
  running.feed(20);
  ASSERT_TRUE(world.settle());
  EXPECT_THAT(check_settled(world), IsEmpty());
  EXPECT_EQ(world.models_trained_on(*second), 1u);
  EXPECT_EQ(world.control().version, 2u);
  EXPECT_TRUE(world.control().gate_open());
  EXPECT_THAT(world.files_in("/dataset/used"), ::testing::ElementsAre("a.1.csv", "b.2.csv"));
}

class TrainerCrashOverBadData : public ::testing::TestWithParam<const char*> {};

TEST_P(TrainerCrashOverBadData, is_finished_by_the_next_life) {
  Running running;
  World& world = running.world;
  world.trainer().crash_at = GetParam();
  ASSERT_TRUE(world.drop("b.csv", DatasetKind::kManyBad));
  ASSERT_TRUE(world.run_until([&] { return world.trainer().crashes == 1; })) << GetParam();
  ASSERT_TRUE(world.settle());
  EXPECT_THAT(check_settled(world), IsEmpty());
  EXPECT_EQ(world.control().version, 1u);
  EXPECT_EQ(world.control().last_resume->outcome, record::Outcome::kRefused);
  EXPECT_THAT(world.files_in("/dataset/rejected"),
              ::testing::ElementsAre("b.2.csv", "b.2.csv.reason.json"));
}

INSTANTIATE_TEST_SUITE_P(at_each_place, TrainerCrash,
                         ::testing::Values("listed", "halted", "acknowledged", "trained",
                                           "temporary-written", "renamed", "resumed", "moved"),
                         as_name);
INSTANTIATE_TEST_SUITE_P(at_each_place, TrainerCrashOverBadData,
                         ::testing::Values("listed", "halted", "acknowledged", "resumed", "moved"),
                         as_name);

class ScorerCrash : public ::testing::TestWithParam<const char*> {};

TEST_P(ScorerCrash, loses_and_repeats_nothing) {
  Running running;
  World& world = running.world;
  const std::string place = GetParam();
  world.scorer(0).crash_at = place;
  world.scorer(1).crash_at = place;
  running.feed(30);
  if (place == "model-loaded") {
    ASSERT_TRUE(world.drop("b.csv", DatasetKind::kGood));
  }
  ASSERT_TRUE(world.run_until(
      [&] { return world.scorer(0).crashes == 1 && world.scorer(1).crashes == 1; }));
  running.feed(10);
  ASSERT_TRUE(world.settle());
  EXPECT_THAT(check_settled(world), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(at_each_place, ScorerCrash,
                         ::testing::Values("polled", "produced", "scored", "committed",
                                           "model-loaded", "commit", "commit answered"),
                         as_name);

// Dies at the nth call to the outside that it makes from now on, whatever that is.
void die_at_call(World& world, Actor& victim, int nth) {
  world.hook = [&world, &victim, nth, calls = 0](Actor& actor, std::string_view place) mutable {
    if (&actor != &victim || ++calls != nth) return;
    actor.crash_at = std::string(place);
    Actor& dying = actor;
    world.hook = {};  // and with it what this lambda holds
    dying.at(place);
  };
}

TEST(TrainerCrashes, at_any_call_leaves_no_epoch_open) {
  int died = 0;
  for (int nth = 1; nth <= 200; nth += nth < 60 ? 1 : 5) {
    Running running(static_cast<std::uint64_t>(nth));
    World& world = running.world;
    const Drop* const second = world.drop("b.csv", DatasetKind::kGood);
    die_at_call(world, world.trainer(), nth);
    static_cast<void>(world.run_until(
        [&] { return world.trainer().crashes == 1 || world.control().version == 2; }));
    died += world.trainer().crashes;
    ASSERT_TRUE(world.settle()) << "call " << nth;
    ASSERT_THAT(check_settled(world), IsEmpty()) << "call " << nth;
    ASSERT_EQ(world.models_trained_on(*second), 1u) << "call " << nth;
  }
  EXPECT_GT(died, 50);
}

TEST(ScorerCrashes, at_any_call_loses_and_repeats_nothing) {
  int died = 0;
  for (int nth = 1; nth <= 150; nth += nth < 50 ? 1 : 5) {
    Running running(static_cast<std::uint64_t>(nth));
    World& world = running.world;
    die_at_call(world, world.scorer(), nth);
    ASSERT_TRUE(world.drop("b.csv", DatasetKind::kGood));
    static_cast<void>(world.run_until([&] { return world.scorer().crashes == 1; }, Millis{20'000}));
    died += world.scorer().crashes;
    running.feed(10);
    ASSERT_TRUE(world.settle()) << "call " << nth;
    ASSERT_THAT(check_settled(world), IsEmpty()) << "call " << nth;
  }
  EXPECT_GT(died, 50);
}

}  // namespace
}  // namespace weir::simulation
