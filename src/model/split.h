// Which rows of a data set are held out of training, and which of those are kept as a sample.
//
// Both follow from the seed and the row's record number alone, by integer arithmetic: the same on
// any machine, in any order, on any number of threads, and open to being computed again by others:
//
//   mix(z):  z ^= z >> 30;  z *= 0xbf58476d1ce4e5b9;  z ^= z >> 27;  z *= 0x94d049bb133111eb;
//            z ^= z >> 31                                       (the finaliser of SplitMix64)
//   G = 0x9e3779b97f4a7c15,  stream(start, n) = mix(start + (n + 1) * G)        (modulo 2^64)
//   split hash      = stream(mix(seed + G), row)
//   sample priority = stream(mix(seed + 2 * G), row)
//   held out        = split hash < floor(test_fraction * 2^64)
//
// Threads: pure functions. Errors: none; a fraction of 0 or less holds out nothing, of 1 or more
// everything, NaN nothing.
#pragma once

#include <cstdint>

namespace weir::model {

std::uint64_t split_hash(std::uint64_t seed, std::uint64_t row_number);
std::uint64_t sample_priority(std::uint64_t seed, std::uint64_t row_number);

bool is_held_out(std::uint64_t seed, std::uint64_t row_number, double test_fraction);

// The same of many rows, with what does not depend on the row made ready.
class HoldOut {
 public:
  HoldOut(std::uint64_t seed, double test_fraction);
  bool operator()(std::uint64_t row_number) const;

 private:
  std::uint64_t start_;
  std::uint64_t threshold_ = 0;  // of hashes that are held out
  bool all_ = false;
};

}  // namespace weir::model
