// An ONNX file that is written: nodes, constants, inputs and outputs, in the order of the calls.
// (Read: onnx_graph.h.) A node may name what a later call adds, but for the outputs of later nodes.
//
// Values of a graph have names, and those of its inputs are given from outside. What the graph
// calls its own values by begins with a text that no input begins with: own().
//
// Owner: whoever writes a model down. Threads: one per object. Errors: kExhausted where the file
// would be larger than ONNX Runtime takes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "model/protobuf_wire.h"

namespace weir::model {

inline constexpr std::string_view kOnnxLearning = "ai.onnx.ml";  // its domain

// Numbers of an operator's attribute as floats, or as a tensor of doubles under a longer name.
enum class OnnxWidth { kFloat, kDouble };

class OnnxNodeWriter {
 public:
  OnnxNodeWriter(std::string_view type, const std::vector<std::string>& inputs,
                 std::string_view output, std::string_view domain = "");

  OnnxNodeWriter& whole(std::string_view name, std::int64_t value);
  OnnxNodeWriter& wholes(std::string_view name, std::span<const std::int64_t> values);
  OnnxNodeWriter& number(std::string_view name, double value);  // as a float
  OnnxNodeWriter& numbers(std::string_view name, std::span<const double> values, OnnxWidth width);
  OnnxNodeWriter& texts(std::string_view name, const std::vector<std::string>& values);

  const WireWriter& written() const { return written_; }

 private:
  WireWriter written_;
};

class OnnxWriter {
 public:
  // `inputs`: the names of all inputs that are going to be declared.
  explicit OnnxWriter(const std::vector<std::string>& inputs);

  std::string own(std::string_view name) const { return own_ + std::string(name); }

  void add(const OnnxNodeWriter& node) { graph_.message(1, node.written()); }
  // A node without attributes; its output has the name own(name), which is given back.
  std::string add(std::string_view type, const std::vector<std::string>& inputs,
                  std::string_view name);
  // Constants of the name own(name), which is given back.
  std::string doubles(std::string_view name, std::span<const double> values,
                      std::span<const std::int64_t> dims);
  std::string floats(std::string_view name, std::span<const double> values,
                     std::span<const std::int64_t> dims);
  std::string wholes(std::string_view name, std::span<const std::int64_t> values);

  // Tables of as many rows as there are, and so many columns. The name is taken as it is.
  void input(std::string_view name, std::int64_t type, std::int64_t columns);
  void output(std::string_view name, std::int64_t type, std::int64_t columns);

  // Needs version 3 of ai.onnx.ml, the first with doubles in trees, which is newer than all else.
  void use_double_trees() { learning_operators_ = 3; }

  // The file. `metadata`: by key.
  Result<std::string> file(const std::string& program_version,
                           const std::vector<std::pair<std::string, std::string>>& metadata) const;

 private:
  std::string own_;
  WireWriter graph_;
  std::int64_t learning_operators_ =
      2;  // version of ai.onnx.ml: the first to label texts by floats
};

}  // namespace weir::model
