#include <gmock/gmock.h>

#include "predictions/feed_fixture_test.h"

namespace weir::predictions {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(PredictionFeedOnMemory, keeps_records_and_their_answers) {
  const std::int64_t scored = push("a");
  const std::int64_t refused = push("b");
  const std::int64_t waiting = push("c", 1);
  steps();
  EXPECT_EQ(kept(scored)->state(), State::kWaiting);
  predict(scored, 1.5, "a", 7);
  refuse(refused, "b");
  steps();
  const auto found = kept(scored);
  ASSERT_TRUE(found && found->answer);
  EXPECT_EQ(found->id, "a");
  EXPECT_EQ(found->features, "{\"x\": 1}");
  EXPECT_EQ(found->answer->prediction, "1.5");
  EXPECT_EQ(found->answer->model, 7U);
  EXPECT_EQ(found->answer->epoch, 8U);
  ASSERT_EQ(kept(refused)->state(), State::kDead);
  EXPECT_EQ(kept(refused)->answer->reason, "prediction_not_finite");
  EXPECT_THAT(kept(refused)->answer->message, HasSubstr("not a finite number"));
  EXPECT_EQ(kept(waiting, 1)->state(), State::kWaiting);
  EXPECT_EQ(progress_.records(), 3U);
  EXPECT_EQ(progress_.answers(), 2U);
}

TEST_F(PredictionFeedOnMemory, goes_on_where_the_store_stands) {
  push("a");
  predict(0, 1, "a");
  steps();
  reopen();
  push("b");
  predict(1, 2, "b");
  steps();
  EXPECT_EQ(count(), 2U);
  EXPECT_EQ(progress_.records(), 2U) << "none was read twice";
  EXPECT_EQ(progress_.answers(), 2U);
  EXPECT_EQ(kept(1)->answer->prediction, "2");
}

TEST_F(PredictionFeedOnMemory, does_not_see_what_was_aborted) {
  push("a");
  broker_.fail_commit(1, stream::CommitFault::kAborted);
  record::Prediction prediction{{1.0}, false, 1, 1, 0, 0};
  std::string json;
  ASSERT_TRUE(format::append_prediction(json, prediction));
  auto sink = broker_.open_sink("scorer", Millis(1'000));
  WEIR_ASSERT_OK((*sink)->begin());
  stream::OutRecord record;
  record.topic = "p";
  record.value = json;
  WEIR_ASSERT_OK((*sink)->send(record));
  ASSERT_FALSE((*sink)->commit("", {}, nullptr));
  steps();
  EXPECT_EQ(kept(0)->state(), State::kWaiting);
  EXPECT_TRUE(steps_until([&] { return caught_up("p"); })) << "the marker is passed";
}

TEST_F(PredictionFeedOnMemory, puts_an_answer_and_its_record_in_together_where_it_can) {
  // More records than one batch holds before the one that is answered.
  options_.batch_records_max = 10;
  reopen();
  for (int i = 0; i < 35; ++i) push("r" + std::to_string(i));
  predict(34, 1.5, "r34");
  bool answered_without_record = false;
  ASSERT_TRUE(steps_until([&] {
    const auto found = kept(34);
    answered_without_record |= found && found->answer && !found->features;
    return found && found->answer;
  }));
  EXPECT_FALSE(answered_without_record);
  EXPECT_EQ(count(), 35U);
}

TEST_F(PredictionFeedOnMemory, keeps_an_answer_alone_whose_record_does_not_come) {
  predict(99, 1.5, "ghost");
  push("a");
  ASSERT_TRUE(steps_until([&] { return kept(99).has_value(); }));
  EXPECT_EQ(kept(99)->features, std::nullopt);
  EXPECT_EQ(kept(99)->answer->prediction, "1.5");
  EXPECT_TRUE(kept(0));
  EXPECT_TRUE(caught_up("p"));
}

TEST_F(PredictionFeedOnMemory, counts_what_no_scorer_wrote_and_goes_on) {
  push("a");
  commit("p", "a", "not a prediction");
  commit("p", "a", "{\"prediction\": 1, \"model\": 1, \"epoch\": 1, \"partition\": 0}");
  commit("d", "a", "a letter without a reason");
  refuse(0, "a", "another.topic");
  predict(0, 2.5, "a");
  ASSERT_TRUE(steps_until([&] { return kept(0)->state() == State::kPredicted; }));
  EXPECT_EQ(progress_.unreadable(), 4U);
  EXPECT_EQ(kept(0)->answer->prediction, "2.5");
}

TEST_F(PredictionFeedOnMemory, reads_the_scorers_headers_behind_those_of_the_record) {
  push("a");
  refuse(0, "a", "f",
         {{"__connect.errors.topic", "elsewhere"},
          {"__connect.errors.offset", "77"},
          {"traceparent", "00-1"}});
  steps();
  EXPECT_EQ(kept(0)->state(), State::kDead);
  EXPECT_EQ(count(), 1U);
}

TEST_F(PredictionFeedOnMemory, is_caught_up_once_what_is_there_is_in_the_store) {
  EXPECT_TRUE(caught_up("f"));
  push("a", 1);
  EXPECT_FALSE(caught_up("f"));
  store_->fault = Code::kUnavailable;
  steps(3);
  EXPECT_FALSE(caught_up("f"));
  store_->fault.reset();
  EXPECT_TRUE(steps_until([&] { return caught_up("f"); }));
  EXPECT_TRUE(kept(0, 1));
  EXPECT_FALSE(progress_.caught_up_to("unheard of", {}));
}

TEST_F(PredictionFeedOnMemory, begins_with_what_is_to_be_kept_and_drops_what_was_kept_long_enough) {
  push("old");
  predict(0, 1, "old");
  clock_.advance(Millis(10'000));
  push("young");
  predict(1, 2, "young");
  options_.keep = Millis(5'000);
  reopen();
  steps();
  EXPECT_FALSE(kept(0));
  ASSERT_TRUE(kept(1));
  EXPECT_EQ(count(), 1U);
  clock_.advance(Millis(6'000));
  push("younger");
  ASSERT_TRUE(steps_until([&] { return progress_.dropped() > 0; }));
  EXPECT_FALSE(kept(1));
  EXPECT_TRUE(kept(2));
}

TEST_F(PredictionFeedOnMemory, drops_the_oldest_of_too_many) {
  options_.records_max = 10;
  reopen();
  for (int i = 0; i < 30; ++i) {
    push("r" + std::to_string(i));
    clock_.advance(Millis(1));
  }
  ASSERT_TRUE(steps_until([&] { return progress_.dropped() == 20; }));
  EXPECT_EQ(count(), 10U);
  EXPECT_FALSE(kept(19));
  EXPECT_TRUE(kept(20));
}

TEST_F(PredictionFeedOnMemory, takes_the_time_of_its_clock_for_records_with_an_impossible_one) {
  steps();
  // The twin stamps by its clock; a keep time of nothing makes every record one of long ago.
  options_.keep = Millis(1'000);
  reopen();
  steps();
  push("slow");
  clock_.advance(Millis(5'000));
  steps();
  ASSERT_TRUE(kept(0)) << "it came while the feed was following";
  EXPECT_EQ(kept(0)->arrived_ms, clock_.wall().time_since_epoch().count());
}

TEST_F(PredictionFeedOnMemory, tells_the_board_once_the_answer_is_in_the_store) {
  std::vector<std::string> told;
  const auto watcher = board_.watch([] {});
  WEIR_ASSERT_OK(watcher);
  push("a");
  const auto wait = board_.wait_for({0, 0}, [&](const SharedAnswer& answer) {
    EXPECT_TRUE(kept(0)->answer) << "it is in the store by then";
    told.push_back(answer->prediction);
  });
  WEIR_ASSERT_OK(wait);
  predict(0, 1.5, "a");
  store_->fault = Code::kUnavailable;
  steps();
  EXPECT_THAT(told, IsEmpty());
  store_->fault.reset();
  ASSERT_TRUE(steps_until([&] { return !told.empty(); }));
  EXPECT_THAT(told, ElementsAre("1.5"));
  const auto news = (*watcher)->take(10);
  ASSERT_EQ(news.size(), 1U);
  EXPECT_EQ(news[0]->id, "a");
}

TEST_F(PredictionFeedOnMemory, watchers_hear_of_what_is_new_alone_once_and_of_all_of_it) {
  push("a");
  push("b");
  predict(0, 1, "a");
  steps();
  AnswerBoard board;
  FeedProgress progress;
  FaultyStore store(*inner_);
  const auto watcher = board.watch([] {});
  const auto run = [&] {
    auto feed = PredictionFeed::open(options_, broker_, store, board, progress, clock_);
    ASSERT_TRUE(feed);
    for (int i = 0; i < 20; ++i) {
      WEIR_ASSERT_OK((*feed)->step(Millis(100), {}));
      clock_.advance(Millis(100));
    }
  };
  run();
  EXPECT_THAT((*watcher)->take(10), IsEmpty()) << "what was there before it began";
  predict(1, 2, "b");  // while no feed runs
  run();
  const auto news = (*watcher)->take(10);
  ASSERT_EQ(news.size(), 1U);
  EXPECT_EQ(news[0]->prediction, "2");
  // All is read again.
  WEIR_ASSERT_OK(inner_->clear());
  run();
  EXPECT_THAT((*watcher)->take(10), IsEmpty());
}

TEST_F(PredictionFeedOnMemory, tells_how_far_behind_it_is) {
  const auto behind = [&](const std::string& topic) {
    for (const TopicLag& lag : progress_.lag()) {
      if (lag.topic == topic) return lag.behind;
    }
    return std::int64_t{-1};
  };
  EXPECT_EQ(behind("f"), 0);
  feed_.reset();
  for (int i = 0; i < 7; ++i) push("r");
  reopen();
  EXPECT_EQ(behind("f"), 7);
  steps();
  EXPECT_EQ(behind("f"), 0);
}

}  // namespace
}  // namespace weir::predictions
