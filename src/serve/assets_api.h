// GET /openapi.json and GET /docs: what the gateway serves, for programs and for people. GET / and
// GET /page/{file}: the page to watch the pipeline on.
//
// All are packed and hashed once. A page may run its own scripts and ask this server alone: the
// Content-Security-Policy of /docs names the digests of what stands in it, that of / lets in the
// files beside it and nothing that stands in the document itself. No token is wanted for the pages:
// they hold no data, and ask for one.
//
// Owner: the gateway. Threads: handlers from any. Errors: none.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "serve/router.h"

namespace weir::serve {

class AssetsApi {
 public:
  AssetsApi();
  void add_routes(Router& router);

 private:
  struct Asset {
    std::string_view bytes;
    std::string packed;  // gzip
    std::string etag;
    std::string content_type;
    std::string policy;  // Content-Security-Policy
  };
  static Asset make(std::string_view bytes, std::string content_type, std::string policy);
  static http::Response answer(const Asset& asset, const http::Request& request);

  std::map<std::string, Asset, std::less<>> page_;  // by file name; filled once
  const Asset openapi_;
  const Asset docs_;
};

}  // namespace weir::serve
