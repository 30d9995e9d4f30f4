#include "format/tensor.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/text.h"

namespace weir::format {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::size_t kShownMax = 100;

template <typename Number>
bool read_numbers(std::string_view bytes, std::size_t count, std::vector<double>& numbers) {
  if (bytes.size() != count * sizeof(Number)) return false;
  numbers.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    Number value;
    std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
    numbers[i] = static_cast<double>(value);
  }
  return true;
}

bool read_texts(std::string_view bytes, std::size_t count, std::vector<std::string_view>& texts) {
  std::uint32_t length = 0;
  // Asked before anything is set aside for them.
  if (bytes.size() / sizeof length < count) return false;
  texts.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (bytes.size() < sizeof length) return false;
    std::memcpy(&length, bytes.data(), sizeof length);
    bytes.remove_prefix(sizeof length);
    if (bytes.size() < length) return false;
    texts.push_back(bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
  return bytes.empty();
}

struct Datatype {
  std::string_view name;
  bool (*read)(std::string_view, std::size_t, std::vector<double>&);
};
constexpr std::array<Datatype, 12> kDatatypes = {{{"FP64", read_numbers<double>},
                                                  {"FP32", read_numbers<float>},
                                                  {"INT64", read_numbers<std::int64_t>},
                                                  {"INT32", read_numbers<std::int32_t>},
                                                  {"INT16", read_numbers<std::int16_t>},
                                                  {"INT8", read_numbers<std::int8_t>},
                                                  {"UINT64", read_numbers<std::uint64_t>},
                                                  {"UINT32", read_numbers<std::uint32_t>},
                                                  {"UINT16", read_numbers<std::uint16_t>},
                                                  {"UINT8", read_numbers<std::uint8_t>},
                                                  {"BOOL", read_numbers<std::uint8_t>},
                                                  {"BYTES", nullptr}}};

const Datatype* find_datatype(std::string_view name) {
  const auto found = std::find_if(kDatatypes.begin(), kDatatypes.end(),
                                  [&](const Datatype& known) { return known.name == name; });
  return found == kDatatypes.end() ? nullptr : &*found;
}

}  // namespace

Error input_error(std::string_view name, const std::string& why) {
  return {Code::kInvalidArgument, "input '" + one_line(name.substr(0, kShownMax)) + "': " + why};
}

Status check_datatype(std::string_view name, std::string_view datatype) {
  if (find_datatype(datatype) != nullptr) return {};
  return fail(input_error(name,
                          "its datatype is none that is known here (FP64, FP32, INT…, UINT…, "
                          "BOOL, BYTES)"));
}

Result<std::size_t> element_count(std::string_view name, std::span<const std::int64_t> shape,
                                  std::size_t& left) {
  if (shape.empty() || shape.size() > kTensorDimensionsMax) {
    return fail(input_error(name, "its shape is no list of one to eight sizes"));
  }
  std::size_t count = 1;
  for (const std::int64_t size : shape) {
    if (size < 0 || static_cast<std::uint64_t>(size) > kTensorElementsMax) {
      return fail(input_error(name, "its shape holds what is no size"));
    }
    count *= static_cast<std::size_t>(size);  // of two numbers below 2^22
    if (count > left) {
      return fail(input_error(name, "the request has more than " +
                                        std::to_string(kTensorElementsMax) +
                                        " elements, the limit here"));
    }
  }
  left -= count;
  return count;
}

Status read_raw(std::string_view bytes, std::size_t count, Tensor& tensor) {
  const Datatype* datatype = find_datatype(tensor.datatype);
  const bool good = datatype != nullptr &&
                    (datatype->read != nullptr ? datatype->read(bytes, count, tensor.numbers)
                                               : read_texts(bytes, count, tensor.texts));
  if (good) return {};
  return fail(input_error(
      tensor.name, "its bytes are not those of " + std::to_string(count) + " " + tensor.datatype));
}

std::string raw_fp64(std::span<const double> values) {
  std::string raw(values.size_bytes(), '\0');
  if (!values.empty()) std::memcpy(raw.data(), values.data(), raw.size());
  return raw;
}

}  // namespace weir::format
