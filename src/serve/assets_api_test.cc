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
    return get_at({name}, std::move(headers));
  }
  http::Response get_at(const std::vector<std::string>& segments, http::Fields headers = {}) {
    const auto match = router_.find("GET", segments);
    Call call;
    call.variables = match.variables;
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

TEST_F(AssetsApiTest, gives_the_page_and_all_that_it_names) {
  const auto index = get_at({});
  EXPECT_EQ(index.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(index.body, get_at({"page", "index.html"}).body);
  std::size_t weight = 0;
  for (const PageFile& file : page_files()) {
    const auto answer = get_at({"page", std::string(file.name)});
    EXPECT_EQ(answer.body, file.bytes);
    EXPECT_EQ(answer.status, 200U);
    weight += file.bytes.size();
    EXPECT_GT(file.bytes.size(), 100U) << file.name;
    EXPECT_EQ(header(answer, "content-security-policy"), header(index, "content-security-policy"));
    // What it imports is there, too; nothing stands elsewhere.
    for (auto at = file.bytes.find("from \"./"); at != file.bytes.npos;
         at = file.bytes.find("from \"./", at + 1)) {
      const auto begin = at + 8;
      const std::string name(file.bytes.substr(begin, file.bytes.find('"', begin) - begin));
      EXPECT_EQ(get_at({"page", name}).status, 200U) << file.name << " imports " << name;
    }
  }
  EXPECT_LT(weight, 150'000U);
  EXPECT_EQ(get_at({"page", "nothing.js"}).status, 404U);
  EXPECT_EQ(get_at({"page", "main.js"}).content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(get_at({"page", "style.css"}).content_type, "text/css; charset=utf-8");
}

TEST_F(AssetsApiTest, lets_nothing_that_stands_in_the_page_itself_run) {
  const std::string policy = header(get_at({}), "content-security-policy");
  EXPECT_TRUE(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'; "));
  EXPECT_EQ(policy.find("unsafe"), policy.npos);
  EXPECT_EQ(policy.find("*"), policy.npos);
  EXPECT_NE(policy.find("require-trusted-types-for 'script'"), policy.npos);
  for (const PageFile& file : page_files()) {
    for (const char* sink : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write",
                             "eval(", "setAttribute(\"style", " style=", "<style"}) {
      EXPECT_EQ(file.bytes.find(sink), file.bytes.npos) << file.name << " has " << sink;
    }
  }
}

TEST_F(AssetsApiTest, asks_for_no_token_where_it_gives_no_data) {
  for (const std::vector<std::string>& path :
       {std::vector<std::string>{}, {"docs"}, {"page", "main.js"}}) {
    EXPECT_EQ(router_.find("GET", path).route->permission, Permission::kOpen);
  }
  EXPECT_EQ(router_.find("GET", {"openapi.json"}).route->permission, Permission::kRead);
}

}  // namespace
}  // namespace weir::serve
