// How much memory the tables of all models of a process may take together.
//
// Owner: the cache; it outlives the tables. Threads: any. Errors: take() is false where less is
// left.
#pragma once

#include <atomic>
#include <cstddef>

namespace weir::cache {

class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t bytes_max) : left_(bytes_max) {}

  bool take(std::size_t bytes) {
    std::size_t left = left_.load();
    while (left >= bytes) {
      if (left_.compare_exchange_weak(left, left - bytes)) return true;
    }
    return false;
  }
  void give(std::size_t bytes) { left_ += bytes; }
  std::size_t left() const { return left_.load(); }

 private:
  std::atomic<std::size_t> left_;
};

}  // namespace weir::cache
