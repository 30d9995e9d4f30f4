#include "serve/tensors.h"

#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "serve/json_depth.h"

namespace weir::serve {
namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little);

tl::unexpected<Error> refuse(const std::string& name, const std::string& why) {
  return fail(Code::kInvalidArgument, "input '" + one_line(name.substr(0, 100)) + "': " + why);
}

template <typename Number>
bool append_raw(std::string_view bytes, std::size_t count, std::vector<double>& numbers) {
  if (bytes.size() != count * sizeof(Number)) return false;
  for (std::size_t i = 0; i < count; ++i) {
    Number value;
    std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
    numbers.push_back(static_cast<double>(value));
  }
  return true;
}

// Each text with its length, four bytes, before it.
bool append_raw_texts(std::string_view bytes, std::size_t count, std::vector<std::string>& texts) {
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t length = 0;
    if (bytes.size() < sizeof length) return false;
    std::memcpy(&length, bytes.data(), sizeof length);
    bytes.remove_prefix(sizeof length);
    if (bytes.size() < length) return false;
    texts.emplace_back(bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
  return bytes.empty();
}

bool append_raw_of(const std::string& datatype, std::string_view bytes, std::size_t count,
                   Tensor& tensor) {
  auto& numbers = tensor.numbers;
  if (datatype == "FP64") return append_raw<double>(bytes, count, numbers);
  if (datatype == "FP32") return append_raw<float>(bytes, count, numbers);
  if (datatype == "INT64") return append_raw<std::int64_t>(bytes, count, numbers);
  if (datatype == "INT32") return append_raw<std::int32_t>(bytes, count, numbers);
  if (datatype == "INT16") return append_raw<std::int16_t>(bytes, count, numbers);
  if (datatype == "INT8") return append_raw<std::int8_t>(bytes, count, numbers);
  if (datatype == "UINT64") return append_raw<std::uint64_t>(bytes, count, numbers);
  if (datatype == "UINT32") return append_raw<std::uint32_t>(bytes, count, numbers);
  if (datatype == "UINT16") return append_raw<std::uint16_t>(bytes, count, numbers);
  if (datatype == "UINT8" || datatype == "BOOL") {
    return append_raw<std::uint8_t>(bytes, count, numbers);
  }
  return datatype == "BYTES" && append_raw_texts(bytes, count, tensor.texts);
}

bool is_datatype(const std::string& name) {
  for (const char* known : {"FP64", "FP32", "INT64", "INT32", "INT16", "INT8", "UINT64", "UINT32",
                            "UINT16", "UINT8", "BOOL", "BYTES"}) {
    if (name == known) return true;
  }
  return false;
}

// Nested as the shape is, or flat: both are the same elements in the same order.
bool append_json(const Json& data, Tensor& tensor, int depth) {
  if (data.is_array()) {
    if (depth == 0) return false;
    for (const Json& element : data) {
      if (!append_json(element, tensor, depth - 1)) return false;
    }
    return tensor.size() <= kTensorElementsMax;
  }
  if (tensor.is_text()) {
    if (!data.is_string()) return false;
    tensor.texts.push_back(data.get<std::string>());
    return true;
  }
  if (data.is_boolean()) tensor.numbers.push_back(data.get<bool>() ? 1 : 0);
  else if (data.is_number()) tensor.numbers.push_back(data.get<double>());
  else return false;
  return true;
}

Result<std::size_t> read_shape(const Json& json, Tensor& tensor) {
  if (!json.is_array() || json.empty() || json.size() > 8) {
    return refuse(tensor.name, "its shape is no list of one to eight sizes");
  }
  std::size_t count = 1;
  for (const Json& size : json) {
    if (!size.is_number_unsigned() || size.get<std::uint64_t>() > kTensorElementsMax) {
      return refuse(tensor.name, "its shape holds what is no size");
    }
    tensor.shape.push_back(size.get<std::int64_t>());
    count *= size.get<std::size_t>();
    if (count > kTensorElementsMax) {
      return refuse(tensor.name, "it has more than " + std::to_string(kTensorElementsMax) +
                                     " elements, the limit here");
    }
  }
  return count;
}

Result<Tensor> read_tensor(const Json& json, std::string_view& raw) {
  Tensor tensor;
  if (!json.is_object() || !json.contains("name") || !json["name"].is_string()) {
    return fail(Code::kInvalidArgument, "an input has no name");
  }
  tensor.name = json["name"].get<std::string>();
  if (!json.contains("datatype") || !json["datatype"].is_string() ||
      !is_datatype(json["datatype"].get<std::string>())) {
    return refuse(tensor.name,
                  "its datatype is none that is known here (FP64, FP32, INT…, UINT…, "
                  "BOOL, BYTES)");
  }
  tensor.datatype = json["datatype"].get<std::string>();
  const std::size_t count = WEIR_TRY(read_shape(json.value("shape", Json()), tensor));
  const Json parameters = json.value("parameters", Json::object());
  if (parameters.is_object() && parameters.contains("binary_data_size")) {
    const Json& size = parameters["binary_data_size"];
    if (!size.is_number_unsigned() || size.get<std::uint64_t>() > raw.size()) {
      return refuse(tensor.name, "fewer bytes follow the JSON than its binary_data_size");
    }
    const std::string_view bytes = raw.substr(0, size.get<std::size_t>());
    raw.remove_prefix(bytes.size());
    if (!append_raw_of(tensor.datatype, bytes, count, tensor)) {
      return refuse(tensor.name,
                    "its bytes are not those of " + std::to_string(count) + " " + tensor.datatype);
    }
    return tensor;
  }
  if (!json.contains("data") || !append_json(json["data"], tensor, 8)) {
    return refuse(tensor.name,
                  "its data is no list of " + std::string(tensor.is_text() ? "texts" : "numbers"));
  }
  if (tensor.size() != count) {
    return refuse(tensor.name, "its shape stands for " + std::to_string(count) + " elements, and " +
                                   std::to_string(tensor.size()) + " came");
  }
  return tensor;
}

bool flag_of(const Json& json, const char* name) {
  if (!json.is_object() || !json.contains("parameters")) return false;
  const Json& parameters = json["parameters"];
  return parameters.is_object() && parameters.contains(name) && parameters[name].is_boolean() &&
         parameters[name].get<bool>();
}

}  // namespace

