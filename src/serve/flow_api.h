// GET /v1/flow, /v1/alerts, /v1/epochs: what moves, what somebody ought to look at, and what has
// happened at the gate.
//
// Threads: handlers from any. Errors: as answers; docs/gateway.md lists them.
#pragma once

#include "serve/alerts.h"
#include "serve/parts.h"
#include "serve/router.h"

namespace weir::serve {

class FlowApi {
 public:
  explicit FlowApi(Parts& parts) : parts_(parts) {}
  void add_routes(Router& router);

 private:
  Result<http::Response> flow(const Call& call) const;
  Result<http::Response> alerts(const Call& call) const;
  Result<http::Response> epochs(const Call& call) const;

  Parts& parts_;
};

// Records that the kept copy is behind the topics, of all of them together.
std::int64_t copy_behind(const Parts& parts);

}  // namespace weir::serve
