#include "model/split.h"

#include <cmath>

namespace weir::model {
namespace {

constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;

std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::uint64_t stream(std::uint64_t start, std::uint64_t index) {
  return mix(start + (index + 1) * kGolden);
}

}  // namespace

std::uint64_t split_hash(std::uint64_t seed, std::uint64_t row_number) {
  return stream(mix(seed + kGolden), row_number);
}

std::uint64_t sample_priority(std::uint64_t seed, std::uint64_t row_number) {
  return stream(mix(seed + 2 * kGolden), row_number);
}

bool is_held_out(std::uint64_t seed, std::uint64_t row_number, double test_fraction) {
  return HoldOut(seed, test_fraction)(row_number);
}

HoldOut::HoldOut(std::uint64_t seed, double test_fraction) : start_(mix(seed + kGolden)) {
  if (!(test_fraction > 0)) return;
  all_ = test_fraction >= 1;
  // Exact: a product with a power of two, below 2^64.
  if (!all_) threshold_ = static_cast<std::uint64_t>(std::ldexp(test_fraction, 64));
}

bool HoldOut::operator()(std::uint64_t row_number) const {
  return all_ || stream(start_, row_number) < threshold_;
}

}  // namespace weir::model
