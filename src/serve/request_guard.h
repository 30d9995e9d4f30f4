// What is refused before any handler sees it: pages of other sites that speak through a browser,
// and clients that ask too often.
//
// Without tokens anybody who can reach the address may do everything. A browser can: so only names
// of this machine are taken as Host then (else a site could point its own name here: DNS
// rebinding). A request that changes something and comes from a page of another origin is refused
// always.
//
// Owner: the gateway. Threads: any. Errors: as answers: 403, 429.
#pragma once

#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "http/message.h"

namespace weir::serve {

struct GuardOptions {
  bool any_host = false;               // tokens are asked for: the Host proves nothing
  std::vector<std::string> hosts;      // taken besides localhost, 127.0.0.1 and ::1; and as origins
  double requests_per_second_max = 0;  // of one client; 0: no limit
};

inline constexpr const char* kTooManyRequests = "too many requests of this client; slow down";

class RequestGuard {
 public:
  RequestGuard(GuardOptions options, Clock& clock) : options_(std::move(options)), clock_(clock) {}
  std::optional<http::Response> refusal(const http::Request& request);
  // Whether a client, by its address without the port, may ask once more now; counts it.
  bool may_ask(const std::string& client);

 private:
  struct Bucket {
    std::string client;
    double left;
    SteadyTime at;
  };
  bool take_one(const std::string& client);
  bool is_own(std::string_view origin, std::string_view host) const;

  const GuardOptions options_;
  Clock& clock_;
  std::mutex mutex_;
  std::list<Bucket> buckets_;  // guarded by mutex_; the last one asked most recently
  std::unordered_map<std::string, std::list<Bucket>::iterator> by_client_;  // guarded by mutex_
};

}  // namespace weir::serve
