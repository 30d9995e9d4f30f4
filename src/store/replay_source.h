// A ByteSource that can be read again from its start, as long as little was taken from it.
//
// Owner: the call that writes the file. Threads: one.
#pragma once

#include <algorithm>
#include <cstring>

#include "store/file_store.h"

namespace weir::store {

class ReplaySource {
 public:
  ReplaySource(const ByteSource& source, std::size_t kept_bytes_max)
      : source_(source), kept_bytes_max_(kept_bytes_max) {}

  Result<std::size_t> fill(std::span<char> buffer) {
    if (replayed_ < kept_.size()) {
      const std::size_t count = std::min(buffer.size(), kept_.size() - replayed_);
      std::memcpy(buffer.data(), kept_.data() + replayed_, count);
      replayed_ += count;
      return count;
    }
    if (is_at_end_ || buffer.empty()) return std::size_t{0};
    const std::size_t count = WEIR_TRY(source_(buffer));
    is_at_end_ = count == 0;
    taken_ += count;
    if (taken_ <= kept_bytes_max_) {
      kept_.append(buffer.data(), count);
      replayed_ = kept_.size();
    } else {
      kept_ = std::string();
      replayed_ = 0;
    }
    return count;
  }

  // False where more was taken than was kept.
  bool rewind() {
    replayed_ = 0;
    return taken_ <= kept_bytes_max_;
  }
  std::uint64_t taken() const { return taken_; }
  bool is_at_end() const { return is_at_end_; }

 private:
  const ByteSource& source_;
  const std::size_t kept_bytes_max_;
  std::string kept_;  // the first bytes, as long as they are all that was taken
  std::size_t replayed_ = 0;
  std::uint64_t taken_ = 0;
  bool is_at_end_ = false;
};

}  // namespace weir::store
