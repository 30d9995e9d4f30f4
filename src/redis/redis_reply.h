// What Redis answered, as a value.
//
// Threads: plain values. Errors: none; a reply may itself be Redis's refusal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace weir::redis {

struct Reply {
  enum class Kind { kNil, kStatus, kError, kInteger, kText, kList };
  Kind kind = Kind::kNil;
  std::int64_t integer = 0;
  std::string text;  // of a text, a status or an error: any bytes
  std::vector<Reply> items;

  bool is_nil() const { return kind == Kind::kNil; }
  bool is_error() const { return kind == Kind::kError; }
  bool is_text() const { return kind == Kind::kText; }
  bool is_integer() const { return kind == Kind::kInteger; }
  bool is_list() const { return kind == Kind::kList; }
};

// What a refusal means: kExhausted (OOM), kUnavailable (LOADING, READONLY, MASTERDOWN, …),
// kPermissionDenied (NOAUTH, WRONGPASS, NOPERM), kCorrupt (WRONGTYPE: another hand has put
// something under this key), kTimeout (BUSY: a script runs), else kIo.
Error error_of(const Reply& refusal);

}  // namespace weir::redis
