#include <atomic>
#include <thread>

#include "predictions/store_contract_test.h"

namespace weir::predictions {
namespace {

class PredictionStoreThreads : public PredictionStoreContract {};
INSTANTIATE_TEST_SUITE_P(, PredictionStoreThreads, ::testing::Values("sqlite", "redis"),
                         store_name);

TEST_P(PredictionStoreThreads, answers_many_at_once_while_the_feed_writes) {
  std::atomic<bool> ended = false;
  std::atomic<int> asked = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      while (!ended) {
        const std::vector<std::string> ids = {"r1", "r" + std::to_string(i)};
        ListQuery query;
        query.limit = 20;
        if (i % 2) query.state = State::kWaiting;
        const auto page = store_->list(query);
        EXPECT_TRUE(page) << page.error().message();
        const auto firsts = store_->find_ids(ids);
        EXPECT_TRUE(firsts) << firsts.error().message();
        EXPECT_TRUE(store_->by_id("r5"));
        EXPECT_TRUE(store_->stats());
        // A batch is there whole or not at all.
        EXPECT_EQ(page ? page->items.size() % 5 : 1, 0U);
        ++asked;
      }
    });
  }
  for (std::int64_t i = 0; i < 40; ++i) {
    fill(5, 5 * i);
    if (i % 10 == 9) WEIR_ASSERT_OK(store_->drop(5'000 * (i - 5), 1'000'000));
  }
  while (asked < 12) std::this_thread::yield();
  ended = true;
}

}  // namespace
}  // namespace weir::predictions
