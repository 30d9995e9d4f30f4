#include "model/protobuf_wire.h"

#include <bit>

namespace weir::model {
namespace {

constexpr int kVarintBytesMax = 10;

auto broken(const char* what) { return fail(Code::kCorrupt, what); }

// Calls `take` with each of the packed values, or with the one.
template <typename Take>
Status for_each_value(const WireField& field, WireField::Type single, std::size_t size,
                      std::size_t count_max, Take take) {
  if (field.type == single) {
    if (count_max == 0) return broken("a list has more values than a model's");
    take(field.value);
    return {};
  }
  if (field.type != WireField::kBytes || field.bytes.size() % size != 0) {
    return broken("a list of numbers is none");
  }
  if (field.bytes.size() / size > count_max) {
    return broken("a list has more values than a model's");
  }
  for (std::size_t at = 0; at < field.bytes.size(); at += size) {
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;) {
      value = value << 8 | static_cast<unsigned char>(field.bytes[at + i]);
    }
    take(value);
  }
  return {};
}

}  // namespace

void WireWriter::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) text_ += static_cast<char>((value & 0x7f) | 0x80);
  text_ += static_cast<char>(value);
}

void WireWriter::tag(std::uint32_t number, WireField::Type type) {
  varint(static_cast<std::uint64_t>(number) << 3 | type);
}

WireWriter& WireWriter::whole(std::uint32_t number, std::int64_t value) {
  tag(number, WireField::kVarint);
  varint(static_cast<std::uint64_t>(value));
  return *this;
}

WireWriter& WireWriter::real(std::uint32_t number, float value) {
  tag(number, WireField::kFixed32);
  const auto bits = std::bit_cast<std::uint32_t>(value);
  for (int i = 0; i < 4; ++i) text_ += static_cast<char>(bits >> (8 * i) & 0xff);
  return *this;
}

WireWriter& WireWriter::bytes(std::uint32_t number, std::string_view value) {
  tag(number, WireField::kBytes);
  varint(value.size());
  text_ += value;
  return *this;
}

double WireField::as_float() const {
  return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(value)));
}
double WireField::as_double() const { return std::bit_cast<double>(value); }

Result<std::uint64_t> WireReader::varint() {
  std::uint64_t value = 0;
  for (int i = 0; i < kVarintBytesMax; ++i) {
    if (rest_.empty()) return broken("it is cut short");
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if ((byte & 0x80) == 0) return value;
  }
  return broken("a number has no end");
}

Result<std::uint64_t> WireReader::fixed(std::size_t bytes) {
  if (rest_.size() < bytes) return broken("it is cut short");
  std::uint64_t value = 0;
  for (std::size_t i = bytes; i-- > 0;) value = value << 8 | static_cast<unsigned char>(rest_[i]);
  rest_.remove_prefix(bytes);
  return value;
}

Result<std::optional<WireField>> WireReader::next() {
  if (rest_.empty()) return std::optional<WireField>();
  const std::uint64_t tag = WEIR_TRY(varint());
  WireField field;
  if (tag >> 3 == 0 || tag >> 32 != 0) return broken("a field has no number");
  field.number = static_cast<std::uint32_t>(tag >> 3);
  field.type = static_cast<WireField::Type>(tag & 7);
  switch (field.type) {
    case WireField::kVarint: field.value = WEIR_TRY(varint()); break;
    case WireField::kFixed64: field.value = WEIR_TRY(fixed(8)); break;
    case WireField::kFixed32: field.value = WEIR_TRY(fixed(4)); break;
    case WireField::kBytes: {
      const std::uint64_t length = WEIR_TRY(varint());
      if (length > rest_.size()) return broken("it is cut short");
      field.bytes = rest_.substr(0, static_cast<std::size_t>(length));
      rest_.remove_prefix(field.bytes.size());
      break;
    }
    default: return broken("a field is of a kind that there is not");
  }
  return std::optional(field);
}

Status append_whole_numbers(const WireField& field, std::size_t count_max,
                            std::vector<std::int64_t>& to) {
  if (field.type == WireField::kVarint) {
    if (count_max == 0) return broken("a list has more values than a model's");
    to.push_back(field.whole());
    return {};
  }
  if (field.type != WireField::kBytes) return broken("a list of numbers is none");
  // Each is a varint: read as the rest of a field of one.
  std::uint64_t value = 0;
  int shift = 0;
  for (const char c : field.bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (shift >= 7 * kVarintBytesMax) return broken("a number has no end");
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    shift += 7;
    if ((byte & 0x80) != 0) continue;
    if (count_max-- == 0) return broken("a list has more values than a model's");
    to.push_back(static_cast<std::int64_t>(value));
    value = 0;
    shift = 0;
  }
  if (shift != 0) return broken("it is cut short");
  return {};
}

Status append_floats(const WireField& field, std::size_t count_max, std::vector<double>& to) {
  return for_each_value(field, WireField::kFixed32, 4, count_max, [&](std::uint64_t value) {
    to.push_back(WireField{0, WireField::kFixed32, value, {}}.as_float());
  });
}

Status append_doubles(const WireField& field, std::size_t count_max, std::vector<double>& to) {
  return for_each_value(field, WireField::kFixed64, 8, count_max,
                        [&](std::uint64_t value) { to.push_back(std::bit_cast<double>(value)); });
}

}  // namespace weir::model
