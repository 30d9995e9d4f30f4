#include "train/split_digest.h"

namespace weir::train {

// A split is ended by the first byte behind it, so that a part never ends in a split of no bytes.
void PartDigests::update(std::string_view bytes) {
  while (!bytes.empty()) {
    if (left_ == 0) {
      known_.push_back(hash_.finish_hex());
      hash_ = Sha256();
      left_ = split_bytes_;
    }
    const std::string_view taken = bytes.substr(0, left_);
    hash_.update(taken);
    left_ -= taken.size();
    bytes.remove_prefix(taken.size());
  }
}

void PartDigests::finish() { known_.push_back(hash_.finish_hex()); }

}  // namespace weir::train
