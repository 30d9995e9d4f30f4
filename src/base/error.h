// Errors of the outside world, as values.
//
// Every function that touches a file, a socket, a broker or input from outside returns Result<T> or
// Status. An Error says what failed (code), the reason in words, and, outermost first, what was
// being attempted on what. Programmer errors are not Errors: they stop the process (see check.h).
//
// Threads: an Error is a plain value. Exceptions: none are thrown here and none leave a room.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace weir {

// A closed set. What a caller does about an error depends on the code alone, never on the words.
enum class Code {
  kInvalidArgument,  // the caller asked for something that cannot be
  kBadConfig,        // the configuration is wrong: exit 78
  kBadData,          // input that cannot be read as what it should be: exit 65
  kNotFound,
  kAlreadyExists,
  kPermissionDenied,
  kUnavailable,     // a server is away or not ready; retryable
  kTimeout,         // no answer in time; retryable where the action is idempotent
  kUnknownOutcome,  // a commit may or may not have taken place: re-read before going on
  kFenced,          // a newer instance has taken this one's place: stop, never retry
  kExhausted,       // disk, quota or memory
  kCorrupt,         // a checksum or size does not match
  kUnsupported,     // a newer format version, an unknown algorithm
  kCancelled,       // a stop was asked for
  kIo,              // any other failure of a file or server
  kInternal,        // a bug here
};

std::string_view code_name(Code code);  // "bad_data", for logs and JSON

class Error {
 public:
  Error(Code code, std::string reason) : code_(code), reason_(std::move(reason)) {}

  Code code() const { return code_; }
  const std::string& reason() const { return reason_; }

  // "while reading /dataset/a.csv: while opening block 2: connection refused". One line: control
  // characters of hostile names are escaped.
  std::string message() const;

  // Adds what was being attempted; call it as the error rises, innermost first.
  Error while_doing(std::string_view what) &&;

  // True where the same call may succeed later without anyone changing anything.
  bool retryable() const { return code_ == Code::kUnavailable || code_ == Code::kTimeout; }

  // The process exit code that stands for this error: 65, 69, 74, 78 of sysexits.h, else 1.
  int exit_code() const;

 private:
  Code code_;
  std::string context_;
  std::string reason_;
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> fail(Code code, std::string reason) {
  return tl::unexpected<Error>(Error(code, std::move(reason)));
}
inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

// Passes a result on, with `what` added where it is an error:
//   return during(store.read(path), "loading model " + path);
template <typename T>
Result<T> during(Result<T>&& result, std::string_view what) {
  if (!result) return fail(std::move(result.error()).while_doing(what));
  return std::move(result);
}

}  // namespace weir

// `auto x = WEIR_TRY(f());` returns f's error from the enclosing function, else yields the value.
// A statement expression (GCC and Clang); chosen over a macro that declares a variable. The counter
// keeps the names of nested ones apart.
#define WEIR_TRY(expression) WEIR_TRY_AS(weir_try_result_, __COUNTER__, expression)
#define WEIR_TRY_AS(prefix, count, expression) WEIR_TRY_NAMED(prefix, count, expression)
#define WEIR_TRY_NAMED(prefix, count, expression)                              \
  __extension__({                                                              \
    auto prefix##count = (expression);                                         \
    if (!prefix##count) return ::weir::fail(std::move(prefix##count.error())); \
    ::weir::detail::take(std::move(prefix##count));                            \
  })

namespace weir::detail {
template <typename T>
T take(tl::expected<T, Error>&& result) {
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}
}  // namespace weir::detail
