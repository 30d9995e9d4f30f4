#include "model/onnx_writer.h"

#include <algorithm>
#include <array>
#include <bit>

#include "base/text.h"
#include "model/onnx_graph.h"

namespace weir::model {
namespace {

constexpr std::int64_t kFormatVersion = 7;  // of ONNX 1.8
constexpr std::int64_t kOperators = 13;     // version of the standard ones
constexpr std::size_t kFileBytesMax = 2'000'000'000;

// Kinds of attribute, as AttributeProto numbers them.
enum class Kind { kFloat = 1, kInt = 2, kTensor = 4, kFloats = 6, kInts = 7, kStrings = 8 };

WireWriter attribute(std::string_view name, Kind kind) {
  WireWriter made;
  made.bytes(1, name).whole(20, static_cast<std::int64_t>(kind));
  return made;
}

std::string little_endian(std::uint64_t bits, int bytes) {
  std::string raw;
  for (int i = 0; i < bytes; ++i) raw += static_cast<char>(bits >> (8 * i) & 0xff);
  return raw;
}

std::string raw_floats(std::span<const double> values) {
  std::string raw;
  for (const double value : values) {
    raw += little_endian(std::bit_cast<std::uint32_t>(static_cast<float>(value)), 4);
  }
  return raw;
}

template <typename Value>
std::string raw_of_eight_bytes(std::span<const Value> values) {
  std::string raw;
  for (const Value value : values) raw += little_endian(std::bit_cast<std::uint64_t>(value), 8);
  return raw;
}

WireWriter tensor(std::string_view name, std::int64_t type, std::span<const std::int64_t> dims,
                  const std::string& raw) {
  WireWriter made;
  for (const std::int64_t dim : dims) made.whole(1, dim);
  made.whole(2, type).bytes(8, name).bytes(9, raw);
  return made;
}

WireWriter value_info(std::string_view name, std::int64_t type, std::int64_t columns) {
  WireWriter shape;
  shape.message(1, WireWriter().bytes(2, "rows")).message(1, WireWriter().whole(1, columns));
  const WireWriter tensor_type = WireWriter().whole(1, type).message(2, shape);
  return WireWriter().bytes(1, name).message(2, WireWriter().message(1, tensor_type));
}

WireWriter operator_set(std::string_view domain, std::int64_t version) {
  return WireWriter().bytes(1, domain).whole(2, version);
}

}  // namespace

OnnxNodeWriter::OnnxNodeWriter(std::string_view type, const std::vector<std::string>& inputs,
                               std::string_view output, std::string_view domain) {
  for (const std::string& input : inputs) written_.bytes(1, input);
  written_.bytes(2, output).bytes(4, type).bytes(7, domain);
}

OnnxNodeWriter& OnnxNodeWriter::whole(std::string_view name, std::int64_t value) {
  written_.message(5, attribute(name, Kind::kInt).whole(3, value));
  return *this;
}

OnnxNodeWriter& OnnxNodeWriter::wholes(std::string_view name,
                                       std::span<const std::int64_t> values) {
  WireWriter made = attribute(name, Kind::kInts);
  for (const std::int64_t value : values) made.whole(8, value);
  written_.message(5, made);
  return *this;
}

OnnxNodeWriter& OnnxNodeWriter::number(std::string_view name, double value) {
  written_.message(5, attribute(name, Kind::kFloat).real(2, static_cast<float>(value)));
  return *this;
}

OnnxNodeWriter& OnnxNodeWriter::numbers(std::string_view name, std::span<const double> values,
                                        OnnxWidth width) {
  if (width == OnnxWidth::kFloat) {
    WireWriter made = attribute(name, Kind::kFloats);
    for (const double value : values) made.real(7, static_cast<float>(value));
    written_.message(5, made);
    return *this;
  }
  const std::array dims{static_cast<std::int64_t>(values.size())};
  WireWriter made = attribute(std::string(name) + "_as_tensor", Kind::kTensor);
  written_.message(5, made.message(5, tensor(name, kOnnxDouble, dims, raw_of_eight_bytes(values))));
  return *this;
}

OnnxNodeWriter& OnnxNodeWriter::texts(std::string_view name,
                                      const std::vector<std::string>& values) {
  WireWriter made = attribute(name, Kind::kStrings);
  for (const std::string& value : values) made.bytes(9, value);
  written_.message(5, made);
  return *this;
}

OnnxWriter::OnnxWriter(const std::vector<std::string>& inputs) {
  const auto begins_so = [&](const std::string& input) { return input.starts_with(own_); };
  for (own_ = "weir."; std::ranges::any_of(inputs, begins_so);) own_ += '.';
}

std::string OnnxWriter::add(std::string_view type, const std::vector<std::string>& inputs,
                            std::string_view name) {
  add(OnnxNodeWriter(type, inputs, own(name)));
  return own(name);
}

std::string OnnxWriter::doubles(std::string_view name, std::span<const double> values,
                                std::span<const std::int64_t> dims) {
  graph_.message(5, tensor(own(name), kOnnxDouble, dims, raw_of_eight_bytes(values)));
  return own(name);
}

std::string OnnxWriter::floats(std::string_view name, std::span<const double> values,
                               std::span<const std::int64_t> dims) {
  graph_.message(5, tensor(own(name), kOnnxFloat, dims, raw_floats(values)));
  return own(name);
}

std::string OnnxWriter::wholes(std::string_view name, std::span<const std::int64_t> values) {
  const std::array dims{static_cast<std::int64_t>(values.size())};
  graph_.message(5, tensor(own(name), kOnnxInt64, dims, raw_of_eight_bytes(values)));
  return own(name);
}

void OnnxWriter::input(std::string_view name, std::int64_t type, std::int64_t columns) {
  graph_.message(11, value_info(name, type, columns));
}

void OnnxWriter::output(std::string_view name, std::int64_t type, std::int64_t columns) {
  graph_.message(12, value_info(name, type, columns));
}

Result<std::string> OnnxWriter::file(
    const std::string& program_version,
    const std::vector<std::pair<std::string, std::string>>& metadata) const {
  WireWriter graph = graph_;
  graph.bytes(2, "weirkeeper");
  WireWriter file;
  file.whole(1, kFormatVersion).bytes(2, "weirkeeper").bytes(3, program_version);
  file.message(7, graph);
  file.message(8, operator_set("", kOperators));
  file.message(8, operator_set(kOnnxLearning, learning_operators_));
  for (const auto& [key, value] : metadata) {
    file.message(14, WireWriter().bytes(1, key).bytes(2, value));
  }
  if (file.text().size() <= kFileBytesMax) return file.text();
  return fail(Code::kExhausted, "the ONNX file would have " + format_bytes(file.text().size()) +
                                    ", more than ONNX Runtime takes");
}

}  // namespace weir::model
