// What of the settings says how a data set is read and which model is made of it.
//
// Threads: a plain value. Errors: none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "registry/manifest.h"

namespace weir::train {

// A file is cut into splits at multiples of this (docs/decisions/splits.md).
inline constexpr std::uint64_t kSplitBytes = std::uint64_t{64} << 20;
inline constexpr std::uint64_t kSplitBytesMin = 64;
inline constexpr std::uint64_t kSplitBytesMax = std::uint64_t{1} << 30;

struct TrainingOptions {
  std::string target;
  std::vector<std::string> drop_columns;
  double test_fraction = 0.25;
  std::uint64_t seed = 1;
  std::uint64_t bad_rows_max = 0;
  std::size_t sample_rows_max = 10'000;
  std::size_t record_bytes_max = 1'000'000;
  bool intercept = true;
  std::optional<double> ridge = 0.0;  // the penalty; 0: none; nullopt: the best one
  std::string algorithm = "linear";   // or "boosted", or "auto": see model_choice.h
  registry::BoostedSettings boosted;
  registry::FeatureSettings features;
  std::uint64_t split_bytes = kSplitBytes;  // part of the result's bits
  unsigned threads = 0;                     // that parse; 0: as many as there are processors
};

}  // namespace weir::train
