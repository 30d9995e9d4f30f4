// What a row is made of: the features in the order in which a model takes them, and the target.
//
// The schema of a model is fixed in training and stored with it; columns are matched by name, never
// by place. Threads: a plain value.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::record {

struct Schema {
  std::vector<std::string>
      features;  // in the data set's order, target and dropped columns left out
  std::string target;

  std::optional<std::size_t> feature_index(std::string_view name) const;
  // SHA-256 over the names in order, hexadecimal; equal schemas and only those have equal hashes.
  std::string hash() const;
  bool operator==(const Schema&) const = default;
};

}  // namespace weir::record
