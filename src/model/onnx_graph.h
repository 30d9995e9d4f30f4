// An ONNX file as what it says, before anything is made of it: nodes, constants, inputs, outputs.
//
// Field numbers are those of onnx.proto (ONNX 1.0 to 1.19, which only ever adds some). What a model
// of this program has no use for (names for people, shapes in between, sparse constants) is passed
// over; nodes that need it are refused by whoever reads the graph.
//
// Threads: pure functions. Errors: kCorrupt (no such file, cut short, more values than a model
// has), kUnsupported (constants that lie in other files). Strings are views of the file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::model {

struct OnnxTensor {
  std::string_view name;
  std::vector<std::int64_t> dims;
  std::int64_t type = 0;       // kOnnxFloat, …
  std::vector<double> values;  // of floats, doubles and whole numbers; empty for others
};

inline constexpr std::int64_t kOnnxFloat = 1;
inline constexpr std::int64_t kOnnxInt64 = 7;
inline constexpr std::int64_t kOnnxString = 8;
inline constexpr std::int64_t kOnnxDouble = 11;

struct OnnxAttribute {
  std::optional<double> number;  // of kind float
  std::optional<std::int64_t> whole;
  std::optional<std::string_view> text;
  std::optional<OnnxTensor> tensor;
  std::vector<double> numbers;
  std::vector<std::int64_t> wholes;
  std::vector<std::string_view> texts;
};

struct OnnxNode {
  std::string_view type;
  std::string_view domain;
  std::vector<std::string_view> inputs;
  std::vector<std::string_view> outputs;
  std::map<std::string_view, OnnxAttribute> attributes;
};

struct OnnxInput {
  std::string_view name;
  std::int64_t type = 0;           // of its elements; 0: no tensor
  std::vector<std::int64_t> dims;  // 0 where it is not a number
};

struct OnnxGraph {
  std::string_view producer;
  std::string_view producer_version;
  std::vector<OnnxNode> nodes;
  std::vector<OnnxTensor> constants;
  std::vector<OnnxInput> inputs;  // constants left out
  std::vector<std::string_view> outputs;
};

bool begins_as_onnx(std::string_view document);

Result<OnnxGraph> parse_onnx(std::string_view document);

}  // namespace weir::model
