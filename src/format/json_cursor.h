// Goes over one JSON document (RFC 8259, strictly) from left to right: the part of message parsing
// that knows JSON and nothing of features.
//
// A cursor rather than a parsed tree, because a message is read once, most of it is numbers whose
// names are known beforehand, and members that nobody asked for must be checked but not kept.
// Numbers too large for any double are still JSON; only who wants their value refuses them.
//
// Owner: the caller, who keeps the document and the scratch alive. Threads: one. Errors: calls give
// false and fault() says why and where; the cursor is then spent, until the next rewind().
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "format/decimal.h"

namespace weir::format {

enum class JsonFault { kNotJson, kNotUtf8, kTooDeep };

// Memory that cursors of one thread use one after the other.
struct JsonScratch {
  std::string unescaped;  // strings whose escapes were undone
  std::string nesting;    // '{' or '[' for each value that is open
};

class JsonCursor {
 public:
  JsonCursor(std::string_view document, std::size_t depth_max, JsonScratch& scratch)
      : begin_(document.data()),
        at_(begin_),
        end_(begin_ + document.size()),
        depth_max_(depth_max),
        scratch_(scratch) {
    scratch_.unescaped.clear();
  }

  const char* at() const { return at_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  // The next byte; '\0' at the end, which no JSON has outside strings.
  char peek() const { return at_ == end_ ? '\0' : *at_; }
  void rewind(const char* to) { at_ = to; }
  void advance(std::size_t bytes) { at_ += bytes; }

  void skip_space() {
    if (at_ != end_ && *at_ == ' ') ++at_;
    if (at_ == end_ || static_cast<unsigned char>(*at_) > ' ') return;
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  bool take(char expected) {
    if (peek() != expected) return false;
    ++at_;
    return true;
  }

  // A string at its opening quote, without its quotes. `escaped` says that the view is into
  // scratch.unescaped, which grows by it (and never beyond the document's size in all).
  bool read_string(std::string_view& text, bool& escaped);
  // A number; kNotANumber leaves the cursor where it was.
  Decimal read_number();
  // A whole value of any type. `depth`: how many values are open around it.
  bool skip_value(std::size_t depth);

  bool refuse(JsonFault fault, std::string_view what) {
    fault_ = fault;
    what_ = what;
    fault_at_ = static_cast<std::size_t>(at_ - begin_);
    return false;
  }
  bool not_json(std::string_view what) { return refuse(JsonFault::kNotJson, what); }
  JsonFault fault() const { return fault_; }
  std::string fault_text() const;  // "not JSON at byte 12: …"

 private:
  bool unescape_rest(const char* text_begin, std::string_view& text);
  bool unescape_one();
  bool unescape_code_unit(unsigned& unit);
  bool skip_string();
  bool skip_scalar();
  bool skip_literal(std::string_view literal);
  bool open_value(char bracket, std::size_t depth, bool& empty);
  bool read_member_name();

  const char* const begin_;
  const char* at_;
  const char* const end_;
  const std::size_t depth_max_;
  JsonScratch& scratch_;

  JsonFault fault_ = JsonFault::kNotJson;
  std::string_view what_;
  std::size_t fault_at_ = 0;
};

}  // namespace weir::format
