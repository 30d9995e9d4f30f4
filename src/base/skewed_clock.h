// The clock of one host: its wall clock may be wrong, and may jump; time passes as everywhere.
//
// Owner: the test; the clock behind it outlives it. Threads: one.
#pragma once

#include "base/clock.h"

namespace weir {

class SkewedClock final : public Clock {
 public:
  explicit SkewedClock(Clock& right, Millis skew = Millis{0}) : right_(right), skew_(skew) {}
  SteadyTime steady() override { return right_.steady(); }
  WallTime wall() override { return right_.wall() + skew_; }
  void sleep_for(Millis duration, std::stop_token stop) override {
    right_.sleep_for(duration, std::move(stop));
  }
  void set_skew(Millis skew) { skew_ = skew; }

 private:
  Clock& right_;
  Millis skew_;
};

}  // namespace weir
