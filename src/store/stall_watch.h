// Tells when a transfer stands still: few bytes in a long time that was spent on the network.
//
// libcurl's own low-speed limit counts the time that a slow reader takes to digest a piece as the
// server's; here that time is taken out.
//
// Owner: one exchange, on one thread. It reads no clock: the caller says what time it is.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace weir::store {

inline constexpr std::uint64_t kStallBytesMin = 4'096;

class StallWatch {
 public:
  StallWatch(Millis limit, std::uint64_t bytes_min, SteadyTime now)
      : limit_(limit), bytes_min_(bytes_min), window_start_(now) {}

  void moved(std::uint64_t bytes, SteadyTime now) {
    window_bytes_ += bytes;
    if (window_bytes_ < bytes_min_) return;
    window_start_ = now;
    window_bytes_ = 0;
  }
  // This long the transfer waited for our own side.
  void take_out(SteadyTime::duration spent) { window_start_ += spent; }
  Millis limit() const { return limit_; }
  bool is_stalled(SteadyTime now) const { return now - window_start_ > limit_; }

 private:
  const Millis limit_;
  const std::uint64_t bytes_min_;
  SteadyTime window_start_;
  std::uint64_t window_bytes_ = 0;
};

}  // namespace weir::store
