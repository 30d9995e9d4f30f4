#include "redis/redis_client.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "base/simulated_clock.h"
#include "redis/redis_server_test.h"

namespace weir::redis {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

#define WEIR_NEEDS_REDIS(server)            \
  const auto server = RedisServer::start(); \
  if (!server) GTEST_SKIP() << "no redis-server on this machine"

// A listener that says what the test wants said, once to each connection.
class FakeServer {
 public:
  explicit FakeServer(std::function<void(int)> talk) : talk_(std::move(talk)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<::sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<::sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] {
      for (;;) {
        const int peer = ::accept(listener_, nullptr, nullptr);
        if (peer < 0) return;
        ++connections;
        talk_(peer);
        ::close(peer);
      }
    });
  }
  ~FakeServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  ClientOptions options() const {
    ClientOptions options;
    options.address.host = "127.0.0.1";
    options.address.port = port_;
    options.timeout = Millis(300);
    options.failures_max = 1'000;
    return options;
  }
  std::atomic<int> connections{0};

 private:
  const std::function<void(int)> talk_;
  int listener_ = -1;
  int port_ = 0;
  std::jthread thread_;
};

void say(int peer, std::string_view words) {
  static_cast<void>(::send(peer, words.data(), words.size(), MSG_NOSIGNAL));
}

// Until the other side has closed.
void drain(int peer) {
  char bytes[4'096];
  while (::recv(peer, bytes, sizeof bytes, 0) > 0) {
  }
}

// Whether the other side has closed, within so many milliseconds.
bool gone(int peer, int wait_ms) {
  ::pollfd watched{peer, POLLRDHUP, 0};
  return ::poll(&watched, 1, wait_ms) > 0;
}

TEST(RedisClient, asks_and_is_answered_in_order_whatever_the_bytes) {
  WEIR_NEEDS_REDIS(server);
  Client client(server->options());
  const std::string key("k\0\r\n", 4);
  const std::string value("\xff\0$3\r\nx", 8);
  const std::vector<Command> commands = {
      {"SET", key, value}, {"GET", key}, {"GET", "nothing"},
      {"INCR", "n"},       {"GET"},      {"MGET", key, "nothing"}};
  const auto replies = client.ask(commands);
  ASSERT_TRUE(replies) << replies.error().message();
  ASSERT_EQ(replies->size(), commands.size());
  EXPECT_EQ((*replies)[0].kind, Reply::Kind::kStatus);
  EXPECT_EQ((*replies)[1].text, value);
  EXPECT_TRUE((*replies)[2].is_nil());
  EXPECT_EQ((*replies)[3].integer, 1);
  EXPECT_TRUE((*replies)[4].is_error());
  ASSERT_TRUE((*replies)[5].is_list());
  EXPECT_EQ((*replies)[5].items[0].text, value);
  EXPECT_TRUE((*replies)[5].items[1].is_nil());
  EXPECT_FALSE(client.ask_one({"GET"}));
  EXPECT_TRUE(client.ask_one({"GET", key}));
  EXPECT_TRUE(client.ask({})->empty());
}

TEST(RedisClient, uses_the_database_of_its_address) {
  WEIR_NEEDS_REDIS(server);
  ClientOptions options = server->options();
  options.address.database = 3;
  Client third(options);
  Client first(server->options());
  ASSERT_TRUE(third.ask_one({"SET", "k", "v"}));
  EXPECT_TRUE(first.ask_one({"GET", "k"})->is_nil());
  options.address.database = 99;
  Client beyond(options);
  EXPECT_FALSE(beyond.ask_one({"PING"}));
}

TEST(RedisClient, never_takes_a_late_reply_for_the_next_one) {
  WEIR_NEEDS_REDIS(server);
  Client client(server->options());
  ASSERT_TRUE(client.ask_one({"SET", "old", "old value"}));
  ASSERT_TRUE(client.ask_one({"SET", "new", "new value"}));
  server->stall();
  const auto late = client.ask_one({"GET", "old"}, Millis(100));
  server->resume();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Code::kTimeout);
  for (int i = 0; i < 20; ++i) {
    const auto next = client.ask_one({"GET", "new"});
    ASSERT_TRUE(next) << next.error().message();
    EXPECT_EQ(next->text, "new value");
  }
}

TEST(RedisClient, keeps_its_deadline_though_bytes_trickle) {
  FakeServer server([](int peer) {
    say(peer, "+OK\r\n$1000\r\n");
    for (int i = 0; i < 1'000; ++i) {
      if (::send(peer, "x", 1, MSG_NOSIGNAL) != 1) return;
      if (gone(peer, 5)) return;
    }
  });
  Client client(server.options());
  const auto began = std::chrono::steady_clock::now();
  const auto answer = client.ask_one({"GET", "k"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), Code::kTimeout) << answer.error().message();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(3));
}

