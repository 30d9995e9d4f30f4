// How many requests of which kind, with which outcome, in which time: for /metrics.
//
// Owner: the gateway. Threads: any. Errors: none.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace weir::serve {

class RequestMetrics {
 public:
  // Upper ends of the buckets, in seconds; the last one is without end.
  static constexpr std::array<double, 9> kBuckets = {0.001, 0.0025, 0.005, 0.01, 0.025,
                                                     0.1,   0.5,    2.5,   10};
  struct Series {
    std::array<std::uint64_t, kBuckets.size() + 1> buckets{};
    double seconds = 0;
    std::uint64_t count = 0;
  };
  struct Key {
    std::string method;
    std::string route;          // the pattern, "" where none fits
    unsigned status_class = 2;  // 4 for 404
    auto operator<=>(const Key&) const = default;
  };

  void add(const Key& key, std::chrono::nanoseconds took);
  std::map<Key, Series> snapshot() const;

 private:
  mutable std::mutex mutex_;
  std::map<Key, Series> series_;  // guarded by mutex_; as many as routes times classes
};

}  // namespace weir::serve
