#include "http/server.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <future>
#include <list>
#include <mutex>
#include <thread>

#include "http/raw_client_test.h"

namespace weir::http {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::size_t kHugeBytes = std::size_t{16} << 20;  // more than the machine keeps on its way
constexpr std::string_view kGet = "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n";

// Echoes bodies, gathers streams on threads of its own, keeps what it is asked to keep.
class Echo final : public Handler {
 public:
  BodyPlan plan(const Request& head) override {
    BodyPlan plan;
    plan.bytes_max = 1000;
    if (head.target == "/refused") {
      plan.refusal.emplace();
      plan.refusal->status = 403;
    }
    if (head.target == "/large") plan.bytes_max = 1 << 20;
    if (head.target.starts_with("/stream")) {
      plan.stream = true;
      plan.bytes_max = 8 << 20;
    }
    return plan;
  }

  void handle(Request request, Reply reply) override {
    if (request.target == "/lost") return;
    if (request.target == "/keep") {
      kept.set_value(std::move(reply));
      return;
    }
    if (request.target.starts_with("/huge")) {
      Response response;
      response.must_go = request.target == "/huge-and-done";
      response.body.assign(kHugeBytes, 'x');
      return reply.send(std::move(response));
    }
    if (request.target == "/events") {
      Response head;
      head.content_type = "text/event-stream";
      events.set_value(reply.start_stream(std::move(head)));
      return;
    }
    if (request.stream) {
      workers.emplace_back([body = request.stream, target = request.target,
                            answer = std::make_shared<Reply>(std::move(reply))] {
        Response response;
        if (target == "/stream-refused") {
          response.status = 503;
          return answer->send(std::move(response));
        }
        std::uint64_t bytes = 0;
        char buffer[1000];
        for (;;) {
          const auto count = body->read(buffer);
          if (!count) {
            response.status = count.error().code() == Code::kInvalidArgument ? 400 : 500;
            response.body = count.error().message();
            break;
          }
          if (*count == 0) break;
          bytes += *count;
        }
        if (response.body.empty()) response.body = std::to_string(bytes);
        answer->send(std::move(response));
      });
      return;
    }
    Response response;
    response.content_type = "text/plain";
    response.body = request.method + " " + request.target + " [" + request.body + "]";
    reply.send(std::move(response));
  }

  Response fault(unsigned status, const std::string& reason) override {
    Response response;
    response.status = status;
    response.content_type = "text/plain";
    response.body = reason;
    return response;
  }

  std::promise<Reply> kept;
  std::promise<std::shared_ptr<ResponseStream>> events;
  std::list<std::jthread> workers;
};

class HttpServer : public testing::Test {
 protected:
  // Replies are let go of before the server is no more.
  ~HttpServer() override {
    if (server) server->stop(Millis{0});
    echo.workers.clear();
  }
  std::uint16_t start(ServerOptions options = {}) {
    auto started = Server::start(options, echo);
    if (!started) {
      ADD_FAILURE() << started.error().message();
      return 0;
    }
    server = std::move(*started);
    return server->port();
  }
  std::string ask(std::uint16_t port, std::string_view bytes) {
    RawClient client(port);
    client.say(bytes);
    client.end_saying();
    return client.hear_all();
  }

