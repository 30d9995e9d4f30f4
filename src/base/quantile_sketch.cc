#include "base/quantile_sketch.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

namespace weir {
namespace {

// A number of the same order as the doubles: the bits of those below 0 are turned round.
std::int64_t order_of(double value) {
  const auto bits = std::bit_cast<std::int64_t>(value == 0 ? 0.0 : value);
  return bits >= 0
             ? bits
             : static_cast<std::int64_t>(0x8000000000000000U - std::bit_cast<std::uint64_t>(bits));
}

}  // namespace

void QuantileSketch::add(double value) {
  ++count_;
  if (value == 0) value = 0;  // whichever of the two came first
  add_bucket(order_of(value) >> shift_, {value, value, 1});
}

void QuantileSketch::merge(const QuantileSketch& other) {
  count_ += other.count_;
  if (other.shift_ > shift_) raise_shift(other.shift_);
  for (const auto& [key, bucket] : other.buckets_) {
    add_bucket(order_of(bucket.lowest) >> shift_, bucket);
  }
}

void QuantileSketch::add_bucket(std::int64_t key, const Bucket& bucket) {
  const auto [place, is_new] = buckets_.emplace(key, bucket);
  if (!is_new) {
    place->second.lowest = std::min(place->second.lowest, bucket.lowest);
    place->second.highest = std::max(place->second.highest, bucket.highest);
    place->second.count += bucket.count;
    return;
  }
  while (buckets_.size() > kBucketsMax) raise_shift(shift_ + 1);
}

void QuantileSketch::raise_shift(int to) {
  shift_ = to;
  const auto before = std::move(buckets_);
  buckets_.clear();
  for (const auto& [key, bucket] : before) {
    add_bucket(order_of(bucket.lowest) >> shift_, bucket);
  }
}

double QuantileSketch::quantile(double fraction) const {
  if (count_ == 0) return 0;
  std::vector<Bucket> sorted;
  sorted.reserve(buckets_.size());
  for (const auto& [key, bucket] : buckets_) sorted.push_back(bucket);
  std::sort(sorted.begin(), sorted.end(),
            [](const Bucket& a, const Bucket& b) { return a.lowest < b.lowest; });
  const double rank = std::clamp(std::ceil(fraction * static_cast<double>(count_)), 1.0,
                                 static_cast<double>(count_));
  double seen = 0;
  for (const Bucket& bucket : sorted) {
    seen += static_cast<double>(bucket.count);
    if (seen >= rank) {
      return bucket.lowest == bucket.highest ? bucket.lowest
                                             : bucket.lowest / 2 + bucket.highest / 2;
    }
  }
  return sorted.back().highest;
}

}  // namespace weir
