// GET /v1/models, /v1/models/{version}; POST /v1/models/{version}/rollback, POST /v1/train.
//
// Threads: handlers on workers. Errors: as answers; docs/gateway.md lists them.
#pragma once

#include <map>
#include <mutex>

#include "serve/parts.h"
#include "serve/router.h"

namespace weir::serve {

class ModelsApi {
 public:
  explicit ModelsApi(Parts& parts) : parts_(parts) {}
  void add_routes(Router& router);

 private:
  Result<http::Response> list(const Call& call) const;
  Result<http::Response> show(const Call& call) const;
  Result<http::Response> held_out(const Call& call) const;
  Result<http::Response> roll_back(const Call& call) const;
  Result<http::Response> train(const Call& call) const;
  Result<registry::Manifest> manifest(std::uint64_t version) const;
  Status ask(record::MemberRecord request) const;

  Parts& parts_;
  mutable std::mutex mutex_;
  mutable std::map<std::uint64_t, registry::Manifest>
      manifests_;  // guarded by mutex_; they never change
};

}  // namespace weir::serve
