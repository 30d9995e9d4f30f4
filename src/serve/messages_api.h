// POST /v1/messages: records into the features topic, and on request their predictions.
//
// Threads: handlers from any. Errors: as answers; docs/gateway.md lists them.
#pragma once

#include "serve/parts.h"
#include "serve/router.h"

namespace weir::serve {

class MessagesApi {
 public:
  explicit MessagesApi(Parts& parts) : parts_(parts) {}
  void add_routes(Router& router);

 private:
  void push(Call call, http::Reply reply);
  Result<std::vector<PushRecord>> read(const http::Request& request) const;

  Parts& parts_;
};

}  // namespace weir::serve
