#include "serve/assets_api.h"

#include <algorithm>

#include "base/base64.h"
#include "base/check.h"
#include "base/sha256.h"
#include "base/text.h"
#include "http/content_coding.h"
#include "serve/assets.h"
#include "serve/problem.h"

namespace weir::serve {
namespace {

// What stands between <tag> and </tag>, as a policy names it: 'sha256-…'.
std::string digest_of_element(std::string_view page, const std::string& tag) {
  const std::string open = "<" + tag + ">";
  const auto begin = page.find(open);
  const auto end = page.find("</" + tag + ">", begin);
  WEIR_CHECK(begin != page.npos && end != page.npos);
  const auto at = begin + open.size();
  return "'sha256-" + base64_of(*from_hex(sha256_hex(page.substr(at, end - at)))) + "'";
}

std::string policy_of(std::string_view page) {
  return "default-src 'none'; script-src " + digest_of_element(page, "script") + "; style-src " +
         digest_of_element(page, "style") +
         "; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

// Of a list such as "gzip;q=0.5, br", by the words of RFC 9110, 12.5.3: whether it may be gzip.
bool takes_gzip(std::string_view accepted) {
  while (!accepted.empty()) {
    const auto end = std::min(accepted.find(','), accepted.size());
    std::string item;
    for (const char c : accepted.substr(0, end)) {
      if (c != ' ' && c != '\t') item += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    accepted.remove_prefix(std::min(end + 1, accepted.size()));
    const auto name = item.substr(0, item.find(';'));
    if (name != "gzip" && name != "x-gzip" && name != "*") continue;
    const auto weight = item.find(";q=");
    return weight == item.npos || item.find_first_of("123456789", weight) != item.npos;
  }
  return false;
}

// Of If-None-Match: W/ makes no difference here, and * fits everything (RFC 9110, 13.1.2).
bool names(std::string_view condition, const std::string& etag) {
  return condition == "*" || condition.find(etag) != condition.npos;
}

// Nothing that is written in the document runs or paints, and no text becomes markup.
constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

std::string content_type_of(std::string_view name) {
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  return "text/html; charset=utf-8";
}

}  // namespace

AssetsApi::AssetsApi()
    : openapi_(make(openapi_document(), "application/json",
                    "default-src 'none'; frame-ancestors 'none'")),
      docs_(make(docs_page(), "text/html; charset=utf-8", policy_of(docs_page()))) {
  for (const PageFile& file : page_files()) {
    page_.emplace(file.name,
                  make(file.bytes, content_type_of(file.name), std::string(kPagePolicy)));
  }
}

AssetsApi::Asset AssetsApi::make(std::string_view bytes, std::string content_type,
                                 std::string policy) {
  return {bytes, http::gzip(bytes), "\"" + sha256_hex(bytes).substr(0, 32) + "\"",
          std::move(content_type), std::move(policy)};
}

void AssetsApi::add_routes(Router& router) {
  const auto add = [&](std::string pattern, const Asset& asset, Permission permission) {
    router.add({"GET", std::move(pattern), permission, Where::kAtOnce, 0, false,
                [&asset](const Call& call, http::Reply reply) {
                  reply.send(answer(asset, call.request));
                }});
  };
  add("/openapi.json", openapi_, Permission::kRead);
  add("/docs", docs_, Permission::kOpen);
  add("/", page_.find("index.html")->second, Permission::kOpen);
  router.add({"GET", "/page/{file}", Permission::kOpen, Where::kAtOnce, 0, false,
              [this](const Call& call, http::Reply reply) {
                const auto found = page_.find(call.variable("file"));
                reply.send(found == page_.end() ? problem(404, "the page has no such file")
                                                : answer(found->second, call.request));
              }});
}

http::Response AssetsApi::answer(const Asset& asset, const http::Request& request) {
  http::Response response;
  response.content_type = asset.content_type;
  response.headers = {{"ETag", asset.etag},
                      // A new program may have another one: ask, and be told "the same" briefly.
                      {"Cache-Control", "no-cache"},
                      {"Vary", "Accept-Encoding"},
                      {"Content-Security-Policy", asset.policy},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"}};
  if (names(request.header("if-none-match").value_or(""), asset.etag)) {
    response.status = 304;
    response.content_type.clear();
    return response;
  }
  if (takes_gzip(request.header("accept-encoding").value_or(""))) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.body = asset.packed;
  } else {
    response.body = asset.bytes;
  }
  return response;
}

}  // namespace weir::serve
