#include "train/split_merge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/simulated_clock.h"
#include "store/memory_file_store.h"
#include "train/split_state_file.h"

namespace weir::train {
namespace {

class SplitMerge : public ::testing::Test {
 protected:
  SplitMerge() {
    options.target = "y";
    options.split_bytes = 64;
    std::string csv = "x,y\n";
    for (int i = 0; i < 150; ++i)
      csv += std::to_string(i % 13) + "," + std::to_string(i % 7) + "\n";
    memory.put("/dataset/a.csv", csv);
  }

  std::vector<SplitState> states() {
    std::vector<SplitState> all;
    const auto plan = plan_splits(memory, "memory://x", *folder.open("/dataset/a.csv"), options);
    for (const auto& split : *plan) all.push_back(std::move(*read_split(memory, split)));
    return all;
  }
  // Some of the states, by their numbers.
  std::vector<SplitState> states(const std::vector<std::size_t>& numbers) {
    std::vector<SplitState> some;
    for (const std::size_t number : numbers) some.push_back(std::move(states()[number]));
    return some;
  }
  static std::string refusal(std::vector<SplitState> some,
                             Duplicates duplicates = Duplicates::kRefuse) {
    const auto merged = merge_states(std::move(some), duplicates);
    return merged ? "" : merged.error().message();
  }

  SimulatedClock clock;
  store::MemoryFileStore memory{clock};
  registry::DatasetFolder folder{memory, "/dataset", clock};
  TrainingOptions options;
};

TEST_F(SplitMerge, comes_to_the_same_bytes_in_whatever_order_and_groups_states_come) {
  std::vector<SplitState> all = states();
  ASSERT_GT(all.size(), 8U);
  const auto whole = merge_states(states(), Duplicates::kRefuse);
  ASSERT_TRUE(whole);
  ASSERT_EQ(whole->size(), 1U);
  std::mt19937 random(3);
  for (int round = 0; round < 20; ++round) {
    std::vector<SplitState> shuffled = states();
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    std::vector<SplitState> runs;
    while (!shuffled.empty()) {
      const std::size_t count = std::min<std::size_t>(1 + random() % 4, shuffled.size());
      std::vector<SplitState> group;
      for (std::size_t i = 0; i < count; ++i) {
        group.push_back(std::move(shuffled.back()));
        shuffled.pop_back();
      }
      auto part = merge_states(std::move(group), Duplicates::kRefuse);
      for (SplitState& run : *part) runs.push_back(std::move(run));
    }
    const auto merged = merge_states(std::move(runs), Duplicates::kRefuse);
    ASSERT_TRUE(merged) << merged.error().message();
    ASSERT_EQ(merged->size(), 1U);
    EXPECT_EQ(*state_file(merged->front()), *state_file(whole->front()));
  }
}

TEST_F(SplitMerge, keeps_runs_apart_that_do_not_touch) {
  const auto merged = merge_states(states({5, 0, 1, 4}), Duplicates::kRefuse);
  ASSERT_TRUE(merged);
  ASSERT_EQ(merged->size(), 2U);
  EXPECT_EQ((*merged)[0].count, 2U);
  EXPECT_EQ((*merged)[1].first, 4U);
}

TEST_F(SplitMerge, refuses_a_split_that_comes_twice_unless_it_may) {
  EXPECT_NE(refusal(states({2, 3, 3})).find("split 3 came twice"), std::string::npos);
  EXPECT_EQ(refusal(states({2, 3, 3, 2}), Duplicates::kIgnore), "");
  const auto merged = merge_states(states({2, 3, 3, 2}), Duplicates::kIgnore);
  const auto once = merge_states(states({2, 3}), Duplicates::kIgnore);
  EXPECT_EQ(*state_file(merged->front()), *state_file(once->front()));
}

TEST_F(SplitMerge, never_takes_a_split_from_two_states_that_differ) {
  std::vector<SplitState> run = *merge_states(states({2, 3}), Duplicates::kRefuse);
  run.push_back(std::move(states()[3]));
  EXPECT_NE(refusal(std::move(run), Duplicates::kIgnore).find("split 3 came in two states"),
            std::string::npos);
}

TEST_F(SplitMerge, refuses_states_of_different_plans_and_says_what_differs) {
  std::vector<SplitState> mixed = states({0});
  options.seed = 2;
  mixed.push_back(std::move(states()[1]));
  EXPECT_NE(refusal(std::move(mixed)).find("options.seed: 1 and 2"), std::string::npos);
}

TEST_F(SplitMerge, makes_no_whole_of_less_and_names_what_is_missing) {
  const std::size_t splits = states().size();
  const auto whole = whole_state(*merge_states(states({1, 4, 5}), Duplicates::kRefuse));
  ASSERT_FALSE(whole);
  EXPECT_NE(whole.error().message().find("split 0, splits 2 to 3, splits 6 to " +
                                         std::to_string(splits - 1)),
            std::string::npos)
      << whole.error().message();
  EXPECT_FALSE(whole_state({}));
}

}  // namespace
}  // namespace weir::train