Result<InferRequest> read_infer_request(std::string_view body, std::size_t json_bytes) {
  if (json_bytes > body.size()) {
    return fail(Code::kInvalidArgument, "Inference-Header-Content-Length is more than the body");
  }
  std::string_view raw = body.substr(json_bytes);
  if (nested_too_deeply(body.substr(0, json_bytes))) {
    return fail(Code::kInvalidArgument, "the JSON is nested too deeply");
  }
  const Json json = Json::parse(body.substr(0, json_bytes), nullptr, false);
  if (!json.is_object()) return fail(Code::kInvalidArgument, "the body is no JSON object");
  InferRequest request;
  if (json.contains("id") && json["id"].is_string()) request.id = json["id"].get<std::string>();
  if (!json.contains("inputs") || !json["inputs"].is_array() || json["inputs"].empty()) {
    return fail(Code::kInvalidArgument, "there are no inputs");
  }
  for (const Json& input : json["inputs"]) {
    request.inputs.push_back(WEIR_TRY(read_tensor(input, raw)));
  }
  if (!raw.empty()) {
    return fail(Code::kInvalidArgument,
                std::to_string(raw.size()) + " bytes follow the JSON that no input is made of");
  }
  request.binary_output = flag_of(json, "binary_data_output");
  if (json.contains("outputs") && json["outputs"].is_array()) {
    for (const Json& output : json["outputs"]) {
      if (!output.is_object() || !output.contains("name") || !output["name"].is_string()) {
        return fail(Code::kInvalidArgument, "an output has no name");
      }
      request.outputs.push_back(output["name"].get<std::string>());
      request.binary_output = request.binary_output || flag_of(output, "binary_data");
    }
  }
  return request;
}

std::string raw_fp64(const std::vector<double>& values) {
  std::string raw(values.size() * sizeof(double), '\0');
  if (!values.empty()) std::memcpy(raw.data(), values.data(), raw.size());
  return raw;
}

}  // namespace weir::serve
