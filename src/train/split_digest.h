// The identity of a data set's bytes that workers can find out who each see one split.
//
// A split's digest is the sha256 of its bytes, as hexadecimal digits; that of two nodes of the
// SplitTree is the sha256 of their digits one after the other; and so is that of the whole. A data
// set of one split has the digest of its bytes.
//
// Owner: the caller. Threads: one per object. Errors: none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/sha256.h"
#include "train/split_tree.h"

namespace weir::train {

struct SplitDigest {
  std::string hex;
  void merge(const SplitDigest& following) { hex = sha256_hex(hex + following.hex); }
};

// The digests of the splits of one part, of its bytes as they come.
class PartDigests {
 public:
  explicit PartDigests(std::uint64_t split_bytes) : left_(split_bytes), split_bytes_(split_bytes) {}
  void update(std::string_view bytes);
  void finish();  // the part has ended; an empty one has one split
  // Those that are known by now, once each, in order.
  std::vector<std::string> take() { return std::exchange(known_, {}); }

 private:
  std::uint64_t left_;  // of the split at hand
  const std::uint64_t split_bytes_;
  Sha256 hash_;
  std::vector<std::string> known_;
};

}  // namespace weir::train
