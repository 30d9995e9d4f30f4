// How a command that goes on comes to its end, whatever the servers do.
//
// SIGINT, SIGTERM, a timer or a role that cannot go on ask for a stop. The roles then end cleanly;
// where a server holds them up for longer than kEndsWithin, the process ends without them. That
// loses nothing: it may be killed at any place, and the next start goes on from what was committed.
// A second signal ends it at once, and so does the first one while nothing has begun.
//
// Owner: a command. Threads: construct it before any other thread, so that they inherit the blocked
// signals; conclude() is called on a thread of its own.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>

#include "base/clock.h"

namespace weir::cli {

inline constexpr Millis kEndsWithin{4'000};

// Tells what was done, on stdout only if it may, and gives the exit code. What it uses outlives the
// Ending.
using Conclude = std::function<int(bool may_print)>;

class Ending {
 public:
  explicit Ending(std::stop_source stop);
  ~Ending();
  Ending(const Ending&) = delete;
  Ending& operator=(const Ending&) = delete;

  // The roles begin. `conclude` is called where they have to be left behind.
  void begin(Conclude conclude);
  // The roles have ended; from now on nobody is left behind.
  void ended();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Ends the process as it stands, for where some thread may never come back. What is on its way to
// stdout is written, unless somebody is writing there and does not come back either.
[[noreturn]] void leave_now(const Conclude& conclude);

}  // namespace weir::cli
