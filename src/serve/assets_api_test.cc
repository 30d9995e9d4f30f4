#include "serve/assets_api.h"

#include <gtest/gtest.h>

#include "http/content_coding.h"
#include "serve/assets.h"

namespace weir::serve {
namespace {

class KeptAnswer final : public http::Reply::Target {
 public:
  void send(http::Response response) override { kept = std::move(response); }
  std::shared_ptr<http::ResponseStream> start_stream(http::Response) override { return nullptr; }
  http::Response kept;
};

class AssetsApiTest : public testing::Test {
 protected:
  AssetsApiTest() { api_.add_routes(router_); }

  http::Response get(const std::string& name, http::Fields headers = {}) {
    const auto match = router_.find("GET", {name});
    Call call;
    call.request.headers = std::move(headers);
    auto target = std::make_shared<KeptAnswer>();
    match.route->handle(std::move(call), http::Reply(target));
    return target->kept;
  }
  static std::string header(const http::Response& response, std::string_view name) {
    return std::string(http::find_field(response.headers, name).value_or(""));
  }

  AssetsApi api_;
  Router router_;
};

TEST_F(AssetsApiTest, gives_both_documents_whole) {
  EXPECT_EQ(get("openapi.json").body, openapi_document());
  EXPECT_TRUE(openapi_document().starts_with("{\n")) << openapi_document().substr(0, 20);
  EXPECT_TRUE(openapi_document().ends_with("}\n"));
  EXPECT_EQ(get("docs").body, docs_page());
  EXPECT_TRUE(docs_page().starts_with("<!doctype html>"));
  EXPECT_TRUE(docs_page().ends_with("</html>\n"));
  EXPECT_LT(docs_page().size(), 40'000U);
}

TEST_F(AssetsApiTest, packs_for_those_alone_that_take_gzip) {
  for (const char* accepted : {"gzip", "br, GZIP;q=0.5", "*", "deflate,x-gzip"}) {
    const auto packed = get("docs", {{"Accept-Encoding", accepted}});
    EXPECT_EQ(header(packed, "content-encoding"), "gzip") << accepted;
    EXPECT_EQ(http::gunzip(packed.body, 1'000'000).value(), docs_page()) << accepted;
  }
  for (const char* accepted : {"", "br", "gzip;q=0", "gzip; q=0.000, br", "gzipped"}) {
    const auto plain = get("docs", {{"Accept-Encoding", accepted}});
    EXPECT_EQ(header(plain, "content-encoding"), "") << accepted;
    EXPECT_EQ(plain.body, docs_page()) << accepted;
  }
}

TEST_F(AssetsApiTest, does_not_send_again_what_the_client_has) {
  const std::string etag = header(get("docs"), "etag");
  ASSERT_EQ(etag.size(), 34U);
  EXPECT_NE(etag, header(get("openapi.json"), "etag"));
  for (const std::string& condition : {etag, "W/" + etag, "\"other\", " + etag, std::string("*")}) {
    const auto answer = get("docs", {{"If-None-Match", condition}});
    EXPECT_EQ(answer.status, 304U) << condition;
    EXPECT_EQ(answer.body, "") << condition;
    EXPECT_EQ(header(answer, "etag"), etag);
  }
  EXPECT_EQ(get("docs", {{"If-None-Match", "\"other\""}}).status, 200U);
}

TEST_F(AssetsApiTest, lets_the_page_run_its_own_script_and_ask_its_own_server_alone) {
  const auto page = get("docs");
  const std::string policy = header(page, "content-security-policy");
  EXPECT_TRUE(policy.starts_with("default-src 'none'; script-src 'sha256-")) << policy;
  EXPECT_EQ(policy.find("unsafe"), policy.npos);
  EXPECT_NE(policy.find("connect-src 'self'"), policy.npos);
  EXPECT_EQ(header(page, "x-content-type-options"), "nosniff");
  EXPECT_EQ(header(page, "referrer-policy"), "no-referrer");
  // One script and one style, whose digests stand in the policy; no address but its own.
  EXPECT_EQ(docs_page().find("<script>"), docs_page().rfind("<script"));
  EXPECT_EQ(docs_page().find("<style>"), docs_page().rfind("<style"));
  EXPECT_EQ(docs_page().find("://"), docs_page().npos);
  EXPECT_EQ(docs_page().find(" style="), docs_page().npos);
}

}  // namespace
}  // namespace weir::serve
