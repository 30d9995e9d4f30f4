// What of the settings says how features become the terms of a model: the section `features`.
//
// Threads: a plain value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir::registry {

struct FeatureSettings {
  std::vector<std::string> types;  // "zip=category": what is not to be found from the data
  // What becomes of missing values: "refuse", "mean", "median" or a number to fill in.
  std::string missing = "refuse";
  std::vector<std::string> missing_words = {"NA", "N/A", "NaN", "nan", "NULL", "null"};
  std::uint64_t categories_max = 50;  // of a column that have a term of their own
  bool standardise = false;
  std::vector<std::string> log;           // columns
  std::vector<std::string> interactions;  // "rm*lstat"

  bool operator==(const FeatureSettings&) const = default;
};

}  // namespace weir::registry
