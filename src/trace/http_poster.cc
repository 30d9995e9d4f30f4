#include "trace/http_poster.h"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/check.h"

namespace weir::trace {
namespace {

constexpr std::size_t kAnswerBytesMax = std::size_t{64} << 10;

struct Close {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

std::size_t on_body(char* data, std::size_t, std::size_t count, void* self) {
  auto& body = *static_cast<std::string*>(self);
  body.append(data, std::min(count, kAnswerBytesMax - std::min(body.size(), kAnswerBytesMax)));
  return count;
}

int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& end = *static_cast<std::atomic<SteadyTime>*>(self);
  return std::chrono::steady_clock::now() >= end.load() ? 1 : 0;
}

template <typename Value>
void set(CURL* handle, CURLoption option, Value value) {
  // Only an option that this libcurl does not know can fail here: a fault of the build.
  WEIR_CHECK(curl_easy_setopt(handle, option, value) == CURLE_OK);
}

class HttpPoster final : public Poster {
 public:
  explicit HttpPoster(const HttpPosterOptions& options) : options_(options) {
    static std::once_flag once;
    std::call_once(once, [] { WEIR_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); });
    handle_.reset(curl_easy_init());
    WEIR_CHECK(handle_ != nullptr);
    add_header("Content-Type: application/json");
    add_header("User-Agent: weirkeeper");
    add_header("Expect:");  // no round trip before the body
    for (const auto& [name, value] : options_.headers) add_header(name + ": " + value);
    CURL* handle = handle_.get();
    set(handle, CURLOPT_NOSIGNAL, 1L);
    set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    set(handle, CURLOPT_FOLLOWLOCATION, 0L);
    set(handle, CURLOPT_URL, options_.url.c_str());
    // Else an end waits for a resolver that does not answer.
    set(handle, CURLOPT_QUICK_EXIT, 1L);
    set(handle, CURLOPT_HTTPHEADER, headers_.get());
    set(handle, CURLOPT_NOPROGRESS, 0L);
    set(handle, CURLOPT_XFERINFOFUNCTION, &on_progress);
    set(handle, CURLOPT_XFERINFODATA, static_cast<void*>(&end_));
    set(handle, CURLOPT_WRITEFUNCTION, &on_body);
    if (!options_.certificate.empty()) set(handle, CURLOPT_CAINFO, options_.certificate.c_str());
  }

  Result<Posted> post(const std::string& body, Millis timeout) override {
    CURL* handle = handle_.get();
    Posted posted;
    set(handle, CURLOPT_POSTFIELDS, body.c_str());
    set(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    set(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
    set(handle, CURLOPT_WRITEDATA, static_cast<void*>(&posted.body));
    const CURLcode code = curl_easy_perform(handle);
    if (code == CURLE_ABORTED_BY_CALLBACK) return fail(Code::kCancelled, "stopped");
    if (code == CURLE_OPERATION_TIMEDOUT) {
      return fail(Code::kTimeout, options_.shown + " has not answered within " +
                                      std::to_string(timeout.count()) + " ms");
    }
    if (code != CURLE_OK) {
      return fail(Code::kUnavailable, options_.shown + ": " + curl_easy_strerror(code));
    }
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    posted.status = static_cast<int>(status);
    return posted;
  }

  void end_within(Millis time) override { end_ = std::chrono::steady_clock::now() + time; }

 private:
  void add_header(const std::string& line) {
    curl_slist* longer = curl_slist_append(headers_.get(), line.c_str());
    WEIR_CHECK(longer != nullptr);
    (void)headers_.release();
    headers_.reset(longer);
  }

  const HttpPosterOptions options_;
  std::unique_ptr<curl_slist, Close> headers_;
  std::unique_ptr<CURL, Close> handle_;
  std::atomic<SteadyTime> end_{SteadyTime::max()};
};

}  // namespace

std::unique_ptr<Poster> make_http_poster(const HttpPosterOptions& options) {
  return std::make_unique<HttpPoster>(options);
}

}  // namespace weir::trace
