// GET /v1/watch: what the watcher sees. POST /v1/actuals: true values that come late, for it.
//
// Threads: handlers from any. Errors: as answers; docs/gateway.md lists them.
#pragma once

#include "serve/parts.h"
#include "serve/router.h"

namespace weir::serve {

class WatchApi {
 public:
  explicit WatchApi(Parts& parts) : parts_(parts) {}
  void add_routes(Router& router);

 private:
  Result<http::Response> watch(const Call& call) const;
  void push(Call call, http::Reply reply);

  Parts& parts_;
};

}  // namespace weir::serve
