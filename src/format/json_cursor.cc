#include "format/json_cursor.h"

#include <simdjson.h>

#include <bit>
#include <cstdint>
#include <cstring>

namespace weir::format {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101U;
constexpr std::uint64_t kTops = 0x8080808080808080U;

// Top bits of the bytes that are a quote, a backslash, a control character or not ASCII. Above the
// first of them the answer may be wrong (a borrow), so only the first counts.
std::uint64_t odd_bytes(std::uint64_t word) {
  const auto zeros = [](std::uint64_t v) { return (v - kOnes) & ~v; };
  return (zeros(word ^ (kOnes * '"')) | zeros(word ^ (kOnes * '\\')) |
          ((word - kOnes * 0x20) & ~word) | word) &
         kTops;
}

void append_utf8(std::string& out, unsigned code_point) {
  const auto add = [&](unsigned byte) { out += static_cast<char>(byte); };
  if (code_point < 0x80) {
    add(code_point);
  } else if (code_point < 0x800) {
    add(0xc0 | (code_point >> 6));
    add(0x80 | (code_point & 0x3f));
  } else if (code_point < 0x10000) {
    add(0xe0 | (code_point >> 12));
    add(0x80 | ((code_point >> 6) & 0x3f));
    add(0x80 | (code_point & 0x3f));
  } else {
    add(0xf0 | (code_point >> 18));
    add(0x80 | ((code_point >> 12) & 0x3f));
    add(0x80 | ((code_point >> 6) & 0x3f));
    add(0x80 | (code_point & 0x3f));
  }
}

}  // namespace

bool JsonCursor::read_string(std::string_view& text, bool& escaped) {
  escaped = false;
  if (!take('"')) return not_json("expected a string");
  const char* const begin = at_;
  bool ascii = true;
  while (true) {
    while (left() >= sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, at_, sizeof word);
      const std::uint64_t odd = odd_bytes(word);
      at_ += odd == 0 ? 8 : std::countr_zero(odd) / 8;
      if (odd != 0) break;
    }
    if (at_ == end_) return not_json("a string without its end");
    const char c = *at_;
    if (c == '"') break;
    if (c == '\\') {
      escaped = true;
      return unescape_rest(begin, text);
    }
    if (static_cast<unsigned char>(c) < 0x20) return not_json("a control character in a string");
    ascii = ascii && static_cast<unsigned char>(c) < 0x80;
    ++at_;
  }
  text = std::string_view(begin, static_cast<std::size_t>(at_ - begin));
  if (!ascii && !simdjson::validate_utf8(text)) return refuse(JsonFault::kNotUtf8, "not UTF-8");
  ++at_;
  return true;
}

// The cursor stands at the first backslash of a string whose text began at `text_begin`.
bool JsonCursor::unescape_rest(const char* text_begin, std::string_view& text) {
  std::string& out = scratch_.unescaped;
  // What was undone before stays where it is: nothing is undone to more bytes than it had.
  if (out.empty()) out.reserve(static_cast<std::size_t>(end_ - begin_));
  const std::size_t begin = out.size();
  out.append(text_begin, at_);
  while (at_ != end_ && *at_ != '"') {
    if (*at_ == '\\') {
      if (!unescape_one()) return false;
      continue;
    }
    if (static_cast<unsigned char>(*at_) < 0x20) return not_json("a control character in a string");
    out += *at_++;
  }
  if (!take('"')) return not_json("a string without its end");
  text = std::string_view(out).substr(begin);
  if (!simdjson::validate_utf8(text)) return refuse(JsonFault::kNotUtf8, "not UTF-8");
  return true;
}

