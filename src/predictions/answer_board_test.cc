#include "predictions/answer_board.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "predictions/store_contract_test.h"

namespace weir::predictions {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> values(const std::vector<SharedAnswer>& answers) {
  std::vector<std::string> found;
  for (const SharedAnswer& answer : answers) found.push_back(answer->prediction);
  return found;
}

TEST(AnswerBoard, tells_each_watcher_of_each_answer_in_order) {
  AnswerBoard board;
  int notices = 0;
  const auto first = *board.watch([&] { ++notices; });
  const auto second = *board.watch([&] { ++notices; });
  board.announce({prediction_of(0, 1, "1"), prediction_of(1, 1, "2")});
  EXPECT_EQ(notices, 2);
  board.announce({prediction_of(0, 2, "3")});
  EXPECT_EQ(notices, 2) << "there was something to take already";
  EXPECT_THAT(values(first->take(2)), ElementsAre("1", "2"));
  EXPECT_THAT(values(first->take(9)), ElementsAre("3"));
  EXPECT_THAT(first->take(9), IsEmpty());
  EXPECT_THAT(values(second->take(9)), ElementsAre("1", "2", "3"));
  board.announce({letter_about(0, 3, "not_json")});
  EXPECT_EQ(notices, 4);
  EXPECT_TRUE(first->take(9)[0]->dead);
}

TEST(AnswerBoard, tells_watchers_of_nothing_twice_nor_of_what_was_there_before) {
  AnswerBoard board;
  const auto watcher = *board.watch([] {});
  board.begin(false, {{0, 10}}, false);
  board.announce({prediction_of(0, 9, "old"), prediction_of(0, 10, "new")});
  board.announce({prediction_of(0, 10, "new"), prediction_of(0, 11, "newer")});
  EXPECT_THAT(values(watcher->take(9)), ElementsAre("new", "newer"));
  board.begin(false, {{0, 50}}, false);
  board.announce({prediction_of(0, 12, "between")});
  EXPECT_THAT(values(watcher->take(9)), ElementsAre("between"));
  board.begin(false, {{0, 0}}, true);
  board.announce({prediction_of(0, 0, "of another topic")});
  EXPECT_THAT(values(watcher->take(9)), ElementsAre("of another topic"));
  board.announce({letter_about(0, 0, "letters are counted apart")});
  EXPECT_EQ(watcher->take(9).size(), 1U);
}

TEST(AnswerBoard, cuts_off_who_does_not_take_and_nobody_else) {
  AnswerBoard board({.queued_max = 3});
  int notices = 0;
  const auto slow = *board.watch([&] { ++notices; });
  const auto quick = *board.watch([] {});
  board.announce({prediction_of(0, 0, "0"), prediction_of(0, 1, "1")});
  quick->take(9);
  EXPECT_EQ(notices, 1);
  board.announce({prediction_of(0, 2, "2"), prediction_of(0, 3, "3")});
  EXPECT_EQ(notices, 2) << "it is told that it is cut off";
  EXPECT_TRUE(slow->cut_off());
  EXPECT_FALSE(quick->cut_off());
  EXPECT_THAT(values(quick->take(9)), ElementsAre("2", "3"));
  EXPECT_THAT(values(slow->take(9)), ElementsAre("0", "1")) << "without a gap, as far as it goes";
  board.announce({prediction_of(0, 4, "4")});
  EXPECT_THAT(slow->take(9), IsEmpty());
  EXPECT_EQ(notices, 2);
}

TEST(AnswerBoard, a_wait_ends_with_its_answer_once) {
  AnswerBoard board;
  std::vector<std::string> told;
  const auto note = [&](const SharedAnswer& answer) { told.push_back(answer->prediction); };
  WEIR_ASSERT_OK(board.wait_for({0, 7}, note));
  WEIR_ASSERT_OK(board.wait_for({0, 7}, note));
  WEIR_ASSERT_OK(board.wait_for({1, 7}, note));
  EXPECT_EQ(board.waits(), 3U);
  board.announce({prediction_of(0, 6, "other"), prediction_of(0, 7, "mine")});
  EXPECT_THAT(told, ElementsAre("mine", "mine"));
  board.announce({prediction_of(0, 7, "again")});
  EXPECT_EQ(told.size(), 2U);
  EXPECT_EQ(board.waits(), 1U);
}

TEST(AnswerBoard, a_wait_is_told_of_an_answer_that_watchers_are_not) {
  AnswerBoard board;
  int told = 0;
  board.begin(false, {{0, 10}}, false);
  WEIR_ASSERT_OK(board.wait_for({0, 3}, [&](const SharedAnswer&) { ++told; }));
  board.announce({prediction_of(0, 3, "read again")});
  EXPECT_EQ(told, 1);
}

TEST(AnswerBoard, a_wait_that_is_cancelled_is_never_told) {
  AnswerBoard board;
  int told = 0;
  const auto note = [&](const SharedAnswer&) { ++told; };
  const auto first = board.wait_for({0, 7}, note);
  const auto second = board.wait_for({0, 7}, note);
  WEIR_ASSERT_OK(first);
  WEIR_ASSERT_OK(second);
  board.cancel(*first);
  board.cancel(*first);
  board.cancel(12'345);
  board.announce({prediction_of(0, 7, "x")});
  EXPECT_EQ(told, 1);
  board.cancel(*second);
  EXPECT_EQ(board.waits(), 0U);
}

TEST(AnswerBoard, refuses_more_than_it_can_hold) {
  AnswerBoard board({.watchers_max = 2, .waits_max = 2});
  std::vector<std::shared_ptr<Watcher>> watchers = {*board.watch([] {}), *board.watch([] {})};
  const auto refused = board.watch([] {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kExhausted);
  watchers.pop_back();
  EXPECT_EQ(board.watchers(), 1U);
  EXPECT_TRUE(board.watch([] {})) << "one has gone";
  WEIR_ASSERT_OK(board.wait_for({0, 1}, [](const SharedAnswer&) {}));
  WEIR_ASSERT_OK(board.wait_for({0, 1}, [](const SharedAnswer&) {}));
  const auto full = board.wait_for({0, 2}, [](const SharedAnswer&) {});
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code(), Code::kExhausted);
  board.announce({prediction_of(0, 1, "x")});
  EXPECT_TRUE(board.wait_for({0, 2}, [](const SharedAnswer&) {}));
}

TEST(AnswerBoard, callbacks_may_use_the_board) {
  AnswerBoard board;
  int told = 0;
  WEIR_ASSERT_OK(board.wait_for({0, 1}, [&](const SharedAnswer&) {
    EXPECT_TRUE(board.wait_for({0, 2}, [&](const SharedAnswer&) { ++told; }));
  }));
  std::shared_ptr<Watcher> watcher;
  watcher = *board.watch([&] { told += static_cast<int>(watcher->take(9).size()); });
  board.announce({prediction_of(0, 1, "x")});
  board.announce({prediction_of(0, 2, "y")});
  EXPECT_EQ(told, 3);
}

TEST(AnswerBoardThreads, watchers_come_and_go_while_answers_come) {
  AnswerBoard board;
  std::atomic<bool> ended = false;
  std::atomic<int> heard = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!ended) {
        const auto told = std::make_shared<std::atomic<int>>(0);
        const auto watcher = board.watch([told] { ++*told; });
        const auto wait = board.wait_for({0, 1'000'000}, [told](const SharedAnswer&) { ++*told; });
        ASSERT_TRUE(watcher && wait);
        while (!ended && *told == 0) std::this_thread::yield();
        heard += static_cast<int>((*watcher)->take(1'000).size());
        board.cancel(*wait);
      }
    });
  }
  for (std::int64_t offset = 0; offset < 2'000 || heard == 0; ++offset) {
    board.announce({prediction_of(0, offset, "v")});
  }
  ended = true;
  threads.clear();
  EXPECT_EQ(board.waits(), 0U);
}

}  // namespace
}  // namespace weir::predictions
