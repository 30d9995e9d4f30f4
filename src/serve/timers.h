// Things to do at a later moment, unless something else came first.
//
// Owner: the gateway, whose housekeeping calls run_due() every few milliseconds. Threads: any; what
// is due runs on the housekeeper's thread and must return at once. Errors: none.
#pragma once

#include <functional>
#include <map>
#include <mutex>

#include "base/clock.h"

namespace weir::serve {

class Timers {
 public:
  void at(SteadyTime when, std::function<void()> act);
  void run_due(SteadyTime now);
  // Forgets all of them, and what they hold.
  void clear();

 private:
  std::mutex mutex_;
  std::multimap<SteadyTime, std::function<void()>> waiting_;  // guarded by mutex_
};

}  // namespace weir::serve
