#include "serve/request_guard.h"

#include <algorithm>

#include "serve/problem.h"

namespace weir::serve {
namespace {

constexpr std::size_t kClientsMax = 10'000;

// "localhost:8080" -> "localhost"; "[::1]:8080" -> "::1".
std::string_view host_name(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, std::min(host.find(']'), host.size()) - 1);
  return host.substr(0, std::min(host.find(':'), host.size()));
}

// Of a peer's address its client: the port changes with each connection.
std::string client_of(const std::string& peer) { return peer.substr(0, peer.rfind(':')); }

}  // namespace

// Who ends TLS in front of the gateway changes the scheme, and may change the Host: then the name
// that clients use stands in serve.hosts.
bool RequestGuard::is_own(std::string_view origin, std::string_view host) const {
  const bool secure = origin.starts_with("https://");
  if (!secure && !origin.starts_with("http://")) return false;
  origin.remove_prefix(secure ? 8 : 7);
  return origin == host ||
         std::find(options_.hosts.begin(), options_.hosts.end(), origin) != options_.hosts.end();
}

std::optional<http::Response> RequestGuard::refusal(const http::Request& request) {
  const std::string_view host = request.header("host").value_or("");
  if (!options_.any_host) {
    const std::string_view name = host_name(host);
    const bool known =
        name == "localhost" || name == "127.0.0.1" || name == "::1" ||
        std::find(options_.hosts.begin(), options_.hosts.end(), name) != options_.hosts.end();
    if (!known) {
      return problem(403,
                     "without tokens the gateway answers to localhost alone, not to this Host; "
                     "set serve.tokens");
    }
  }
  const bool changes = request.method != "GET" && request.method != "HEAD";
  if (const auto origin = request.header("origin"); changes && origin && !is_own(*origin, host)) {
    return problem(403, "a page of another origin may not change anything here");
  }
  if (request.header("sec-fetch-site") == "cross-site" && changes) {
    return problem(403, "a page of another site may not change anything here");
  }
  // A probe of a machine that clients come through would count among theirs.
  if (request.segments == std::vector<std::string>{"livez"}) return std::nullopt;
  if (!may_ask(client_of(request.peer))) return problem(429, kTooManyRequests);
  return std::nullopt;
}

bool RequestGuard::may_ask(const std::string& client) {
  return options_.requests_per_second_max <= 0 || take_one(client);
}

// A bucket that holds one second's worth of requests, and fills as time goes by.
bool RequestGuard::take_one(const std::string& client) {
  const double rate = options_.requests_per_second_max;
  const SteadyTime now = clock_.steady();
  const std::lock_guard lock(mutex_);
  auto found = by_client_.find(client);
  if (found == by_client_.end()) {
    if (buckets_.size() >= kClientsMax) {
      by_client_.erase(buckets_.front().client);
      buckets_.pop_front();
    }
    buckets_.push_back({client, std::max(rate, 1.0), now});
    found = by_client_.emplace(client, std::prev(buckets_.end())).first;
  }
  Bucket& bucket = *found->second;
  buckets_.splice(buckets_.end(), buckets_, found->second);
  const double passed = std::chrono::duration<double>(now - bucket.at).count();
  bucket.left = std::min(std::max(rate, 1.0), bucket.left + passed * rate);
  bucket.at = now;
  if (bucket.left < 1) return false;
  bucket.left -= 1;
  return true;
}

}  // namespace weir::serve
