#include "audit/splits_digest.h"

#include <algorithm>

namespace weir::audit {

void SplitsDigest::update(std::string_view bytes) {
  while (!bytes.empty()) {
    if (bytes_in_split_ == split_bytes_) end_split();
    const auto room = static_cast<std::size_t>(
        std::min<std::uint64_t>(bytes.size(), split_bytes_ - bytes_in_split_));
    split_.update(bytes.substr(0, room));
    bytes_in_split_ += room;
    bytes.remove_prefix(room);
  }
}

void SplitsDigest::end_part() { end_split(); }

void SplitsDigest::end_split() {
  std::string group = split_.finish_hex();
  for (std::uint64_t before = splits_; before % 2 == 1; before /= 2) {
    group = sha256_hex(groups_.back() + group);
    groups_.pop_back();
  }
  groups_.push_back(std::move(group));
  ++splits_;
  split_ = Sha256();
  bytes_in_split_ = 0;
}

std::string SplitsDigest::finish() {
  std::string all;
  for (const std::string& group : groups_) all = all.empty() ? group : sha256_hex(all + group);
  return all;
}

}  // namespace weir::audit
