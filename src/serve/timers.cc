#include "serve/timers.h"

#include <vector>

namespace weir::serve {

void Timers::at(SteadyTime when, std::function<void()> act) {
  const std::lock_guard lock(mutex_);
  waiting_.emplace(when, std::move(act));
}

void Timers::run_due(SteadyTime now) {
  std::vector<std::function<void()>> due;
  {
    const std::lock_guard lock(mutex_);
    const auto end = waiting_.upper_bound(now);
    for (auto it = waiting_.begin(); it != end; ++it) due.push_back(std::move(it->second));
    waiting_.erase(waiting_.begin(), end);
  }
  for (const auto& act : due) act();
}

void Timers::clear() {
  std::multimap<SteadyTime, std::function<void()>> dropped;  // ends without the lock
  {
    const std::lock_guard lock(mutex_);
    dropped.swap(waiting_);
  }
}

}  // namespace weir::serve
