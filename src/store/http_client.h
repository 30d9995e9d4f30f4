// One HTTP exchange at a time over libcurl, with connections kept open between them.
//
// It follows no redirect, keeps no cookie, uses no proxy and speaks http and https only: whom to
// ask next is the caller's decision. A body is streamed through a ByteSink or ByteSource; what
// these throw passes through perform(), never through libcurl.
//
// Owner: a store. Threads: perform() from any thread at once. Limits: HttpOptions.
#pragma once

#include <memory>
#include <tl/expected.hpp>

#include "base/clock.h"
#include "store/file_store.h"
#include "store/stall_watch.h"

namespace weir::store {

struct HttpOptions {
  Millis connect_timeout{5'000};
  // Fewer than kStallBytesMin in this time, the time in the sink or source not counted, is the
  // end.
  Millis stall_timeout{30'000};
  Millis call_timeout{60'000};  // of an exchange without a sink or source, as a whole
  std::size_t idle_handles_max = 8;
  Clock* clock = &system_clock();  // of stall_timeout alone; outlives the client
};
inline constexpr std::uint64_t kErrorBytesMax = 64 * 1024;

enum class HttpAuth { kNone, kNegotiate };

struct HttpRequest {
  std::string method;
  std::string url;
  std::string what;  // for messages: "OPEN http://host:9870/a.csv", without the query
  HttpAuth auth = HttpAuth::kNone;
  const ByteSource* source = nullptr;  // the request's body, chunked; else it has none
  const ByteSink* sink = nullptr;      // takes the body of a 2xx response; else it is collected
  std::uint64_t body_bytes_max = kErrorBytesMax;  // of a collected body
};

struct HttpResponse {
  int status = 0;
  std::string redirect_url;  // of a 3xx, made absolute
  std::string content_type;
  std::string body;
  std::string peer;  // the IP address that answered
};

struct HttpFailure {
  Error error;
  bool from_caller = false;     // the sink or source said so
  bool reached_server = false;  // it may have seen the request, and done what was asked
  std::string peer;
};

class HttpClient {
 public:
  explicit HttpClient(const HttpOptions& options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Any status is a response. kUnavailable: no connection, or it was cut. kTimeout: as it says.
  tl::expected<HttpResponse, HttpFailure> perform(const HttpRequest& request);

 private:
  struct Handles;
  const HttpOptions options_;
  std::unique_ptr<Handles> handles_;
};

}  // namespace weir::store
