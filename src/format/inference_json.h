// A request of the Open Inference Protocol as REST has it: JSON, or JSON with raw bytes behind it
// (the extension "binary_tensor_data").
//
//   {"id": "7", "inputs": [{"name": "x", "datatype": "FP64", "shape": [2], "data": [1, 2.5]}],
//    "outputs": [{"name": "prediction", "parameters": {"binary_data": true}}]}
//
// Numbers are the nearest doubles, as in messages; null is a missing value. Data may be nested as
// the shape is, or flat: both are the same elements in the same order. Members that are not known
// are checked to be JSON, and passed over; one that comes twice is refused.
//
// Owner: the request owns what was unescaped; the body outlives it. Threads: a pure function.
// Errors: kInvalidArgument, with the input's name. Memory: no tree is made of the JSON; what is
// kept grows with the elements that came, not with those that a shape promises.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "format/tensor.h"

namespace weir::format {

struct InferenceRequest {
  std::string id;
  std::vector<Tensor> inputs;
  std::vector<std::string> outputs;  // wanted; none: all
  bool binary_output = false;
  std::unique_ptr<const std::string> unescaped;  // where some of the texts stand
};

// `json_bytes`: of Inference-Header-Content-Length; the whole body where there is no such header.
Result<InferenceRequest> read_inference_json(std::string_view body, std::size_t json_bytes);

}  // namespace weir::format
