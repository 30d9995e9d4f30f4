// The Open Inference Protocol, version 2, over REST: the model in force answers at once, and
// nothing of it is in the stream.
//
// The model's name is the pipeline's; its version is the one in force. Inputs: one tensor for each
// feature, by name, of shape [rows] or [rows, 1]; or, where each feature is a number, one tensor
// "features" of shape [rows, features] in the schema's order. Output: "prediction", FP64, [rows].
//
// Threads: handlers from any. Errors: {"error": "…"}, as the protocol has them.
#pragma once

#include "serve/parts.h"
#include "serve/router.h"

namespace weir::serve {

class InferApi {
 public:
  explicit InferApi(Parts& parts) : parts_(parts) {}
  void add_routes(Router& router);

 private:
  Result<std::shared_ptr<const LiveModel>> model_of(const Call& call) const;
  http::Response server_metadata() const;
  Result<http::Response> metadata(const Call& call) const;
  Result<http::Response> infer(const Call& call) const;

  Parts& parts_;
};

}  // namespace weir::serve