TEST(RedisClient, keeps_its_deadline_where_nobody_reads) {
  // A peer whose buffers are full does not even hear that the other side has gone.
  std::promise<void> ended;
  FakeServer server([&](int peer) {
    say(peer, "+OK\r\n");
    ended.get_future().wait();
  });
  Client client(server.options());
  const std::string large(50'000'000, 'x');
  const auto answer = client.ask_one({"SET", "k", large});
  ended.set_value();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), Code::kTimeout) << answer.error().message();
}

TEST(RedisClient, takes_nothing_that_is_no_answer_of_redis) {
  for (const char* words :
       {"+OK\r\nHTTP/1.1 200 OK\r\n\r\n", "+OK\r\n*2\r\n$1\r\n", "+OK\r\n$-5\r\n", "?", "",
        "+OK\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
        "+OK\r\n$99999999999999999999\r\n"}) {
    FakeServer server([words](int peer) {
      say(peer, words);
      ::shutdown(peer, SHUT_WR);
      drain(peer);
    });
    Client client(server.options());
    const auto answer = client.ask_one({"GET", "k"});
    EXPECT_FALSE(answer) << words;
  }
}

TEST(RedisClient, ends_an_answer_that_is_too_large) {
  WEIR_NEEDS_REDIS(server);
  ClientOptions options = server->options();
  Client writer(options);
  const std::string large(200'000, 'x');
  ASSERT_TRUE(writer.ask_one({"SET", "k", large}));
  options.reply_bytes_max = 100'000;
  Client client(options);
  const auto answer = client.ask_one({"GET", "k"});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message(), HasSubstr("too large"));
  EXPECT_TRUE(client.ask_one({"PING"}));
}

TEST(RedisClient, goes_on_after_a_restart_of_the_server_without_a_failure) {
  WEIR_NEEDS_REDIS(server);
  Client client(server->options());
  ASSERT_TRUE(client.ask_one({"PING"}));
  server->restart();
  const auto answer = client.ask_one({"PING"});
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(client.state().failures, 0U);
}

