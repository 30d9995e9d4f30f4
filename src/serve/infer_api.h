// The Open Inference Protocol, version 2, over REST: the model in force answers at once, and
// nothing of it is in the stream.
//
// The model's name is the pipeline's; its version is the one in force. Inputs:
// format/tensor_rows.h. Output: "prediction", FP64, [rows].
//
// Threads: handlers from any. Errors: {"error": "…"}, as the protocol has them; 413 and 415 for
// bodies that are too large unpacked, or packed otherwise than by gzip; 503 where too much waits.
#pragma once

#include "serve/inference.h"
#include "serve/parts.h"
#include "serve/router.h"

namespace weir::serve {

class InferApi {
 public:
  // `inference` outlives it.
  InferApi(Parts& parts, Inference& inference) : parts_(parts), inference_(inference) {}
  void add_routes(Router& router);

 private:
  struct Job;

  Result<std::shared_ptr<const LiveModel>> model_of(const Call& call) const;
  http::Response server_metadata() const;
  Result<http::Response> metadata(const Call& call) const;
  void infer(Call call, http::Reply reply);
  Status read(Job& job) const;
  Result<http::Response> answer(const Job& job) const;

  Parts& parts_;
  Inference& inference_;
};

}  // namespace weir::serve