  Echo echo;
  std::unique_ptr<Server> server;
};

TEST_F(HttpServer, answers_requests_on_one_connection_in_order_even_if_they_come_at_once) {
  RawClient client(start());
  client.say(
      "POST /echo?a=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + std::string(kGet) +
      "POST /two HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde"
      "\r\n0\r\n\r\n");
  EXPECT_THAT(client.hear_until("[hello]"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("POST /echo?a=1 [hello]")));
  EXPECT_THAT(client.hear_until("[]"), HasSubstr("GET /echo []"));
  EXPECT_THAT(client.hear_until("[abcde]"), HasSubstr("POST /two [abcde]"));
}

TEST_F(HttpServer, takes_a_head_that_comes_byte_by_byte) {
  RawClient client(start());
  for (const char byte : kGet) client.say({&byte, 1});
  EXPECT_THAT(client.hear_until("[]"), HasSubstr("200 OK"));
}

TEST_F(HttpServer, answers_HEAD_without_a_body_and_goes_on) {
  RawClient client(start());
  client.say("HEAD /echo HTTP/1.1\r\nHost: a\r\n\r\n" + std::string(kGet));
  const std::string head = client.hear_until("\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("Content-Length: 13\r\n"));
  EXPECT_THAT(client.hear_until("[]"), StartsWith("HTTP/1.1 200")) << "no body came before it";
}

TEST_F(HttpServer, refuses_a_smuggled_request_and_closes) {
  const std::string heard =
      ask(start(),
          "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: "
          "chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(heard, AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("Connection: close"),
                           testing::Not(HasSubstr("smuggled"))));
  EXPECT_EQ(server->counters().faults, 1u);
}

TEST_F(HttpServer, refuses_bodies_over_the_limit_announced_or_not) {
  const std::uint16_t port = start();
  EXPECT_THAT(ask(port, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n" +
                            std::string(1001, 'x')),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(
      ask(port, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
                    std::string(1001, 'x') + "\r\n0\r\n\r\n"),
      StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(ask(port, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" +
                            std::string(1000, 'x')),
              StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServer, holds_so_many_bytes_of_bodies_and_no_more) {
  ServerOptions options;
  options.bodies_bytes_max = 300'000;
  const std::uint16_t port = start(options);
  const std::string body(200'000, 'x');
  const std::string head = "POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n";
  RawClient slow(port);
  ASSERT_TRUE(slow.say(head + body.substr(1)));
  while (server->body_bytes_held() < 196'608) std::this_thread::yield();
  EXPECT_THAT(ask(port, head + body), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("try again")));
  ASSERT_TRUE(slow.say("x"));
  slow.end_saying();
  EXPECT_THAT(slow.hear_all(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask(port, head + body), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(server->body_bytes_held(), 0u);
}

TEST_F(HttpServer, holds_so_many_bytes_of_answers_that_nobody_takes_and_no_more) {
  ServerOptions options;
  options.answers_bytes_max = kHugeBytes * 3 / 2;
  const std::uint16_t port = start(options);
  const std::string huge = "GET /huge HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  RawClient slow(port);
  ASSERT_TRUE(slow.say(huge));
  while (server->answer_bytes_held() == 0) std::this_thread::yield();
  EXPECT_THAT(ask(port, huge), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("try again")));
  EXPECT_THAT(ask(port, kGet), StartsWith("HTTP/1.1 200 "));
  const std::string done = "GET /huge-and-done HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  EXPECT_THAT(ask(port, done), StartsWith("HTTP/1.1 200 "));
  EXPECT_GT(slow.hear_all().size(), kHugeBytes);
  while (server->answer_bytes_held() > 0) std::this_thread::yield();
  EXPECT_GT(ask(port, huge).size(), kHugeBytes);
}

TEST_F(HttpServer, refuses_broken_chunks_and_long_heads) {
  const std::uint16_t port = start();
  EXPECT_THAT(
      ask(port, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
      StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask(port, "GET /echo HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'x')),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(ask(port, "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

TEST_F(HttpServer, says_go_on_to_a_client_that_waits_for_it_and_refuses_at_once) {
  const std::uint16_t port = start();
  RawClient client(port);
  client.say("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(client.hear_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.say("abc");
  EXPECT_THAT(client.hear_until("[abc]"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask(port,
                  "POST /refused HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                  "Content-Length: 3\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 403 "), HasSubstr("Connection: close")));
}

TEST_F(HttpServer, gives_a_500_where_the_handler_lost_the_request) {
  EXPECT_THAT(ask(start(), "GET /lost HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 500 "));
}

TEST_F(HttpServer, ends_slow_heads_and_bodies) {
  ServerOptions options;
  options.head_timeout = options.body_timeout = Millis{50};
  const std::uint16_t port = start(options);
  RawClient head(port);
  head.say("GET /echo HT");
  EXPECT_THAT(head.hear_all(), IsEmpty());
  RawClient body(port);
  body.say("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na");
  EXPECT_THAT(body.hear_all(), IsEmpty());
  while (server->counters().faults < 2) std::this_thread::yield();
}

TEST_F(HttpServer, refuses_connections_over_the_limit_with_503) {
  ServerOptions options;
  options.connections_max = 1;
  const std::uint16_t port = start(options);
  RawClient first(port);
  first.say(kGet);
  first.hear_until("[]");
  RawClient second(port);
  EXPECT_THAT(second.hear_all(), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Retry-After: 1")));
  first.say(kGet);
  EXPECT_THAT(first.hear_until("[]"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServer, tells_when_its_port_is_taken_and_when_the_address_is_none) {
  ServerOptions options;
  options.port = start();
  auto second = Server::start(options, echo);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::kUnavailable);
  options.address = "localhost";
  auto none = Server::start(options, echo);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), Code::kBadConfig);
}

using HttpServerThreads = HttpServer;

TEST_F(HttpServerThreads, hands_a_large_body_on_while_it_comes) {
  RawClient client(start());
  const std::string body(5'000'000, 'x');
  client.say("PUT /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n");
  client.say(body);
  EXPECT_THAT(client.hear_until("\r\n\r\n5000000"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerThreads, tells_the_reader_of_a_body_that_broke_off) {
  RawClient client(start());
  client.say("PUT /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\nabc");
  client.end_saying();
  EXPECT_THAT(client.hear_all(), AllOf(StartsWith("HTTP/1.1 500"), HasSubstr("fell silent")));
  EXPECT_THAT(ask(server->port(),
                  "PUT /stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
                  "chunked\r\n\r\n3\r\nabcXY\r\n0\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("no HTTP")));
}

TEST_F(HttpServerThreads, answers_a_refused_stream_once_the_client_has_said_all) {
  RawClient client(start());
  client.say("PUT /stream-refused HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
  client.say(std::string(3'000'000, 'x'));
  EXPECT_THAT(client.hear_until("\r\n\r\n"), StartsWith("HTTP/1.1 503"));
  client.say(kGet);
  EXPECT_THAT(client.hear_until("[]"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerThreads, answers_from_any_thread_and_lets_the_client_wait) {
  RawClient client(start());
  client.say("GET /keep HTTP/1.1\r\nHost: a\r\n\r\n");
  Reply reply = echo.kept.get_future().get();
  Response response;
  response.body = "late";
  std::jthread([&] { reply.send(std::move(response)); });
  EXPECT_THAT(client.hear_until("late"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerThreads, sends_events_as_they_come_until_the_writer_lets_go) {
  RawClient client(start());
  client.say("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
  auto stream = echo.events.get_future().get();
  EXPECT_THAT(client.hear_until("\r\n\r\n"), HasSubstr("Transfer-Encoding: chunked"));
  EXPECT_TRUE(stream->write("data: 1\n\n"));
  EXPECT_EQ(client.hear_until("\n\n\r\n"), "9\r\ndata: 1\n\n\r\n");
  stream.reset();
  EXPECT_EQ(client.hear_all(), "0\r\n\r\n");
}

TEST_F(HttpServerThreads, lets_go_of_a_client_that_does_not_read_its_events) {
  ServerOptions options;
  options.held_bytes_max = 100'000;
  RawClient client(start(options));
  client.say("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
  auto stream = echo.events.get_future().get();
  const std::string event(50'000, 'x');
  int written = 0;
  while (written < 10'000 && stream->write(event)) ++written;
  EXPECT_LT(written, 10'000);
  EXPECT_FALSE(stream->open());
}

TEST_F(HttpServerThreads, notices_that_a_client_of_events_has_gone) {
  const std::uint16_t port = start();
  auto client = std::make_unique<RawClient>(port);
  client->say("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
  auto stream = echo.events.get_future().get();
  client->hear_until("\r\n\r\n");
  client.reset();
  while (stream->open()) std::this_thread::yield();
}

TEST_F(HttpServerThreads, stops_while_clients_are_idle_asking_and_streaming) {
  const std::uint16_t port = start();
  RawClient idle(port);
  idle.say(kGet);
  idle.hear_until("[]");
  RawClient streaming(port);
  streaming.say("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
  auto stream = echo.events.get_future().get();
  RawClient asking(port);
  asking.say("GET /keep HTTP/1.1\r\nHost: a\r\n\r\n");
  Reply reply = echo.kept.get_future().get();
  std::jthread answer([&, reply = std::move(reply)]() mutable {
    while (server->counters().connections_open > 2) std::this_thread::yield();  // the idle one ends
    Response response;
    response.body = "in time";
    reply.send(std::move(response));
    stream.reset();
  });
  server->stop(Millis{20'000});
  EXPECT_EQ(server->counters().connections_open, 0u);
  EXPECT_THAT(asking.hear_all(), HasSubstr("in time"));
  EXPECT_THAT(idle.hear_all(), IsEmpty());
}

}  // namespace
}  // namespace weir::http
