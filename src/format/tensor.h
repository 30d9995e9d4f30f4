// Tensors of the Open Inference Protocol, version 2, whichever way they came.
//
// https://github.com/kserve/open-inference-protocol: required_api.md, binary_data_extension.md
//
// Threads: pure functions and plain values. Errors: kInvalidArgument, naming the input. Memory:
// eight bytes a number, sixteen a text; texts are views into what the tensor was read from.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::format {

inline constexpr std::size_t kTensorElementsMax = 4'000'000;  // of a request
inline constexpr std::size_t kTensorsMax = 2'048;             // of a request
inline constexpr std::size_t kTensorDimensionsMax = 8;

struct Tensor {
  std::string name;
  std::string datatype;  // "FP64", "INT32", "BYTES", …
  std::vector<std::int64_t> shape;
  std::vector<double> numbers;          // row-major; of every datatype but BYTES; NaN: missing
  std::vector<std::string_view> texts;  // of BYTES; empty: missing

  bool is_text() const { return datatype == "BYTES"; }
  std::size_t size() const { return is_text() ? texts.size() : numbers.size(); }
};

// What tells of an input by its name: "input 'x': …".
Error input_error(std::string_view name, const std::string& why);
// One of FP64, FP32, INT64 … BOOL, BYTES.
Status check_datatype(std::string_view name, std::string_view datatype);
// The product of the sizes; an Error where it, or one of them, is no number of elements. Takes it
// from `left`, what the request may have in all.
Result<std::size_t> element_count(std::string_view name, std::span<const std::int64_t> shape,
                                  std::size_t& left);
// Raw elements, little-endian; each text with its length, four bytes, before it. `tensor` has a
// datatype that is known.
Status read_raw(std::string_view bytes, std::size_t count, Tensor& tensor);

// Little-endian FP64, as the protocol has raw tensors.
std::string raw_fp64(std::span<const double> values);

}  // namespace weir::format
