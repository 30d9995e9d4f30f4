// A role of the program (trainer, producer, scorer) as whoever drives it sees it.
//
// step() does what is next and returns soon: within about `wait_max` where there is nothing to do.
// A thread calls it in a loop; a test calls the steps of several roles in turn, on one thread. Only
// a training may take long within one step; it watches the stop token. Errors: the role cannot go
// on. It is destroyed and made anew, after a pause; kFenced included.
#pragma once

#include <stop_token>

#include "base/clock.h"
#include "base/error.h"

namespace weir {

class Role {
 public:
  virtual ~Role() = default;
  virtual Status step(Millis wait_max, std::stop_token stop) = 0;
  // A clean end: commits or aborts what is open, leaves groups, says goodbye. Bounded in time.
  virtual void finish() = 0;
};

}  // namespace weir
