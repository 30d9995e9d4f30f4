#include "train/ordered_sha256.h"

#include <utility>

#include "base/check.h"

namespace weir::train {

void OrderedSha256::add(std::uint64_t number, std::string before, std::string bytes) {
  std::unique_lock lock(mutex_);
  went_on_.wait(lock, [&] { return number == next_ || waiting_.size() < waiting_max_; });
  const bool is_new = waiting_.emplace(number, Piece{std::move(before), std::move(bytes)}).second;
  WEIR_CHECK(is_new && number >= next_);
  if (hashing_) return;  // that thread will come to it
  hashing_ = true;
  for (auto next = waiting_.find(next_); next != waiting_.end(); next = waiting_.find(next_)) {
    const Piece piece = std::move(next->second);
    waiting_.erase(next);
    lock.unlock();
    hash_.update(piece.before);
    hash_.update(piece.bytes);
    lock.lock();
    ++next_;
    went_on_.notify_all();
  }
  hashing_ = false;
}

std::string OrderedSha256::finish_hex(std::string_view rest) {
  WEIR_CHECK(waiting_.empty() && !hashing_);
  hash_.update(rest);
  return hash_.finish_hex();
}

}  // namespace weir::train
