#include "store/retry.h"

#include <algorithm>

namespace weir::store {

Backoff::Backoff(const RetryPolicy& policy, Clock& clock)
    : policy_(policy), clock_(clock), start_(clock.steady()), random_(std::random_device{}()) {}

bool Backoff::go_on() {
  if (attempts_ >= policy_.attempts_max) return false;
  ++attempts_;
  return true;
}

bool Backoff::wait() {
  if (attempts_ >= policy_.attempts_max) return false;
  const int doublings = std::min(attempts_ - 1, 20);
  const Millis longest =
      std::min<Millis>(policy_.pause_max, policy_.pause_first * (1LL << doublings));
  // Half of it for sure, the rest by chance: many clients that failed at once come back one by one.
  std::uniform_int_distribution<Millis::rep> chance(longest.count() / 2, longest.count());
  const Millis pause{chance(random_)};
  if (clock_.steady() + pause - start_ > policy_.total_max) return false;
  ++attempts_;
  clock_.sleep_for(pause, std::stop_token());
  return true;
}

void Backoff::reset() {
  start_ = clock_.steady();
  attempts_ = 1;
}

}  // namespace weir::store
