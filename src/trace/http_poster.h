// Posts a body of JSON to one URL, over a connection that is kept.
//
// Owner: a Tracer. Threads: one; end_within() from any. It follows no redirect and uses no proxy
// but the one that curl's usual variables name. Errors of post(): kTimeout, kUnavailable (no
// answer), kCancelled (its end). Limits: of an answer the first 64 KiB.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace weir::trace {

struct Posted {
  int status = 0;
  std::string body;
};

// How spans go out; a test has one of its own.
class Poster {
 public:
  virtual ~Poster() = default;
  virtual Result<Posted> post(const std::string& body, Millis timeout) = 0;
  // What is under way ends within that time, about, and whatever follows.
  virtual void end_within(Millis time) = 0;
};

struct HttpPosterOptions {
  std::string url;
  std::string shown;  // the same for logs and errors: without a user, a password and a query
  std::vector<std::pair<std::string, std::string>> headers;
  std::string certificate;
};

std::unique_ptr<Poster> make_http_poster(const HttpPosterOptions& options);

}  // namespace weir::trace
