// Whether a figure is too high, with hysteresis: raised when it has been above one bound for a
// while, cleared when it has been below a lower one for as long. In between nothing changes, so
// that a figure at the bound does not ring for ever.
//
// Owner: one role. Threads: one. Errors: none.
#pragma once

#include "base/clock.h"

namespace weir::watch {

enum class AlarmChange { kNone, kRaised, kCleared };

class Alarm {
 public:
  // Raised above `raise_above`, cleared at or below `clear_at`, each once that has lasted
  // `lasting`.
  Alarm(double raise_above, double clear_at, Millis lasting)
      : raise_above_(raise_above), clear_at_(clear_at), lasting_(lasting) {}

  AlarmChange update(double value, SteadyTime now);
  // The figure is not known: what was about to last begins anew.
  void unknown() { crossing_ = false; }
  bool raised() const { return raised_; }

 private:
  const double raise_above_;
  const double clear_at_;
  const Millis lasting_;
  bool raised_ = false;
  bool crossing_ = false;
  SteadyTime crossing_since_{};
};

}  // namespace weir::watch
