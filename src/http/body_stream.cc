#include "http/body_stream.h"

#include <algorithm>
#include <cstring>

namespace weir::http {

Result<std::size_t> BodyStream::read(std::span<char> buffer) {
  std::function<void()> ready;
  std::size_t count = 0;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return taken_ < held_.size() || ended_ || error_; });
    if (taken_ == held_.size()) {
      if (error_) return weir::fail(*error_);
      return std::size_t{0};
    }
    count = std::min(buffer.size(), held_.size() - taken_);
    std::memcpy(buffer.data(), held_.data() + taken_, count);
    taken_ += count;
    if (taken_ == held_.size()) {
      held_.clear();
      taken_ = 0;
      ready = std::exchange(ready_, nullptr);
    }
  }
  if (ready) ready();
  return count;
}

void BodyStream::abandon() {
  std::function<void()> ready;
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    held_.clear();
    taken_ = 0;
    ready = std::exchange(ready_, nullptr);
  }
  if (ready) ready();
}

bool BodyStream::put(std::string_view bytes, std::function<void()> ready) {
  bool more = true;
  {
    const std::lock_guard lock(mutex_);
    if (abandoned_) return true;
    if (taken_ >= kHeldBytesMax) {  // a reader that is always a little behind
      held_.erase(0, taken_);
      taken_ = 0;
    }
    held_ += bytes;
    if (held_.size() - taken_ >= kHeldBytesMax) {
      ready_ = std::move(ready);
      more = false;
    }
  }
  changed_.notify_one();
  return more;
}

void BodyStream::end() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_one();
}

void BodyStream::fail(Error error) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_ || error_) return;
    error_ = std::move(error);
  }
  changed_.notify_one();
}

}  // namespace weir::http
