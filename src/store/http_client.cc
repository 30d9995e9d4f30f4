#include "store/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <optional>
#include <vector>

#include "base/check.h"
#include "base/pulse.h"

namespace weir::store {
namespace {

struct Close {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Handle = std::unique_ptr<CURL, Close>;
using HeaderList = std::unique_ptr<curl_slist, Close>;

void initialize_curl() {
  static std::once_flag once;
  std::call_once(once, [] { WEIR_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); });
}

// What the callbacks of one exchange share.
struct Exchange {
  const HttpRequest& request;
  const HttpOptions& options;
  CURL* handle;
  HttpResponse response;
  std::optional<Error> error;  // of the sink, the source or a limit
  bool from_caller = false;
  std::exception_ptr thrown;
  bool stalled = false;
  StallWatch watch;

  void moved(std::size_t bytes) {
    Pulse::beat_own();
    watch.moved(bytes, options.clock->steady());
  }
  // Calls the sink or source, off the clock.
  template <typename Call>
  auto call_out(const Call& call) -> decltype(call()) {
    const SteadyTime begin = options.clock->steady();
    auto result = call();
    watch.take_out(options.clock->steady() - begin);
    if (!result) {
      error = result.error();
      from_caller = true;
    }
    return result;
  }
};

bool take_body(Exchange& exchange, std::string_view bytes) {
  const HttpRequest& request = exchange.request;
  long status = 0;
  curl_easy_getinfo(exchange.handle, CURLINFO_RESPONSE_CODE, &status);
  exchange.moved(bytes.size());
  const bool is_success = status >= 200 && status < 300;
  if (is_success && request.sink != nullptr) {
    return exchange.call_out([&] { return (*request.sink)(bytes); }).has_value();
  }
  const std::uint64_t limit = is_success ? request.body_bytes_max : kErrorBytesMax;
  std::string& body = exchange.response.body;
  if (bytes.size() > limit - body.size()) {
    // Of a long page of an error the beginning is enough; more of an answer than fits is none.
    if (!is_success) return body.append(bytes.substr(0, limit - body.size())), true;
    exchange.error = Error(Code::kExhausted, request.what + ": the answer is longer than " +
                                                 std::to_string(limit) + " bytes");
    return false;
  }
  body.append(bytes);
  return true;
}

std::size_t on_body(char* data, std::size_t, std::size_t count, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  try {
    return take_body(exchange, std::string_view(data, count)) ? count : 0;
  } catch (...) {
    exchange.thrown = std::current_exception();
    return 0;
  }
}

std::size_t on_source(char* data, std::size_t size, std::size_t count, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  try {
    const std::span<char> buffer(data, size * count);
    const auto filled = exchange.call_out([&] { return (*exchange.request.source)(buffer); });
    if (!filled) return CURL_READFUNC_ABORT;
    exchange.moved(*filled);
    return *filled;
  } catch (...) {
    exchange.thrown = std::current_exception();
    return CURL_READFUNC_ABORT;
  }
}

int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& exchange = *static_cast<Exchange*>(self);
  exchange.stalled = exchange.watch.is_stalled(exchange.options.clock->steady());
  return exchange.stalled ? 1 : 0;
}

template <typename Value>
void set(CURL* handle, CURLoption option, Value value) {
  // Only an option that this libcurl does not know can fail here: a fault of the build.
  WEIR_CHECK(curl_easy_setopt(handle, option, value) == CURLE_OK);
}

void set_connection(Exchange& exchange) {
  CURL* handle = exchange.handle;
  set(handle, CURLOPT_NOSIGNAL, 1L);
  set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  set(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(handle, CURLOPT_FOLLOWLOCATION, 0L);
  // A proxy of the environment is for the Internet; HDFS stands beside us, as for Hadoop's client.
  set(handle, CURLOPT_PROXY, "");
  set(handle, CURLOPT_PATH_AS_IS, 1L);
  set(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  set(handle, CURLOPT_BUFFERSIZE, 512L * 1024);
  set(handle, CURLOPT_UPLOAD_BUFFERSIZE, 1024L * 1024);
  set(handle, CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>(exchange.options.connect_timeout.count()));
  const bool streams = exchange.request.sink != nullptr || exchange.request.source != nullptr;
  if (!streams) {
    set(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(exchange.options.call_timeout.count()));
  }
  set(handle, CURLOPT_NOPROGRESS, 0L);
  set(handle, CURLOPT_XFERINFOFUNCTION, &on_progress);
  set(handle, CURLOPT_XFERINFODATA, static_cast<void*>(&exchange));
  set(handle, CURLOPT_WRITEFUNCTION, &on_body);
  set(handle, CURLOPT_WRITEDATA, static_cast<void*>(&exchange));
}

HeaderList set_request(Exchange& exchange) {
  CURL* handle = exchange.handle;
  const HttpRequest& request = exchange.request;
  HeaderList headers;
  if (request.source != nullptr) {
    set(handle, CURLOPT_UPLOAD, 1L);  // of unknown length, so it goes out in chunks
    set(handle, CURLOPT_READFUNCTION, &on_source);
    set(handle, CURLOPT_READDATA, static_cast<void*>(&exchange));
    headers.reset(curl_slist_append(nullptr, "Content-Type: application/octet-stream"));
  } else if (request.method != "GET") {
    set(handle, CURLOPT_POSTFIELDS, "");
    set(handle, CURLOPT_POSTFIELDSIZE, 0L);
    headers.reset(curl_slist_append(nullptr, "Content-Type:"));
  }
  set(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (headers) set(handle, CURLOPT_HTTPHEADER, headers.get());
  if (request.auth == HttpAuth::kNegotiate) {
    set(handle, CURLOPT_HTTPAUTH, CURLAUTH_NEGOTIATE);
    set(handle, CURLOPT_USERPWD, ":");  // the name comes from the Kerberos ticket
  }
  return headers;
}

Code code_of(CURLcode result) {
  switch (result) {
    case CURLE_OPERATION_TIMEDOUT: return Code::kTimeout;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_FAIL_REWIND:  // a kept connection was dead, and libcurl cannot send again
    case CURLE_SSL_CONNECT_ERROR: return Code::kUnavailable;
    case CURLE_LOGIN_DENIED:
    case CURLE_AUTH_ERROR:
    case CURLE_REMOTE_ACCESS_DENIED: return Code::kPermissionDenied;
    case CURLE_URL_MALFORMAT: return Code::kInvalidArgument;
    case CURLE_OUT_OF_MEMORY: return Code::kExhausted;
    default: return Code::kIo;
  }
}

std::string text_of(CURL* handle, CURLINFO info) {
  const char* text = nullptr;
  curl_easy_getinfo(handle, info, &text);
  return text == nullptr ? "" : text;
}

HttpFailure failure_of(Exchange& exchange, CURLcode result, const char* detail) {
  double sent_after = 0;  // seconds until the request went out; 0: it never did
  curl_easy_getinfo(exchange.handle, CURLINFO_PRETRANSFER_TIME, &sent_after);
  const std::string peer = text_of(exchange.handle, CURLINFO_PRIMARY_IP);
  const bool reached = sent_after > 0;
  if (exchange.error) {
    return {std::move(*exchange.error), exchange.from_caller, reached, peer};
  }
  std::string reason = exchange.request.what + ": ";
  if (exchange.stalled) {
    reason += "nothing came for " + std::to_string(exchange.options.stall_timeout.count()) + " ms";
    return {Error(Code::kTimeout, std::move(reason)), false, reached, peer};
  }
  reason += detail[0] != '\0' ? detail : curl_easy_strerror(result);
  return {Error(code_of(result), std::move(reason)), false, reached, peer};
}

}  // namespace

// The handles that no exchange uses; each keeps its connections open.
struct HttpClient::Handles {
  std::mutex mutex;
  std::vector<Handle> idle;  // guarded by mutex

  Handle take() {
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        Handle handle = std::move(idle.back());
        idle.pop_back();
        return handle;
      }
    }
    Handle handle(curl_easy_init());
    WEIR_CHECK(handle != nullptr);
    return handle;
  }

  void give_back(Handle handle, std::size_t idle_max) {
    curl_easy_reset(handle.get());
    const std::lock_guard lock(mutex);
    if (idle.size() < idle_max) idle.push_back(std::move(handle));
  }
};

HttpClient::HttpClient(const HttpOptions& options)
    : options_(options), handles_(std::make_unique<Handles>()) {
  initialize_curl();
}

HttpClient::~HttpClient() = default;

tl::expected<HttpResponse, HttpFailure> HttpClient::perform(const HttpRequest& request) {
  const Inside call("an exchange with HDFS");
  Handle handle = handles_->take();
  const StallWatch watch(options_.stall_timeout, kStallBytesMin, options_.clock->steady());
  Exchange exchange{request, options_, handle.get(), {}, {}, false, nullptr, false, watch};
  char detail[CURL_ERROR_SIZE] = "";
  set(handle.get(), CURLOPT_ERRORBUFFER, static_cast<char*>(detail));
  set(handle.get(), CURLOPT_URL, request.url.c_str());
  set_connection(exchange);
  const HeaderList headers = set_request(exchange);

  const CURLcode result = curl_easy_perform(handle.get());
  if (exchange.thrown) std::rethrow_exception(exchange.thrown);  // the handle is dropped
  if (result != CURLE_OK) {
    auto failure = failure_of(exchange, result, detail);
    handles_->give_back(std::move(handle), options_.idle_handles_max);
    return tl::unexpected<HttpFailure>(std::move(failure));
  }
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  HttpResponse& response = exchange.response;
  response.status = static_cast<int>(status);
  response.redirect_url = text_of(handle.get(), CURLINFO_REDIRECT_URL);
  response.content_type = text_of(handle.get(), CURLINFO_CONTENT_TYPE);
  response.peer = text_of(handle.get(), CURLINFO_PRIMARY_IP);
  handles_->give_back(std::move(handle), options_.idle_handles_max);
  return std::move(response);
}

}  // namespace weir::store
