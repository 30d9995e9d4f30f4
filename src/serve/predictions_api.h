// GET /v1/predictions, /v1/predictions/{id}, /v1/predictions/stream,
// /v1/records/{partition}/{offset}.
//
// Threads: handlers from any. Errors: as answers; docs/gateway.md lists them.
#pragma once

#include "serve/parts.h"
#include "serve/router.h"

namespace weir::serve {

class PredictionsApi {
 public:
  explicit PredictionsApi(Parts& parts) : parts_(parts) {}
  void add_routes(Router& router);

 private:
  Result<http::Response> by_id(const Call& call) const;
  Result<http::Response> by_place(const Call& call) const;
  Result<http::Response> list(const Call& call) const;
  void stream(Call call, http::Reply reply);

  Parts& parts_;
};

}  // namespace weir::serve
