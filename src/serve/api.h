// The gateway as the HTTP server sees it: finds the route, asks who may, counts, hands on.
//
// Owner: cli; the parts and the server's thread outlive... see Gateway. Threads: plan() and
// handle() on the server's. Errors: as answers.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "http/server.h"
#include "serve/access.h"
#include "serve/assets_api.h"
#include "serve/cache_api.h"
#include "serve/datasets_api.h"
#include "serve/flow_api.h"
#include "serve/health_api.h"
#include "serve/infer_api.h"
#include "serve/inference.h"
#include "serve/messages_api.h"
#include "serve/models_api.h"
#include "serve/parts.h"
#include "serve/predictions_api.h"
#include "serve/request_guard.h"
#include "serve/request_metrics.h"
#include "serve/request_trace.h"
#include "serve/router.h"
#include "serve/watch_api.h"

namespace weir::serve {

struct ApiOptions {
  AccessList access;
  GuardOptions guard;
};

class Api final : public http::Handler {
 public:
  Api(ApiOptions options, Parts& parts);

  http::BodyPlan plan(const http::Request& head) override;
  void handle(http::Request request, http::Reply reply) override;
  http::Response fault(unsigned status, const std::string& reason) override;

  void set_server(const http::Server* server) { health_.set_server(server); }
  const Router& router() const { return router_; }
  // What the door of gRPC shares with this one.
  const AccessList& access() const { return options_.access; }
  RequestGuard& guard() { return guard_; }
  RequestMetrics& metrics() { return metrics_; }
  Inference& inference() { return inference_; }

 private:
  http::Reply counted(http::Reply reply, RequestMetrics::Key key,
                      std::optional<RequestTrace> trace) const;

  const ApiOptions options_;
  Parts& parts_;
  mutable RequestMetrics metrics_;
  RequestGuard guard_;
  MessagesApi messages_;
  PredictionsApi predictions_;
  ModelsApi models_;
  DatasetsApi datasets_;
  Inference inference_;
  InferApi infer_;
  WatchApi watch_;
  CacheApi cache_;
  HealthApi health_;
  FlowApi flow_;
  AssetsApi assets_;
  Router router_;
};

}  // namespace weir::serve
