#include <gmock/gmock.h>

#include "predictions/feed_fixture_test.h"

namespace weir::predictions {
namespace {

TEST_F(PredictionFeedOnMemory, waits_for_a_store_that_is_full_and_loses_nothing) {
  store_->fault = Code::kExhausted;
  for (int i = 0; i < 10; ++i) push("r" + std::to_string(i));
  predict(3, 1.5, "r3");
  for (int i = 0; i < 100; ++i) {
    WEIR_ASSERT_OK(feed_->step(Millis(100), {}));
  }
  ASSERT_TRUE(progress_.trouble());
  EXPECT_EQ(progress_.trouble()->code(), Code::kExhausted);
  EXPECT_EQ(count(), 0U);
  store_->fault.reset();
  ASSERT_TRUE(steps_until([&] { return count() == 10; }));
  EXPECT_FALSE(progress_.trouble());
  EXPECT_TRUE(steps_until([&] { return kept(3)->answer.has_value(); }));
  EXPECT_EQ(progress_.records(), 10U);
}

TEST_F(PredictionFeedOnMemory, waits_for_a_store_that_is_away_when_it_begins) {
  push("a");
  feed_.reset();
  store_.emplace(*inner_);
  store_->fault = Code::kTimeout;
  open_feed();
  steps(20);
  EXPECT_EQ(progress_.trouble()->code(), Code::kTimeout);
  store_->fault.reset();
  ASSERT_TRUE(steps_until([&] { return count() == 1; }));
  EXPECT_FALSE(progress_.trouble());
}

TEST_F(PredictionFeedOnMemory, waits_for_brokers_that_are_away) {
  push("a");
  broker_.set_away_until(clock_.steady() + Millis(3'000));
  steps(3);
  ASSERT_TRUE(progress_.trouble());
  EXPECT_EQ(progress_.trouble()->code(), Code::kUnavailable);
  ASSERT_TRUE(steps_until([&] { return count() == 1; }));
  EXPECT_FALSE(progress_.trouble());
}

TEST_F(PredictionFeedOnMemory, fills_a_store_again_that_has_lost_its_content) {
  for (int i = 0; i < 10; ++i) push("r" + std::to_string(i));
  predict(3, 1.5, "r3");
  steps();
  ASSERT_EQ(count(), 10U);
  home_->lose_all();
  push("r10");
  ASSERT_TRUE(steps_until([&] { return caught_up("f") && caught_up("p"); }));
  EXPECT_EQ(count(), 11U);
  EXPECT_EQ(kept(3)->answer->prediction, "1.5");
  EXPECT_EQ(progress_.refills(), 1U);
}

TEST_F(PredictionFeedOnMemory, goes_on_at_the_earliest_record_where_its_place_was_deleted) {
  for (int i = 0; i < 5; ++i) push("r" + std::to_string(i));
  steps();
  feed_.reset();
  for (int i = 5; i < 10; ++i) push("r" + std::to_string(i));
  broker_.delete_records_before("f", 0, 8);
  reopen();
  steps();
  EXPECT_TRUE(kept(4)) << "what is kept stays";
  EXPECT_FALSE(kept(7));
  EXPECT_TRUE(kept(8));
  EXPECT_TRUE(caught_up("f"));
}

TEST_F(PredictionFeedOnMemory, finds_its_place_again_where_records_are_deleted_under_it) {
  options_.batch_records_max = 1;
  reopen();
  for (int i = 0; i < 10; ++i) push("r" + std::to_string(i));
  steps(2);
  broker_.delete_records_before("f", 0, 8);
  ASSERT_TRUE(steps_until([&] { return caught_up("f"); }));
  EXPECT_TRUE(kept(0));
  EXPECT_TRUE(kept(9));
}

TEST_F(PredictionFeedOnMemory, drops_everything_where_the_features_topic_was_made_anew) {
  for (int i = 0; i < 5; ++i) push("old" + std::to_string(i));
  predict(0, 1.5, "old0");
  steps();
  feed_.reset();
  // More records than the topic before had: the offsets alone show nothing.
  for (const char* topic : {"f", "p", "d"}) broker_.delete_topic(topic);
  WEIR_ASSERT_OK(broker_.ensure_topics({{"f", 2}, {"p", 2}, {"d", 2}}, Millis(1'000)));
  for (int i = 0; i < 9; ++i) push("new" + std::to_string(i));
  reopen();
  steps();
  EXPECT_EQ(count(), 9U);
  EXPECT_EQ(kept(0)->id, "new0");
  EXPECT_EQ(kept(0)->state(), State::kWaiting);
  EXPECT_FALSE(store_->by_id("old1")->has_value());
}

TEST_F(PredictionFeedOnMemory, reads_answers_anew_where_their_topic_was_made_anew) {
  push("a");
  push("b");
  predict(0, 1.5, "a");
  predict(1, 2.5, "b");
  steps();
  feed_.reset();
  broker_.delete_topic("p");
  WEIR_ASSERT_OK(broker_.ensure_topics({{"p", 2}}, Millis(1'000)));
  push("c");
  predict(2, 3.5, "c");
  reopen();
  steps();
  EXPECT_EQ(kept(0)->answer->prediction, "1.5");
  EXPECT_EQ(kept(2)->answer->prediction, "3.5");
  EXPECT_EQ(count(), 3U);
}

TEST_F(PredictionFeedOnMemory, ends_where_no_waiting_helps) {
  broker_.set_denied("p", true);
  Status stepped;
  for (int i = 0; i < 5 && stepped; ++i) stepped = feed_->step(Millis(100), {});
  ASSERT_FALSE(stepped);
  EXPECT_EQ(stepped.error().code(), Code::kPermissionDenied);
}

}  // namespace
}  // namespace weir::predictions
