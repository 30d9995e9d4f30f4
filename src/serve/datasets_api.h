// GET /v1/datasets: what waits, was used, was refused and why; PUT /v1/datasets/{name}: one more,
// complete or not at all.
//
// Threads: handlers on workers. Errors: as answers; docs/gateway.md lists them.
#pragma once

#include "serve/dataset_lists.h"
#include "serve/parts.h"
#include "serve/router.h"

namespace weir::serve {

class DatasetsApi {
 public:
  explicit DatasetsApi(Parts& parts) : parts_(parts) {}
  void add_routes(Router& router);

 private:
  Result<http::Response> list(const Call& call) const;
  Result<http::Response> put(const Call& call) const;

  Parts& parts_;
  mutable RefusalReasons reasons_;
};

}  // namespace weir::serve