TEST(RedisClient, rests_after_failures_and_tries_again) {
  WEIR_NEEDS_REDIS(server);
  SimulatedClock clock;
  ClientOptions options = server->options();
  options.failures_max = 3;
  options.rest_min = Millis(1'000);
  options.rest_max = Millis(3'000);
  Client client(options, clock);
  server->kill();
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(client.state().resting);
    EXPECT_EQ(client.ask_one({"PING"}).error().code(), Code::kUnavailable);
  }
  EXPECT_TRUE(client.state().resting);
  const auto refused = client.ask_one({"PING"});
  EXPECT_EQ(refused.error().code(), Code::kUnavailable);
  EXPECT_THAT(refused.error().message(), HasSubstr("not asked for now"));
  EXPECT_EQ(client.state().refused, 1U);
  EXPECT_EQ(client.state().calls, 3U);
  clock.advance(Millis(1'001));
  EXPECT_FALSE(client.ask_one({"PING"})) << "one is let through, and fails";
  EXPECT_EQ(client.state().calls, 4U);
  clock.advance(Millis(1'001));
  EXPECT_FALSE(client.ask_one({"PING"}));
  EXPECT_EQ(client.state().calls, 4U) << "it rests for longer now";
  server->restart();
  clock.advance(Millis(1'000));
  EXPECT_TRUE(client.ask_one({"PING"}));
  EXPECT_FALSE(client.state().resting);
  EXPECT_TRUE(client.ask_one({"PING"}));
}

TEST(RedisClient, logs_in_and_never_tells_the_password) {
  const auto server = RedisServer::start({"--requirepass", "hush-hush"});
  if (!server) GTEST_SKIP() << "no redis-server on this machine";
  ClientOptions options = server->options();
  Client nobody(options);
  EXPECT_EQ(nobody.ask_one({"GET", "k"}).error().code(), Code::kPermissionDenied);
  options.login = Login{"", "hush-hush"};
  Client somebody(options);
  EXPECT_TRUE(somebody.ask_one({"GET", "k"}));
  options.login = Login{"default", "hush-hush"};
  Client named(options);
  EXPECT_TRUE(named.ask_one({"GET", "k"}));
  options.login = Login{"default", "hush-wrong"};
  Client wrong(options);
  const auto refused = wrong.ask_one({"GET", "k"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kPermissionDenied);
  EXPECT_THAT(refused.error().message(), Not(HasSubstr("hush")));
}

TEST(RedisClient, tells_of_memory_that_is_full) {
  const auto server =
      RedisServer::start({"--maxmemory", "3mb", "--maxmemory-policy", "noeviction"});
  if (!server) GTEST_SKIP() << "no redis-server on this machine";
  Client client(server->options());
  const std::string large(500'000, 'x');
  Code code = Code::kInternal;
  for (int i = 0; i < 20 && code == Code::kInternal; ++i) {
    const auto set = client.ask_one({"SET", std::to_string(i), large});
    if (!set) code = set.error().code();
  }
  EXPECT_EQ(code, Code::kExhausted);
  EXPECT_EQ(client.state().failures, 0U) << "a refusal is an answer";
}

TEST(RedisClient, asks_over_what_is_open_where_its_caller_may_not_connect) {
  FakeServer server([](int peer) {
    char bytes[4'096];
    while (::recv(peer, bytes, sizeof bytes, 0) > 0) say(peer, "+OK\r\n");
  });
  ClientOptions options = server.options();
  options.connections_max = 2;
  Client client(options);
  const std::vector<Command> ping = {{"PING"}};
  const auto none = client.ask_if_open(ping, Millis(10'000));
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none) << "nothing was open";
  EXPECT_EQ(server.connections, 0);
  EXPECT_EQ(client.state().failures, 0U);

  ASSERT_TRUE(client.open_one(Millis(10'000)));
  EXPECT_EQ(server.connections, 1);
  const auto answered = client.ask_if_open(ping, Millis(10'000));
  ASSERT_TRUE(answered && *answered);
  EXPECT_EQ((*answered)->front().text, "OK");
  EXPECT_EQ(server.connections, 1);
}

TEST(RedisClient, opens_no_more_connections_than_it_may_have) {
  WEIR_NEEDS_REDIS(server);
  ClientOptions options = server->options();
  options.connections_max = 2;
  Client client(options);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(client.open_one(Millis(10'000)));
  const auto list = Client(server->options()).ask_one({"CLIENT", "LIST"});
  ASSERT_TRUE(list);
  EXPECT_EQ(std::count(list->text.begin(), list->text.end(), '\n'), 2 + 1) << list->text;
}

TEST(RedisClient, tells_why_no_connection_was_opened) {
  WEIR_NEEDS_REDIS(server);
  Client client(server->options());
  server->kill();
  const auto refused = client.open_one(Millis(10'000));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kUnavailable);
  EXPECT_THAT(refused.error().message(), HasSubstr(client.where()));
  EXPECT_EQ(client.state().failures, 1U);
}

TEST(RedisAddress, is_read_and_refused) {
  const auto address = parse_address("redis://cache-1:6380/7");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->host, "cache-1");
  EXPECT_EQ(address->port, 6'380);
  EXPECT_EQ(address->database, 7);
  EXPECT_EQ(parse_address("redis://h")->port, 6'379);
  EXPECT_EQ(parse_address("redis://h/")->database, 0);
  EXPECT_EQ(parse_address("redis://[::1]:6380")->host, "::1");
  EXPECT_EQ(parse_address("redis://[::1]:6380")->port, 6'380);
  for (const char* url : {"", "cache-1:6379", "rediss://h", "redis://", "redis://:6379",
                          "redis://h:x", "redis://h:0", "redis://h:65536", "redis://h/x",
                          "redis://h/-1", "redis://u:hush@h", "redis://[::1", "redis://[::1]x"}) {
    const auto refused = parse_address(url);
    ASSERT_FALSE(refused) << url;
    EXPECT_EQ(refused.error().code(), Code::kBadConfig);
    EXPECT_THAT(refused.error().message(), Not(HasSubstr("hush")));
  }
}

TEST(RedisLogin, is_a_password_or_a_user_and_a_password) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("weir-login-" + std::to_string(::getpid())))
          .string();
  const auto read = [&](const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
    return read_login(path);
  };
  EXPECT_EQ(read("hush\n")->password, "hush");
  EXPECT_EQ(read("hush")->user, "");
  EXPECT_EQ(read("me\r\nhu sh\r\n\n")->user, "me");
  EXPECT_EQ(read("me\r\nhu sh\r\n\n")->password, "hu sh");
  for (const std::string& text : {std::string(), std::string("\n\n"), std::string("a\nhush\nc\n"),
                                  std::string(20'000, 'x')}) {
    const auto refused = read(text);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::kBadConfig);
    EXPECT_THAT(refused.error().message(), Not(HasSubstr("hush")));
  }
  std::filesystem::remove(path);
  EXPECT_EQ(read_login(path).error().code(), Code::kNotFound);
}

TEST(RedisClientThreads, many_ask_at_once_and_each_gets_his_own_answer) {
  WEIR_NEEDS_REDIS(server);
  ClientOptions options = server->options();
  options.connections_max = 3;
  Client client(options);
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 6; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 200; ++i) {
        const std::string key = std::to_string(thread) + ":" + std::to_string(i);
        const std::vector<Command> commands = {{"SET", key, key}, {"GET", key}};
        const auto replies = client.ask(commands);
        ASSERT_TRUE(replies) << replies.error().message();
        EXPECT_EQ((*replies)[1].text, key);
      }
    });
  }
}

}  // namespace
}  // namespace weir::redis
