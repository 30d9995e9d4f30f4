#include "watch/live_accuracy.h"

#include <gtest/gtest.h>

#include <cmath>

namespace weir::watch {
namespace {

using namespace std::chrono_literals;

const SteadyTime kNow{1000s};

std::string id(std::size_t i) { return "id-" + std::to_string(i); }

TEST(LiveAccuracy, joins_by_id_whichever_comes_first) {
  LiveAccuracy accuracy({});
  accuracy.add_prediction("a", 10, kNow);
  accuracy.add_actual("b", 5, kNow);
  EXPECT_EQ(accuracy.pairs(), 0u);
  EXPECT_EQ(accuracy.waiting(), 2u);
  accuracy.add_actual("a", 13, kNow);
  accuracy.add_prediction("b", 1, kNow);
  EXPECT_EQ(accuracy.pairs(), 2u);
  EXPECT_EQ(accuracy.waiting(), 0u);
  EXPECT_DOUBLE_EQ(accuracy.rmse(), std::sqrt((9.0 + 16.0) / 2));
  EXPECT_DOUBLE_EQ(accuracy.mae(), 3.5);
}

TEST(LiveAccuracy, joins_a_pair_once) {
  LiveAccuracy accuracy({});
  accuracy.add_prediction("a", 10, kNow);
  accuracy.add_actual("a", 11, kNow);
  accuracy.add_actual("a", 99, kNow);
  EXPECT_EQ(accuracy.pairs(), 1u);
  EXPECT_DOUBLE_EQ(accuracy.rmse(), 1);
}

// Who had no answer sends the same again.
TEST(LiveAccuracy, takes_no_true_value_that_comes_again_for_a_half_that_waits) {
  LiveAccuracy accuracy({});
  accuracy.add_actual("a", 11, kNow);
  accuracy.add_actual("a", 11, kNow);
  accuracy.add_prediction("a", 10, kNow);
  accuracy.add_actual("a", 11, kNow);
  EXPECT_EQ(accuracy.joined(), 1u);
  EXPECT_EQ(accuracy.waiting(), 0u);
  EXPECT_DOUBLE_EQ(accuracy.rmse(), 1);
}

TEST(LiveAccuracy, joins_an_id_that_is_used_again) {
  LiveAccuracy accuracy({});
  for (const double actual : {11.0, 13.0, 13.0}) {
    accuracy.add_prediction("a", 10, kNow);
    EXPECT_EQ(accuracy.waiting(), 1u);
    accuracy.add_actual("a", actual, kNow);
    EXPECT_EQ(accuracy.waiting(), 0u);
  }
  EXPECT_EQ(accuracy.joined(), 3u);
  EXPECT_DOUBLE_EQ(accuracy.mae(), 7.0 / 3);
}

// Those remembered are the last that were joined, within twice the limit.
TEST(LiveAccuracy, remembers_the_pairs_that_there_is_room_for) {
  LiveAccuracyLimits limits;
  limits.waiting_max = 100;
  LiveAccuracy accuracy(limits);
  for (std::size_t i = 0; i < 10'000; ++i) {
    accuracy.add_prediction(id(i), 1, kNow);
    accuracy.add_actual(id(i), 2, kNow);
  }
  EXPECT_EQ(accuracy.joined(), 10'000u);
  EXPECT_EQ(accuracy.waiting(), 0u);
  accuracy.add_actual(id(9'999), 2, kNow);
  accuracy.add_actual(id(9'950), 2, kNow);
  EXPECT_EQ(accuracy.waiting(), 0u) << "they were joined a moment ago";
  accuracy.add_actual(id(1), 2, kNow);
  EXPECT_EQ(accuracy.waiting(), 1u) << "it was forgotten";
  EXPECT_EQ(accuracy.one_in(), 1u);
}

TEST(LiveAccuracy, takes_the_last_of_several_predictions) {
  LiveAccuracy accuracy({});
  accuracy.add_prediction("a", 10, kNow);
  accuracy.add_prediction("a", 20, kNow);
  accuracy.add_actual("a", 21, kNow);
  EXPECT_DOUBLE_EQ(accuracy.mae(), 1);
}

TEST(LiveAccuracy, is_of_the_last_pairs) {
  LiveAccuracyLimits limits;
  limits.window = 10;
  LiveAccuracy accuracy(limits);
  for (std::size_t i = 0; i < 25; ++i) {
    accuracy.add_prediction(id(i), 0, kNow);
    accuracy.add_actual(id(i), i < 15 ? 100 : 2, kNow);
  }
  EXPECT_EQ(accuracy.pairs(), 10u);
  EXPECT_EQ(accuracy.joined(), 25u);
  EXPECT_DOUBLE_EQ(accuracy.rmse(), 2);
}

TEST(LiveAccuracy, forgets_what_has_waited_too_long) {
  LiveAccuracyLimits limits;
  limits.waiting_time_max = 60s;
  LiveAccuracy accuracy(limits);
  accuracy.add_prediction("a", 10, kNow);
  accuracy.add_prediction("b", 10, kNow + 61s);
  EXPECT_EQ(accuracy.waiting(), 1u);
  accuracy.add_actual("a", 10, kNow + 61s);
  EXPECT_EQ(accuracy.pairs(), 0u);
}

// A prediction for each id, and its true value much later: fewer are followed, and those to the
// end.
TEST(LiveAccuracy, is_bounded_and_follows_a_part_of_the_ids_from_end_to_end) {
  LiveAccuracyLimits limits;
  limits.waiting_max = 1'000;
  limits.window = 1'000'000;
  LiveAccuracy accuracy(limits);
  constexpr std::size_t kIds = 100'000;
  constexpr std::size_t kDelay = 10'000;
  for (std::size_t i = 0; i < kIds + kDelay; ++i) {
    const SteadyTime now = kNow + Millis(static_cast<std::int64_t>(i));
    if (i < kIds) accuracy.add_prediction(id(i), 1, now);
    if (i >= kDelay) accuracy.add_actual(id(i - kDelay), 4, now);
    ASSERT_LE(accuracy.waiting(), 1'000u);
  }
  EXPECT_GT(accuracy.pairs(), kIds / 64) << "one in " << accuracy.one_in();
  EXPECT_DOUBLE_EQ(accuracy.rmse(), 3);
  EXPECT_DOUBLE_EQ(accuracy.mae(), 3);
}

TEST(LiveAccuracy, follows_all_again_once_there_is_room) {
  LiveAccuracyLimits limits;
  limits.waiting_max = 100;
  limits.waiting_time_max = 60s;
  LiveAccuracy accuracy(limits);
  for (std::size_t i = 0; i < 10'000; ++i) accuracy.add_prediction(id(i), 1, kNow);
  EXPECT_GT(accuracy.one_in(), 16u);
  for (std::size_t i = 0; i < 10'000; ++i) accuracy.add_prediction(id(i), 1, kNow + 61s * (1 + i));
  EXPECT_EQ(accuracy.one_in(), 1u);
}

TEST(LiveAccuracy, follows_no_id_that_is_none_or_too_long) {
  LiveAccuracy accuracy({});
  accuracy.add_prediction("", 1, kNow);
  accuracy.add_prediction(std::string(LiveAccuracy::kIdBytesMax + 1, 'x'), 1, kNow);
  EXPECT_EQ(accuracy.waiting(), 0u);
}

TEST(LiveAccuracy, of_another_model_begins_anew) {
  LiveAccuracy accuracy({});
  accuracy.add_prediction("a", 1, kNow);
  accuracy.add_actual("a", 2, kNow);
  accuracy.add_prediction("b", 1, kNow);
  accuracy.clear();
  accuracy.add_actual("b", 9, kNow);
  EXPECT_EQ(accuracy.pairs(), 0u);
  EXPECT_EQ(accuracy.rmse(), 0);
}

}  // namespace
}  // namespace weir::watch
