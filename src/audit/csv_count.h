// How many records a CSV file has, written apart from format's reader.
//
// A record ends at LF or CRLF outside of quotes; a quote opens only at the beginning of a field,
// and a doubled one inside stands for itself (RFC 4180). Records without a byte are not counted.
// Bytes come in pieces of any size. Threads: one per object. Errors: none; an open quote runs to
// the end.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::audit {

class CsvCount {
 public:
  void update(std::string_view bytes) {
    for (const char c : bytes) take(c);
  }
  // With the header, which is one. Once, at the end of the file.
  std::uint64_t finish() {
    if (any_) ++records_;
    any_ = false;
    return records_;
  }

 private:
  enum class State { kFieldBegin, kPlain, kQuoted, kAfterQuote };

  void take(char c) {
    if (state_ == State::kQuoted) {
      if (c == '"') state_ = State::kAfterQuote;
      return;
    }
    if (c == '\n') {
      if (any_) ++records_;
      any_ = false;
      state_ = State::kFieldBegin;
      return;
    }
    if (c == '\r') return;  // a record of nothing but CR is as good as none
    any_ = true;
    if (c == '"' && state_ != State::kPlain) {
      state_ = State::kQuoted;  // opens, or stands for itself
    } else {
      state_ = c == ',' ? State::kFieldBegin : State::kPlain;
    }
  }

  State state_ = State::kFieldBegin;
  bool any_ = false;  // the record has a byte
  std::uint64_t records_ = 0;
};

}  // namespace weir::audit
