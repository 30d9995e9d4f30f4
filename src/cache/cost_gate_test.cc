#include "cache/cost_gate.h"

#include <gtest/gtest.h>

#include "base/simulated_clock.h"

namespace weir::cache {
namespace {

class CostGateTest : public ::testing::Test {
 protected:
  // `hit_rate` of so many rows is found, a hundred at a time.
  void pass(std::size_t rows, double hit_rate, double lookup_ns, double prediction_ns,
            bool settled = false) {
    for (std::size_t done = 0; done < rows; done += 100) {
      gate_.passed(100, static_cast<std::size_t>(100 * hit_rate), 100 * lookup_ns, 0, prediction_ns,
                   settled);
    }
  }
  // As a stream does, so many rows at a time; gives how many went through.
  std::size_t flow(std::size_t calls, std::size_t rows_of_call, double hit_rate, double lookup_ns,
                   double prediction_ns) {
    std::size_t through = 0;
    for (std::size_t i = 0; i < calls; ++i) {
      const std::size_t admitted = gate_.admit(rows_of_call);
      through += admitted;
      if (admitted == 0) continue;
      gate_.passed(admitted, static_cast<std::size_t>(static_cast<double>(admitted) * hit_rate),
                   static_cast<double>(admitted) * lookup_ns, 0, prediction_ns, true);
    }
    return through;
  }
  SimulatedClock clock_;
  CostGate gate_{{}, clock_};
};

TEST_F(CostGateTest, lets_all_through_at_first) {
  EXPECT_EQ(gate_.admit(10'000), 10'000);
  EXPECT_FALSE(gate_.closed());
}

TEST_F(CostGateTest, closes_within_two_windows_where_a_lookup_costs_more_than_a_prediction) {
  pass(1'100, 0.99, 100, 20);
  EXPECT_FALSE(gate_.closed()) << "one window may be a coincidence";
  pass(1'100, 0.99, 100, 20);
  EXPECT_TRUE(gate_.closed());
  EXPECT_EQ(gate_.reason(), "a lookup costs 100 ns a row, the prediction 20 ns");
  EXPECT_EQ(gate_.admit(10'000), 0);
}

TEST_F(CostGateTest, waits_for_hits_until_it_has_had_the_time_to_fill) {
  pass(200'000, 0, 100, 20'000);
  EXPECT_FALSE(gate_.closed());
  pass(100'000, 0, 100, 20'000);
  EXPECT_TRUE(gate_.closed());
  EXPECT_EQ(gate_.reason(),
            "too few rows are found (0.0 %): a lookup costs 100 ns a row, the prediction 20 µs");
}

TEST_F(CostGateTest, waits_no_longer_once_more_rows_would_not_fill_it) {
  pass(3'000, 0, 100, 20'000, true);
  EXPECT_TRUE(gate_.closed());
}

TEST_F(CostGateTest, stays_open_where_few_hits_save_much) {
  pass(1'000'000, 0.01, 100, 20'000, true);
  EXPECT_FALSE(gate_.closed());
}

TEST_F(CostGateTest, does_not_close_before_anything_was_predicted) {
  pass(100'000, 1, 100, 0);
  EXPECT_FALSE(gate_.closed());
}

TEST_F(CostGateTest, tries_a_small_share_now_and_then_once_it_is_closed) {
  pass(3'000, 0.5, 100, 20);
  ASSERT_TRUE(gate_.closed());
  EXPECT_EQ(flow(100, 1'000, 0.5, 100, 20), 0) << "nothing before its time has come";
  clock_.advance(Millis(10'000));
  const std::size_t through = flow(1'000, 1'000, 0.5, 100, 20);
  EXPECT_GE(through, 1'000);
  EXPECT_LE(through, 1'600) << "a 64th of the 100,000 that had gone round";
  EXPECT_EQ(flow(1'000, 1'000, 0.5, 100, 20), 0) << "and none until the next time";
  EXPECT_TRUE(gate_.closed());
}

TEST_F(CostGateTest, opens_again_where_it_would_pay_by_now) {
  pass(3'000, 0, 100, 20'000, true);
  ASSERT_TRUE(gate_.closed());
  flow(1'000, 1'000, 0, 100, 20'000);
  clock_.advance(Millis(10'000));
  flow(1'000, 1'000, 0.4, 100, 20'000);
  EXPECT_FALSE(gate_.closed());
  EXPECT_EQ(gate_.reason(), "");
  EXPECT_EQ(gate_.admit(5'000), 5'000);
}

TEST_F(CostGateTest, does_not_swing_where_it_hardly_matters) {
  // Saves 0.95 of what it costs: not worth closing, nor opening.
  pass(100'000, 0.19, 100, 500, true);
  EXPECT_FALSE(gate_.closed());
  pass(3'000, 0.1, 100, 500, true);
  ASSERT_TRUE(gate_.closed());
  for (int i = 0; i < 20; ++i) {
    flow(1'000, 1'000, 0.24, 100, 500);  // 1.2
    clock_.advance(Millis(10'000));
  }
  EXPECT_TRUE(gate_.closed());
}

TEST_F(CostGateTest, is_not_moved_by_one_bad_window) {
  // A window ends with the 1,100th row.
  for (int i = 0; i < 3; ++i) {
    pass(5'500, 0.5, 100, 1'000);
    pass(1'100, 0.5, 50'000, 1'000);  // the machine was busy
  }
  EXPECT_FALSE(gate_.closed());
}

TEST(RowCost, is_a_mean_that_one_figure_moves_by_a_bounded_part) {
  RowCost cost;
  EXPECT_FALSE(cost.known());
  cost.add(100, 100 * 50);
  EXPECT_EQ(cost.nanoseconds(), 50);
  EXPECT_EQ(cost.add(1, 1e9), 200);
  EXPECT_LT(cost.nanoseconds(), 60);
  for (int i = 0; i < 200; ++i) cost.add(1'000, 1'000 * 80);
  EXPECT_NEAR(cost.nanoseconds(), 80, 0.1);
}

}  // namespace
}  // namespace weir::cache
