// GET /v1/cache: what each process of the pipeline has of its cache of predictions, and where it
// goes round it, and why. The same as metrics.
//
// What scorers say comes with their heartbeats, and is a few seconds old.
//
// Threads: handlers from any. Errors: none.
#pragma once

#include <string>
#include <vector>

#include "record/cache_state.h"
#include "serve/metrics_page.h"
#include "serve/parts.h"
#include "serve/router.h"

namespace weir::serve {

struct CacheUser {
  std::string member;
  std::string role;  // "gateway", "scorer"
  record::CacheState state;
};

// This gateway, and the live members that tell of a cache.
std::vector<CacheUser> cache_users(const Parts& parts);
void add_cache_metrics(MetricsPage& page, const std::vector<CacheUser>& users);

class CacheApi {
 public:
  explicit CacheApi(Parts& parts) : parts_(parts) {}
  void add_routes(Router& router);

 private:
  http::Response answer() const;

  Parts& parts_;
};

}  // namespace weir::serve
