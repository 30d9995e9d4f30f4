// The wire format of Protocol Buffers, as far as ONNX needs it: fields in, fields out.
//
// Threads: one per object. Errors: kCorrupt where bytes are no such message or end too early.
// Nothing is copied or allocated by reading: what comes out are views of the bytes that went in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::model {

struct WireField {
  enum Type : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

  std::uint32_t number = 0;
  Type type = kVarint;
  std::uint64_t value = 0;  // of all but kBytes
  std::string_view bytes;   // of kBytes

  std::int64_t whole() const { return static_cast<std::int64_t>(value); }
  double as_float() const;   // of kFixed32
  double as_double() const;  // of kFixed64
};

class WireReader {
 public:
  explicit WireReader(std::string_view message) : rest_(message) {}
  // nullopt at the end.
  Result<std::optional<WireField>> next();

 private:
  Result<std::uint64_t> varint();
  Result<std::uint64_t> fixed(std::size_t bytes);

  std::string_view rest_;
};

// Appends what a repeated field of numbers holds: one, or several packed. kCorrupt where that would
// be more than `count_max` of them.
Status append_whole_numbers(const WireField& field, std::size_t count_max,
                            std::vector<std::int64_t>& to);
Status append_floats(const WireField& field, std::size_t count_max, std::vector<double>& to);
Status append_doubles(const WireField& field, std::size_t count_max, std::vector<double>& to);

// A message that is written, field by field.
class WireWriter {
 public:
  WireWriter& whole(std::uint32_t number, std::int64_t value);
  WireWriter& real(std::uint32_t number, float value);
  WireWriter& bytes(std::uint32_t number, std::string_view value);
  WireWriter& message(std::uint32_t number, const WireWriter& value) {
    return bytes(number, value.text());
  }
  const std::string& text() const { return text_; }

 private:
  void varint(std::uint64_t value);
  void tag(std::uint32_t number, WireField::Type type);

  std::string text_;
};

}  // namespace weir::model