bool JsonCursor::unescape_one() {
  ++at_;
  static constexpr std::string_view kLetters = "\"\\/bfnrt";
  static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  const char letter = peek();
  if (const auto which = kLetters.find(letter); letter != '\0' && which != kLetters.npos) {
    scratch_.unescaped += kMeanings[which];
    ++at_;
    return true;
  }
  unsigned unit = 0;
  if (!take('u') || !unescape_code_unit(unit)) return not_json("an unknown escape in a string");
  if (unit >= 0xdc00 && unit <= 0xdfff) return not_json("half a surrogate pair");
  if (unit >= 0xd800 && unit <= 0xdbff) {
    unsigned low = 0;
    if (!take('\\') || !take('u') || !unescape_code_unit(low) || low < 0xdc00 || low > 0xdfff) {
      return not_json("half a surrogate pair");
    }
    unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
  }
  append_utf8(scratch_.unescaped, unit);
  return true;
}

bool JsonCursor::unescape_code_unit(unsigned& unit) {
  unit = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = peek();
    unsigned digit = 0;
    if (c >= '0' && c <= '9') digit = static_cast<unsigned>(c - '0');
    else if (c >= 'a' && c <= 'f') digit = static_cast<unsigned>(c - 'a') + 10;
    else if (c >= 'A' && c <= 'F') digit = static_cast<unsigned>(c - 'A') + 10;
    else return false;
    unit = unit * 16 + digit;
    ++at_;
  }
  return true;
}

Decimal JsonCursor::read_number() {
  const Decimal decimal = parse_decimal(at_, end_, DecimalGrammar::kJson);
  if (decimal.end != nullptr) at_ = decimal.end;
  return decimal;
}

bool JsonCursor::skip_string() {
  std::string_view text;
  bool escaped = false;
  const std::size_t kept = scratch_.unescaped.size();
  const bool good = read_string(text, escaped);
  scratch_.unescaped.resize(kept);
  return good;
}

bool JsonCursor::skip_literal(std::string_view literal) {
  if (left() < literal.size() || std::memcmp(at_, literal.data(), literal.size()) != 0) {
    return not_json("expected a value");
  }
  at_ += literal.size();
  return true;
}

bool JsonCursor::skip_scalar() {
  switch (peek()) {
    case '"': return skip_string();
    case 't': return skip_literal("true");
    case 'f': return skip_literal("false");
    case 'n': return skip_literal("null");
    default: return read_number().end != nullptr || not_json("expected a value");
  }
}

// Goes into the object or array at the cursor, up to its first value; `empty`: it has none, and the
// cursor is after it.
bool JsonCursor::open_value(char bracket, std::size_t depth, bool& empty) {
  if (depth + scratch_.nesting.size() >= depth_max_) {
    return refuse(JsonFault::kTooDeep, "nested too deeply");
  }
  ++at_;
  skip_space();
  empty = take(bracket == '{' ? '}' : ']');
  if (empty) return true;
  scratch_.nesting += bracket;
  return bracket == '[' || read_member_name();
}

bool JsonCursor::read_member_name() {
  skip_space();
  if (peek() != '"') return not_json("expected a member's name");
  if (!skip_string()) return false;
  skip_space();
  return take(':') || not_json("expected ':'");
}

bool JsonCursor::skip_value(std::size_t depth) {
  std::string& nesting = scratch_.nesting;
  nesting.clear();
  while (true) {
    skip_space();
    const char first = peek();
    if (first == '{' || first == '[') {
      bool empty = false;
      if (!open_value(first, depth, empty)) return false;
      if (!empty) continue;
    } else if (!skip_scalar()) {
      return false;
    }
    // A value has ended: close what ends with it, up to the next value.
    while (true) {
      if (nesting.empty()) return true;
      skip_space();
      const bool object = nesting.back() == '{';
      if (take(',')) {
        if (object && !read_member_name()) return false;
        break;
      }
      if (!take(object ? '}' : ']')) {
        return not_json(object ? "expected ',' or '}'" : "expected ',' or ']'");
      }
      nesting.pop_back();
    }
  }
}

std::string JsonCursor::fault_text() const {
  std::string text;
  if (fault_ == JsonFault::kNotJson) text += "not JSON ";
  text += "at byte " + std::to_string(fault_at_) + ": ";
  return text.append(what_);
}

}  // namespace weir::format
