#include "base/bounded_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace weir {
namespace {

TEST(BoundedQueue, gives_items_in_their_order) {
  BoundedQueue<int> queue(3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(queue.push(i));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(queue.pop(), i);
}

TEST(BoundedQueue, drains_after_close_and_then_ends) {
  BoundedQueue<int> queue(3);
  queue.push(1);
  queue.push(2);
  queue.close();
  EXPECT_FALSE(queue.push(3));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), 2);
  EXPECT_EQ(queue.pop(), std::nullopt);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueue, holds_items_that_cannot_be_copied) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  queue.push(std::make_unique<int>(4));
  EXPECT_EQ(**queue.pop(), 4);
}

TEST(BoundedQueueThreads, hands_each_item_to_exactly_one_consumer) {
  constexpr int kThreads = 3;
  constexpr int kItems = 2000;
  BoundedQueue<int> queue(4);
  std::vector<std::atomic<int>> taken(kThreads * kItems);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      while (const auto item = queue.pop()) ++taken[static_cast<std::size_t>(*item)];
    });
  }
  std::vector<std::thread> producers;
  for (int t = 0; t < kThreads; ++t) {
    producers.emplace_back([&, t] {
      for (int i = 0; i < kItems; ++i) queue.push(t * kItems + i);
    });
  }
  for (auto& producer : producers) producer.join();
  queue.close();
  for (auto& thread : threads) thread.join();
  for (const auto& count : taken) ASSERT_EQ(count, 1);
}

TEST(BoundedQueueThreads, never_holds_more_than_its_capacity) {
  constexpr std::int64_t kCapacity = 2;
  BoundedQueue<int> queue(kCapacity);
  std::atomic<std::int64_t> pushed{0};
  std::thread producer([&] {
    for (int i = 0; i < 5000; ++i) {
      queue.push(i);
      ++pushed;
    }
    queue.close();
  });
  // Whatever has been pushed is in the queue or was popped; the item just popped makes room for
  // one.
  std::int64_t popped = 0;
  while (queue.pop()) {
    ++popped;
    ASSERT_LE(pushed - popped, kCapacity);
  }
  producer.join();
  EXPECT_EQ(popped, 5000);
}

TEST(BoundedQueueThreads, wakes_who_waits_on_either_end_when_it_closes) {
  BoundedQueue<int> full(1);
  full.push(1);
  BoundedQueue<int> empty(1);
  bool pushed = true;
  bool popped = true;
  std::thread producer([&] { pushed = full.push(2); });
  std::thread consumer([&] { popped = empty.pop().has_value(); });
  full.close();
  empty.close();
  producer.join();
  consumer.join();
  EXPECT_FALSE(pushed);
  EXPECT_FALSE(popped);
}

}  // namespace
}  // namespace weir
