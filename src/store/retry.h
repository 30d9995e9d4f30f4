// How often and how long to try again: exponential back-off with jitter, bounded in both.
//
// Threads: a Backoff belongs to one call of one thread; the clock is shared.
#pragma once

#include <random>

#include "base/clock.h"

namespace weir::store {

struct RetryPolicy {
  int attempts_max = 8;  // the first one included
  Millis pause_first{100};
  Millis pause_max{5'000};
  Millis total_max{60'000};  // no pause begins that would end later
};

class Backoff {
 public:
  Backoff(const RetryPolicy& policy, Clock& clock);

  // Waits before the next attempt; false where there shall be none.
  bool wait();
  // Takes an attempt without waiting, as when there is another server to ask at once.
  bool go_on();
  // Something was achieved: the count begins anew.
  void reset();
  int attempts() const { return attempts_; }

 private:
  const RetryPolicy policy_;
  Clock& clock_;
  SteadyTime start_;
  int attempts_ = 1;
  std::minstd_rand random_;
};

}  // namespace weir::store
