#include "base/pulse.h"

namespace weir {
namespace {

thread_local Pulse* own_pulse = nullptr;

}  // namespace

void Pulse::set_own(Pulse* pulse) { own_pulse = pulse; }

void Pulse::beat_own() {
  if (own_pulse) own_pulse->beat();
}

// Each call that begins or returns is a beat: a step of many slow calls is not stuck.
Inside::Inside(const char* what) {
  if (!own_pulse) return;
  outer_ = own_pulse->inside_.exchange(what);
  own_pulse->beat();
}

Inside::~Inside() {
  if (!own_pulse) return;
  own_pulse->inside_ = outer_;
  own_pulse->beat();
}

LongWork::LongWork() {
  if (own_pulse) own_pulse->at_long_work_ = true;
}

LongWork::~LongWork() {
  if (own_pulse) own_pulse->at_long_work_ = false;
}

}  // namespace weir
