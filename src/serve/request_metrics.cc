#include "serve/request_metrics.h"

namespace weir::serve {

void RequestMetrics::add(const Key& key, std::chrono::nanoseconds took) {
  const double seconds = std::chrono::duration<double>(took).count();
  std::size_t bucket = 0;
  while (bucket < kBuckets.size() && seconds > kBuckets[bucket]) ++bucket;
  const std::lock_guard lock(mutex_);
  Series& series = series_[key];
  ++series.buckets[bucket];
  ++series.count;
  series.seconds += seconds;
}

std::map<RequestMetrics::Key, RequestMetrics::Series> RequestMetrics::snapshot() const {
  const std::lock_guard lock(mutex_);
  return series_;
}

}  // namespace weir::serve
