// /livez, /readyz, /metrics, /v1/status.
//
// Threads: handlers from any. Errors: as answers; docs/gateway.md lists them.
#pragma once

#include "http/server.h"
#include "serve/parts.h"
#include "serve/request_metrics.h"
#include "serve/router.h"

namespace weir::serve {

class HealthApi {
 public:
  HealthApi(Parts& parts, const RequestMetrics& metrics) : parts_(parts), metrics_(metrics) {}
  void add_routes(Router& router);
  // Told once it runs; its counters are in /metrics.
  void set_server(const http::Server* server) { server_ = server; }

 private:
  http::Response ready() const;
  http::Response metrics() const;
  Result<http::Response> status(const Call& call) const;

  Parts& parts_;
  const RequestMetrics& metrics_;
  std::atomic<const http::Server*> server_{nullptr};
};

}  // namespace weir::serve
