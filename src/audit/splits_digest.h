// The digest of a data set that was read in splits (docs/decisions/splits.md), by code of the
// audit's own.
//
// A split has the sha256 of its bytes in hexadecimal digits. Groups of 1, 2, 4, … splits, each as
// large as the one that it follows, become one: the sha256 of the digits of both. What is left at
// the end is put together in the same way from left to right.
//
// Owner: the caller. Threads: one. Errors: none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/sha256.h"

namespace weir::audit {

class SplitsDigest {
 public:
  explicit SplitsDigest(std::uint64_t split_bytes) : split_bytes_(split_bytes) {}

  void update(std::string_view bytes);
  void end_part();  // of each part once; an empty one has one split, too
  std::string finish();

 private:
  void end_split();

  const std::uint64_t split_bytes_;
  Sha256 split_;
  std::uint64_t bytes_in_split_ = 0;
  std::uint64_t splits_ = 0;
  std::vector<std::string> groups_;  // one for each bit of splits_, the largest first
};

}  // namespace weir::audit
