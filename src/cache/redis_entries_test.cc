#include "cache/redis_entries.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <atomic>
#include <cstring>
#include <limits>
#include <thread>

#include "redis/redis_server_test.h"

namespace {

// How often this thread has resolved a name; numbers do not count. Nobody knows how long one takes.
thread_local int names_resolved_here = 0;
std::atomic<int> names_resolved{0};

}  // namespace

// In the place of the C library's, for hiredis too.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  if (node && std::strcmp(node, "localhost") == 0) {
    ++names_resolved_here;
    ++names_resolved;
  }
  static const auto real =
      reinterpret_cast<decltype(&::getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(node, service, hints, found);
}

namespace weir::cache {
namespace {

using ::testing::HasSubstr;
using Found = std::vector<std::optional<std::string>>;

constexpr Millis kLong{10'000};

class RedisEntriesTest : public ::testing::Test {
 protected:
  void SetUp() override { start({}); }
  void start(const std::vector<std::string>& options) {
    entries_.reset();
    server_ = redis::RedisServer::start(options);
    ASSERT_NE(server_, nullptr) << "this machine has no redis-server; stack/setup installs it";
    redis::ClientOptions client = server_->options();
    client.address.host = "localhost";
    client.failures_max = std::numeric_limits<int>::max();
    client.reply_bytes_max = 100'000;
    RedisEntriesOptions own;
    own.rest_min = Millis(10);
    own.rest_max = Millis(50);
    own.patience = Millis(1'000);
    entries_ = std::make_unique<RedisEntries>(client, own);
    client_ = std::make_unique<redis::Client>(server_->options());
  }
  // Looks until it is so, for as long as a busy machine may take.
  template <typename Condition>
  ::testing::AssertionResult comes_true(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < deadline) {
      if (condition()) return ::testing::AssertionSuccess();
      std::this_thread::yield();
    }
    return ::testing::AssertionFailure() << "not in time; trouble: " << entries_->state().trouble;
  }
  bool has(const std::string& name, const std::string& bytes) {
    const auto found = entries_->get(std::vector{name}, kLong);
    return found && *found == Found{bytes};
  }
  std::unique_ptr<redis::RedisServer> server_;
  std::unique_ptr<RedisEntries> entries_;
  std::unique_ptr<redis::Client> client_;
};

TEST_F(RedisEntriesTest, gives_what_was_put_by_name_and_nothing_for_the_rest) {
  ASSERT_TRUE(comes_true([&] { return entries_->reachable(); }));
  std::vector<NamedEntry> entries;
  std::vector<std::string> names;
  for (int i = 0; i < 1'000; ++i) {
    names.push_back("n" + std::to_string(i));
    if (i % 3 != 0) entries.push_back({names.back(), std::string(1, '\0') + std::to_string(i)});
  }
  entries_->put(entries);
  ASSERT_TRUE(comes_true([&] { return entries_->state().written == entries.size(); }));
  const auto found = entries_->get(names, kLong);
  ASSERT_TRUE(found);
  for (std::size_t i = 0; i < 1'000; ++i) {
    EXPECT_EQ((*found)[i],
              i % 3 == 0 ? std::nullopt : std::optional(std::string(1, '\0') + std::to_string(i)));
  }
}

TEST_F(RedisEntriesTest, gives_each_entry_a_time_to_live) {
  ASSERT_TRUE(comes_true([&] { return entries_->reachable(); }));
  entries_->put({{"n", "x"}});
  ASSERT_TRUE(comes_true([&] { return has("n", "x"); }));
  const auto left = client_->ask_one({"PTTL", "n"});
  ASSERT_TRUE(left);
  EXPECT_GT(left->integer, 3'500'000);
  EXPECT_LE(left->integer, 3'600'000);
}

TEST_F(RedisEntriesTest, takes_what_is_no_text_under_a_name_for_nothing) {
  ASSERT_TRUE(comes_true([&] { return entries_->reachable(); }));
  ASSERT_TRUE(client_->ask_one({"RPUSH", "n", "x"}));
  EXPECT_EQ(entries_->get(std::vector<std::string>{"n"}, kLong), Found{std::nullopt});
  EXPECT_TRUE(entries_->reachable());
}

TEST_F(RedisEntriesTest, does_not_ask_while_redis_is_away_and_comes_back_by_itself) {
  ASSERT_TRUE(comes_true([&] { return entries_->reachable(); }));
  server_->kill();
  EXPECT_EQ(entries_->get(std::vector<std::string>{"n"}, kLong), std::nullopt);
  EXPECT_TRUE(comes_true([&] { return !entries_->reachable(); }));
  EXPECT_EQ(entries_->get(std::vector<std::string>{"n"}, kLong), std::nullopt);
  entries_->put({{"n", "x"}});
  EXPECT_EQ(entries_->state().not_written, 1);
  EXPECT_NE(entries_->state().trouble, "");
  server_->restart();
  ASSERT_TRUE(comes_true([&] { return entries_->reachable(); }));
  entries_->put({{"n", "x"}});
  EXPECT_TRUE(comes_true([&] { return has("n", "x"); }));
}

TEST_F(RedisEntriesTest, resolves_the_servers_name_on_a_thread_of_its_own_and_never_on_a_readers) {
  ASSERT_TRUE(comes_true([&] { return entries_->reachable(); }));
  EXPECT_GT(names_resolved, 0) << "the name is resolved by somebody";
  const int before = names_resolved;
  server_->restart();  // every connection is gone
  ASSERT_TRUE(client_->ask_one({"SET", "n", "x"}));
  EXPECT_TRUE(comes_true([&] { return has("n", "x"); }));
  EXPECT_GT(names_resolved, before) << "no connection was made anew";
  EXPECT_EQ(names_resolved_here, 0);
}

TEST_F(RedisEntriesTest, opens_a_connection_for_each_of_those_that_read_at_once) {
  ASSERT_TRUE(comes_true([&] { return entries_->reachable(); }));
  ASSERT_TRUE(client_->ask_one({"SET", "n", "x"}));
  constexpr int kReaders = 4;
  std::atomic<int> resolved{0};
  std::atomic<bool> enough{false};
  const int before = names_resolved;
  std::vector<std::jthread> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.emplace_back([&] {
      while (!enough) static_cast<void>(entries_->get(std::vector<std::string>{"n"}, kLong));
      resolved += names_resolved_here;
    });
  }
  EXPECT_TRUE(comes_true([&] { return names_resolved > before; }));
  enough = true;
  readers.clear();
  EXPECT_EQ(resolved, 0);
  EXPECT_EQ(entries_->state().failures, 0U) << "having no connection yet is no failure of Redis";
}

TEST_F(RedisEntriesTest, has_a_connection_for_who_reads_while_something_is_written) {
  ASSERT_TRUE(comes_true([&] { return entries_->reachable(); }));
  const auto info = client_->ask_one({"INFO", "clients"});
  ASSERT_TRUE(info);
  EXPECT_THAT(info->text, HasSubstr("connected_clients:3")) << "two, and the one that asks";
}

TEST_F(RedisEntriesTest, costs_one_deadline_where_redis_stands_still) {
  ASSERT_TRUE(comes_true([&] { return entries_->reachable(); }));
  server_->stall();
  EXPECT_EQ(entries_->get(std::vector<std::string>{"n"}, Millis(5)), std::nullopt);
  EXPECT_FALSE(entries_->reachable()) << "nobody waits a second time";
  server_->resume();
  ASSERT_TRUE(comes_true([&] { return entries_->reachable(); }));
  ASSERT_TRUE(client_->ask_one({"SET", "n", "x"}));
  EXPECT_TRUE(comes_true([&] { return has("n", "x"); }));
  EXPECT_GE(entries_->state().failures, 1);
}

TEST_F(RedisEntriesTest, goes_on_reading_where_redis_is_full) {
  start({"--maxmemory", "2mb", "--maxmemory-policy", "noeviction"});
  ASSERT_TRUE(comes_true([&] { return entries_->reachable(); }));
  entries_->put({{"n", "x"}});
  ASSERT_TRUE(comes_true([&] { return has("n", "x"); }));
  int number = 0;
  ASSERT_TRUE(comes_true([&] {
    std::vector<NamedEntry> many;
    for (int i = 0; i < 500; ++i) many.push_back({"m" + std::to_string(++number), "some bytes"});
    entries_->put(std::move(many));
    return entries_->state().trouble.find("OOM") != std::string::npos;
  }));
  EXPECT_TRUE(has("n", "x"));
  EXPECT_GT(entries_->state().not_written, 0);
  ASSERT_TRUE(client_->ask_one({"CONFIG", "SET", "maxmemory", "0"}));
  EXPECT_TRUE(comes_true([&] {
    entries_->put({{"late", "y"}});
    return has("late", "y");
  }));
}

TEST_F(RedisEntriesTest, is_not_filled_up_by_an_answer_that_is_too_large) {
  ASSERT_TRUE(comes_true([&] { return entries_->reachable(); }));
  ASSERT_TRUE(client_->ask_one({"SET", "n", std::string(1'000'000, 'x')}));
  EXPECT_EQ(entries_->get(std::vector<std::string>{"n"}, kLong), std::nullopt);
  EXPECT_TRUE(comes_true([&] { return entries_->reachable(); }));
}

}  // namespace
}  // namespace weir::cache
