// What threads have made of numbered pieces, taken in the order of the numbers: one that is early
// waits.
//
// Owner: a pass; outlives its threads. Threads: any number. Errors: none.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

namespace weir::train {

template <typename T>
class InOrder {
 public:
  // Hands over this piece and those that waited for it, if it is their turn: to `take`, by one
  // thread at a time. Where that gives false, nothing more is handed over.
  template <typename Take>
  bool add(std::uint64_t order, T piece, const Take& take) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace(order, std::move(piece));
    for (auto next = waiting_.find(next_); next != waiting_.end() && going_;
         next = waiting_.find(++next_)) {
      going_ = take(next->second);
      waiting_.erase(next);
    }
    return going_;
  }

 private:
  std::mutex mutex_;
  std::map<std::uint64_t, T> waiting_;
  std::uint64_t next_ = 0;
  bool going_ = true;
};

}  // namespace weir::train
