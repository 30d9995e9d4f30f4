#include "record/schema.h"

#include <algorithm>

#include "base/sha256.h"

namespace weir::record {

std::optional<std::size_t> Schema::feature_index(std::string_view name) const {
  const auto found = std::find(features.begin(), features.end(), name);
  if (found == features.end()) return std::nullopt;
  return static_cast<std::size_t>(found - features.begin());
}

std::string Schema::hash() const {
  // Each name is preceded by its length, so that no two lists of names give the same bytes.
  std::string bytes = "weir schema 1\n";
  const auto add = [&](std::string_view role, std::string_view name) {
    bytes += std::string(role) + ' ' + std::to_string(name.size()) + ' ' + std::string(name) + '\n';
  };
  for (const std::string& feature : features) add("number", feature);
  add("target", target);
  return sha256_hex(bytes);
}

}  // namespace weir::record
