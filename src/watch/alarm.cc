#include "watch/alarm.h"

namespace weir::watch {

AlarmChange Alarm::update(double value, SteadyTime now) {
  const bool crosses = raised_ ? value <= clear_at_ : value > raise_above_;
  if (!crosses) {
    crossing_ = false;
    return AlarmChange::kNone;
  }
  if (!crossing_) {
    crossing_ = true;
    crossing_since_ = now;
  }
  if (now - crossing_since_ < lasting_) return AlarmChange::kNone;
  crossing_ = false;
  raised_ = !raised_;
  return raised_ ? AlarmChange::kRaised : AlarmChange::kCleared;
}

}  // namespace weir::watch
