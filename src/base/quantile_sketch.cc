#include "base/quantile_sketch.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace weir {
namespace {

constexpr int kShiftMax = 62;

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
  const std::vector<Bucket> in_order = sorted();
  const double rank = std::clamp(std::ceil(fraction * static_cast<double>(count_)), 1.0,
                                 static_cast<double>(count_));
  double seen = 0;
  for (const Bucket& bucket : in_order) {
    seen += static_cast<double>(bucket.count);
    if (seen >= rank) {
      return bucket.lowest == bucket.highest ? bucket.lowest
                                             : bucket.lowest / 2 + bucket.highest / 2;
    }
  }
  return in_order.back().highest;
}

std::vector<QuantileSketch::Bucket> QuantileSketch::sorted() const {
  std::vector<Bucket> all;
  all.reserve(buckets_.size());
  for (const auto& [key, bucket] : buckets_) all.push_back(bucket);
  std::sort(all.begin(), all.end(),
            [](const Bucket& a, const Bucket& b) { return a.lowest < b.lowest; });
  return all;
}

void QuantileSketch::save(ByteWriter& to) const {
  to.u8(static_cast<std::uint8_t>(shift_));
  to.u64(buckets_.size());
  for (const Bucket& bucket : sorted()) {
    to.f64(bucket.lowest);
    to.f64(bucket.highest);
    to.u64(bucket.count);
  }
}

QuantileSketch QuantileSketch::load(ByteReader& from) {
  QuantileSketch sketch;
  sketch.shift_ = from.u8();
  const std::uint64_t size = from.u64();
  if (sketch.shift_ > kShiftMax || size > kBucketsMax) from.refuse();
  const auto is_number = [](double value) {
    return std::isfinite(value) && !(value == 0 && std::signbit(value));
  };
  double before = -std::numeric_limits<double>::infinity();
  for (std::uint64_t left = size; left > 0 && from.ok(); --left) {
    const Bucket bucket{from.f64(), from.f64(), from.u64()};
    const std::int64_t key = order_of(bucket.lowest) >> sketch.shift_;
    const bool may_be = is_number(bucket.lowest) && is_number(bucket.highest) &&
                        bucket.lowest > before && bucket.lowest <= bucket.highest &&
                        bucket.count > 0 && key == order_of(bucket.highest) >> sketch.shift_;
    if (!may_be || !sketch.buckets_.emplace(key, bucket).second) from.refuse();
    before = bucket.highest;
    sketch.count_ += bucket.count;
  }
  return sketch;
}

}  // namespace weir
