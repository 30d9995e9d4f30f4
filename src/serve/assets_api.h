// GET /openapi.json and GET /docs: what the gateway serves, for programs and for people.
//
// Both are packed and hashed once. The page may run its own script and ask this server alone: its
// Content-Security-Policy names the digests of what stands in it.
//
// Owner: the gateway. Threads: handlers from any. Errors: none.
#pragma once

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

  const Asset openapi_;
  const Asset docs_;
};

}  // namespace weir::serve
