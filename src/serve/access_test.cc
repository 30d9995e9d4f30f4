#include "serve/access.h"

#include <gmock/gmock.h>

#include "base/simulated_clock.h"
#include "serve/request_guard.h"
#include "serve/router.h"

namespace weir::serve {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kTokens =
    "# who may what\nread  reader-0123456789\n\npush pusher-0123456789  # the shop\r\nadmin "
    "admin-01234567890";

http::Request with(const std::string& authorization) {
  http::Request request;
  if (!authorization.empty()) request.headers.emplace_back("Authorization", authorization);
  return request;
}

unsigned status(const AccessList& list, const http::Request& request, Permission needed) {
  const auto refusal = list.refusal(request, needed);
  return refusal ? refusal->status : 0;
}

TEST(AccessList, lets_each_role_do_what_it_may_and_no_more) {
  const AccessList list = AccessList::parse(kTokens).value();
  EXPECT_TRUE(list.guards());
  const auto push = with("Bearer pusher-0123456789");
  EXPECT_EQ(status(list, push, Permission::kRead), 0u);
  EXPECT_EQ(status(list, push, Permission::kPush), 0u);
  EXPECT_EQ(status(list, push, Permission::kAdmin), 403u);
  EXPECT_EQ(status(list, with("bearer admin-01234567890"), Permission::kAdmin), 0u);
  EXPECT_EQ(status(list, with("Bearer reader-0123456789"), Permission::kPush), 403u);
}

TEST(AccessList, a_hash_begins_a_remark_only_where_a_word_would_begin) {
  const AccessList list =
      AccessList::parse("#read commented-out-0123\npush sharp#0123456789ab #shop\n # x").value();
  EXPECT_EQ(status(list, with("Bearer sharp#0123456789ab"), Permission::kPush), 0u);
  EXPECT_EQ(status(list, with("Bearer commented-out-0123"), Permission::kRead), 401u);
}

TEST(AccessList, asks_for_a_token_that_it_knows) {
  const AccessList list = AccessList::parse(kTokens).value();
  EXPECT_EQ(status(list, with(""), Permission::kOpen), 0u);
  for (const char* header : {"", "Bearer", "Bearer ", "Basic pusher-0123456789",
                             "Bearer pusher-012345678", "Bearer pusher-01234567890"}) {
    const auto refusal = list.refusal(with(header), Permission::kRead);
    ASSERT_TRUE(refusal) << header;
    EXPECT_EQ(refusal->status, 401u);
    EXPECT_EQ(http::find_field(refusal->headers, "www-authenticate"), "Bearer realm=\"weir\"");
    EXPECT_THAT(refusal->body, Not(HasSubstr("pusher")));
  }
}

TEST(AccessList, without_tokens_lets_everybody_do_everything) {
  EXPECT_EQ(status(AccessList(), with(""), Permission::kAdmin), 0u);
  EXPECT_FALSE(AccessList::parse("# none\n").value().guards());
}

TEST(AccessList, takes_a_verified_certificate_for_its_role) {
  AccessList list;
  list.let_certificates(Permission::kPush);
  http::Request request;
  EXPECT_EQ(status(list, request, Permission::kRead), 401u);
  request.client_name = "shop";
  EXPECT_EQ(status(list, request, Permission::kPush), 0u);
  EXPECT_EQ(status(list, request, Permission::kAdmin), 403u);
}

TEST(AccessList, refuses_files_with_mistakes_and_never_shows_a_token) {
  for (const char* text : {"root 0123456789abcdef", "read short", "read 0123456789abcdef more",
                           "read\n", "read 0123456789abcdef;push 0123456789abcdef"}) {
    const auto list = AccessList::parse(text);
    ASSERT_FALSE(list) << text;
    EXPECT_EQ(list.error().code(), Code::kBadConfig);
    EXPECT_THAT(list.error().message(), HasSubstr("line "));
    EXPECT_THAT(list.error().message(), Not(HasSubstr("0123456789abcdef")));
  }
}

http::Request request_to(const std::string& host, const std::string& method = "GET") {
  http::Request request;
  request.method = method;
  request.peer = "10.0.0.1:50000";
  request.headers.emplace_back("Host", host);
  return request;
}

TEST(RequestGuard, answers_to_names_of_this_machine_alone_where_nobody_is_asked_for_a_token) {
  SimulatedClock clock;
  GuardOptions options;
  options.hosts = {"weir.example.org"};
  RequestGuard guard(options, clock);
  for (const char* host :
       {"localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080", "weir.example.org:80"}) {
    EXPECT_FALSE(guard.refusal(request_to(host))) << host;
  }
  for (const char* host : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example"}) {
    EXPECT_EQ(guard.refusal(request_to(host))->status, 403u) << host;
  }
  options.any_host = true;
  EXPECT_FALSE(RequestGuard(options, clock).refusal(request_to("gateway.example")));
}

TEST(RequestGuard, refuses_changes_that_pages_of_other_origins_ask_for) {
  SimulatedClock clock;
  RequestGuard guard({}, clock);
  auto request = request_to("localhost:8080", "POST");
  request.headers.emplace_back("Origin", "http://localhost:8080");
  EXPECT_FALSE(guard.refusal(request)) << "its own page";
  request.headers.back().second = "https://localhost:8080";
  EXPECT_FALSE(guard.refusal(request)) << "TLS ended in front of the gateway";
  for (const char* other : {"http://localhost:8081", "http://localhost", "ftp://localhost:8080",
                            "localhost:8080", "https://gateway.example"}) {
    request.headers.back().second = other;
    EXPECT_EQ(guard.refusal(request)->status, 403u) << other;
  }
  GuardOptions options;
  options.hosts = {"gateway.example"};
  EXPECT_FALSE(RequestGuard(options, clock).refusal(request)) << "whose Host a proxy has changed";
  request.headers.back().second = "https://gateway.example:444";
  EXPECT_EQ(RequestGuard(options, clock).refusal(request)->status, 403u);
  request.headers.back().second = "null";
  EXPECT_EQ(guard.refusal(request)->status, 403u);
  request.method = "GET";
  EXPECT_FALSE(guard.refusal(request));
}

TEST(RequestGuard, lets_each_client_ask_so_often) {
  SimulatedClock clock;
  GuardOptions options;
  options.requests_per_second_max = 2;
  RequestGuard guard(options, clock);
  auto other = request_to("localhost");
  other.peer = "10.0.0.2:1";
  auto again = request_to("localhost");
  again.peer = "10.0.0.1:50001";
  EXPECT_FALSE(guard.refusal(request_to("localhost")));
  EXPECT_FALSE(guard.refusal(again));
  EXPECT_EQ(guard.refusal(again)->status, 429u) << "the same client from another port";
  again.segments = {"livez"};
  EXPECT_FALSE(guard.refusal(again)) << "a probe may come from where clients come from";
  again.segments = {};
  EXPECT_FALSE(guard.refusal(other));
  clock.advance(Millis{500});
  EXPECT_FALSE(guard.refusal(again));
  EXPECT_EQ(guard.refusal(again)->status, 429u);
}

TEST(Router, finds_the_first_route_that_fits_and_says_which_methods_there_are) {
  Router router;
  for (const char* pattern : {"/v1/a/stream", "/v1/a/{id}", "/v1/a"}) {
    router.add({"GET", pattern, Permission::kRead, Where::kAtOnce, 0, false, nullptr});
  }
  router.add({"POST", "/v1/a", Permission::kPush, Where::kAtOnce, 10, false, nullptr});
  const auto pattern = [&](const std::string& method, std::vector<std::string> segments) {
    const auto match = router.find(method, segments);
    return match.route ? match.route->pattern : "";
  };
  EXPECT_EQ(pattern("GET", {"v1", "a", "stream"}), "/v1/a/stream");
  EXPECT_EQ(pattern("HEAD", {"v1", "a", "x"}), "/v1/a/{id}");
  EXPECT_EQ(router.find("GET", {"v1", "a", "x/y"}).variables.find("id")->second, "x/y");
  EXPECT_EQ(pattern("GET", {"v1", "a", ""}), "") << "an empty variable is none";
  EXPECT_EQ(pattern("GET", {"v1"}), "");
  EXPECT_THAT(router.find("PUT", {"v1", "a"}).allowed, testing::ElementsAre("GET", "HEAD", "POST"));
  EXPECT_THAT(router.find("PUT", {"v1", "a", "stream"}).allowed,
              testing::ElementsAre("GET", "HEAD"));
  EXPECT_EQ(router.find("POST", {"v1", "a"}).route->body_bytes_max, 10u);
}

}  // namespace
}  // namespace weir::serve
