// Small data sets and feature records for simulated runs, all of them different.
//
// Threads: pure functions of the random generator. Errors: none.
#pragma once

#include <random>
#include <string>

namespace weir::simulation {

using Random = std::mt19937_64;

// Uniform in [0, n).
inline std::uint64_t pick(Random& random, std::uint64_t n) { return random() % n; }
inline bool happens(Random& random, double probability) {
  return static_cast<double>(random() >> 11) * 0x1.0p-53 < probability;
}

enum class DatasetKind {
  kGood,        // a, b, y
  kWide,        // a, b, c, y: records made for it fit the narrow models too, but not the reverse
  kFewBad,      // good but for two rows, which are allowed
  kManyBad,     // refused
  kHeaderOnly,  // refused
  kNoTarget,    // refused
};
std::string make_dataset(Random& random, DatasetKind kind);
inline bool is_good(DatasetKind kind) { return kind <= DatasetKind::kFewBad; }

// How many rows a data set has, refused ones counted, as a person would count them.
std::uint64_t rows_of(const std::string& csv);

enum class FeatureKind { kFlat, kManyRows, kGarbage };
std::string make_features(Random& random, FeatureKind kind);

}  // namespace weir::simulation
