// Tensors of the Open Inference Protocol, version 2: JSON, or JSON with raw bytes behind it (the
// extension "binary_tensor_data").
//
// https://github.com/kserve/open-inference-protocol: required_api.md, binary_data_extension.md
//
// Threads: pure functions. Errors: kInvalidArgument, naming the tensor. Memory: 16 bytes an element
// besides the request's own, for texts their bytes.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::serve {

inline constexpr std::size_t kTensorElementsMax = 4'000'000;

struct Tensor {
  std::string name;
  std::string datatype;  // "FP64", "INT32", "BYTES", …
  std::vector<std::int64_t> shape;
  std::vector<double> numbers;     // row-major; of every datatype but BYTES
  std::vector<std::string> texts;  // of BYTES

  bool is_text() const { return datatype == "BYTES"; }
  std::size_t size() const { return is_text() ? texts.size() : numbers.size(); }
};

struct InferRequest {
  std::string id;
  std::vector<Tensor> inputs;
  std::vector<std::string> outputs;  // wanted; none: all
  bool binary_output = false;
};

// `json_bytes`: of Inference-Header-Content-Length; the whole body where there is no such header.
Result<InferRequest> read_infer_request(std::string_view body, std::size_t json_bytes);

// Little-endian FP64, as the protocol has raw tensors.
std::string raw_fp64(const std::vector<double>& values);

}  // namespace weir::serve
