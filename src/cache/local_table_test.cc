#include "cache/local_table.h"

#include <gtest/gtest.h>

#include <list>
#include <map>
#include <random>

namespace weir::cache {
namespace {

using Row = std::vector<double>;

constexpr SipKey kKey{1, 2};

class LocalTableTest : public ::testing::Test {
 protected:
  void put(LocalTable& table, const Row& row, double value) {
    table.put(row, table.hash(row), value);
  }
  std::optional<double> find(LocalTable& table, const Row& row) {
    return table.find(row, table.hash(row));
  }
  MemoryBudget budget_{1'000'000};
};

TEST_F(LocalTableTest, finds_what_was_put_and_nothing_else) {
  LocalTable table(2, budget_, kKey);
  EXPECT_EQ(find(table, {1, 2}), std::nullopt);
  put(table, {1, 2}, 3.5);
  put(table, {2, 1}, -4);
  EXPECT_EQ(find(table, {1, 2}), 3.5);
  EXPECT_EQ(find(table, {2, 1}), -4);
  EXPECT_EQ(find(table, {1, 3}), std::nullopt);
  put(table, {1, 2}, 7);
  EXPECT_EQ(find(table, {1, 2}), 7);
  EXPECT_EQ(table.entries(), 2);
}

TEST_F(LocalTableTest, takes_no_row_for_another_of_the_same_hash) {
  LocalTable table(2, budget_, kKey);
  table.put(Row{1, 2}, 77, 3.5);
  EXPECT_EQ(table.find(Row{1, 3}, 77), std::nullopt);
  table.put(Row{1, 3}, 77, 4.5);
  table.put(Row{0.0, 3}, 77, 5.5);
  EXPECT_EQ(table.find(Row{1, 2}, 77), 3.5);
  EXPECT_EQ(table.find(Row{1, 3}, 77), 4.5);
  EXPECT_EQ(table.find(Row{-0.0, 3}, 77), std::nullopt);
  EXPECT_EQ(table.entries(), 3);
}

TEST_F(LocalTableTest, does_as_a_plain_list_would_and_stays_in_its_memory) {
  std::mt19937 random(7);
  LocalTable table(3, budget_, kKey);
  std::list<std::pair<double, double>> order;  // newest first
  std::map<double, decltype(order)::iterator> known;
  for (int i = 0; i < 200'000; ++i) {
    const auto one = static_cast<double>(random() % 30'000);
    const Row row{one, one / 3, 5};
    const auto entry = known.find(one);
    if (entry != known.end()) order.splice(order.begin(), order, entry->second);
    if (random() % 2 == 0) {
      ASSERT_EQ(find(table, row),
                entry == known.end() ? std::nullopt : std::optional(entry->second->second));
      continue;
    }
    const auto value = static_cast<double>(random());
    const std::size_t entries_before = table.entries();
    put(table, row, value);
    ASSERT_LE(table.bytes(), 1'000'000);
    ASSERT_EQ(table.bytes() + budget_.left(), 1'000'000);
    if (entry != known.end()) {
      entry->second->second = value;
      ASSERT_EQ(table.entries(), entries_before);
      continue;
    }
    if (table.full() && table.entries() == entries_before) {
      known.erase(order.back().first);
      order.pop_back();
    }
    order.emplace_front(one, value);
    known[one] = order.begin();
    ASSERT_EQ(table.entries(), order.size());
  }
  EXPECT_TRUE(table.full());
  EXPECT_GT(table.entries(), 10'000) << "a row of 24 bytes takes some 60";
}

TEST_F(LocalTableTest, forgets_what_was_not_asked_for_the_longest) {
  MemoryBudget small(150'000);
  LocalTable table(1, small, kKey);
  double next = 0;
  while (!table.full()) {
    put(table, {++next}, next);
    if (static_cast<int>(next) % 10 == 0) {
      ASSERT_EQ(find(table, {1}), 1);
    }
  }
  EXPECT_EQ(find(table, {2}), std::nullopt);
  EXPECT_EQ(find(table, {1}), 1);
  EXPECT_EQ(find(table, {3}), 3);
}

TEST_F(LocalTableTest, shares_a_budget_with_others_and_gives_back_what_it_took) {
  MemoryBudget budget(300'000);
  {
    LocalTable greedy(4, budget, kKey);
    for (double i = 0; i < 20'000; ++i) put(greedy, {i, 1, 2, 3}, i);
    EXPECT_TRUE(greedy.full());
    LocalTable late(4, budget, kKey);
    put(late, {1, 2, 3, 4}, 5);
    EXPECT_EQ(find(late, {1, 2, 3, 4}), std::nullopt) << "there is no memory for even one";
    greedy.clear();
    EXPECT_EQ(greedy.bytes(), 0);
    EXPECT_EQ(find(greedy, {19'999, 1, 2, 3}), std::nullopt);
    put(late, {1, 2, 3, 4}, 5);
    EXPECT_EQ(find(late, {1, 2, 3, 4}), 5);
  }
  EXPECT_EQ(budget.left(), 300'000);
}

TEST_F(LocalTableTest, holds_the_widest_rows) {
  MemoryBudget budget(200'000);
  LocalTable table(2'047, budget, kKey);
  Row row(2'047, 1.5);
  for (int i = 0; i < 100; ++i) {
    row[5] = i;
    put(table, row, i);
    EXPECT_EQ(find(table, row), i);
  }
  EXPECT_LT(table.entries(), 13);
  EXPECT_GE(table.entries(), 8);
}

}  // namespace
}  // namespace weir::cache
