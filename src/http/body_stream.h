// The body of a request on its way: the connection writes what comes, a worker reads it.
//
// Holds at most kHeldBytesMax: beyond that the connection stops reading from the socket until the
// reader has caught up. Owner: shared by both ends. Threads: put(), end() and fail() from the
// connection's, read() from one other. Errors: read() gives kUnavailable where the client went away
// or fell silent, kInvalidArgument where the body is no HTTP.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "base/error.h"

namespace weir::http {

class BodyStream {
 public:
  static constexpr std::size_t kHeldBytesMax = std::size_t{1} << 20;

  // --- The reader's end ---
  // Waits for bytes; 0 is the end of a body that came whole.
  Result<std::size_t> read(std::span<char> buffer);
  // Nothing more is wanted: what comes from now on is thrown away.
  void abandon();

  // --- The connection's end ---
  // True: more may come at once. False: `ready` will be called once, from the reader's thread.
  bool put(std::string_view bytes, std::function<void()> ready);
  void end();
  void fail(Error error);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string held_;
  std::size_t taken_ = 0;  // of held_
  bool ended_ = false;
  bool abandoned_ = false;
  std::optional<Error> error_;
  std::function<void()> ready_;
};

}  // namespace weir::http
