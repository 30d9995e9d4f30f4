// When a scorer commits, one story at a time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulation/checker.h"

namespace weir::simulation {
namespace {

using ::testing::IsEmpty;

constexpr Millis kInterval{5'000};  // long beside the steps of the simulation

class Commits : public ::testing::Test {
 protected:
  // A scorer with a model, and nothing to do for as long as an interval.
  Commits() : world({.scorers = 1, .produced = 0, .commit_interval = kInterval}) {
    EXPECT_TRUE(world.drop("a.csv", DatasetKind::kGood));
    EXPECT_TRUE(world.settle());
    world.run(kInterval);
  }
  void feed(int records) {
    for (int i = 0; i < records; ++i) world.feed(FeatureKind::kFlat);
  }
  std::size_t answered() const { return world.broker.records(world.topics.predictions).size(); }
  Millis time_to_answer() {
    const SteadyTime fed = world.clock.steady();
    const std::size_t before = answered();
    feed(1);
    EXPECT_TRUE(world.run_until([&] { return answered() > before; }));
    return std::chrono::duration_cast<Millis>(world.clock.steady() - fed);
  }
  void expect_good_end() {
    EXPECT_TRUE(world.settle());
    EXPECT_THAT(check_settled(world), IsEmpty());
  }

  World world;
};

TEST_F(Commits, come_at_once_after_a_rest_and_then_an_interval_apart) {
  for (int i = 0; i < 3; ++i) {
    const Millis at_once = time_to_answer();
    EXPECT_LT(at_once, Millis(1'000));
    const Millis gathered = time_to_answer();
    EXPECT_GT(at_once + gathered, kInterval);
    EXPECT_LT(at_once + gathered, kInterval + Millis(1'000));
    world.run(kInterval);
  }
  expect_good_end();
}

TEST_F(Commits, hold_all_that_is_there) {
  const std::int64_t before = world.broker.commits();
  feed(200);  // some thirty batches
  EXPECT_TRUE(world.run_until([&] { return answered() == 200; }, kInterval));
  EXPECT_EQ(world.broker.commits() - before, 1);
  expect_good_end();
}

TEST_F(Commits, come_after_an_interval_though_there_is_always_more) {
  const std::int64_t before = world.broker.commits();
  const SteadyTime begun = world.clock.steady();
  feed(5'000);
  EXPECT_TRUE(world.run_until([&] { return world.broker.commits() > before; },
                              kInterval + Millis(1'000)));
  EXPECT_GT(world.clock.steady() - begun, kInterval - Millis(1'000));
  expect_good_end();
}

}  // namespace
}  // namespace weir::simulation
