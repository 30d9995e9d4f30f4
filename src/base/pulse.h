// Signs of life of a thread, for another one that watches it: how often it has come round, and
// which call to a server it is inside of. A call that never returns shows as a pulse that has
// stopped.
//
// Owner: whoever drives the thread; it outlives the thread's last call. Threads: the watched one
// writes, any other reads. A thread that nobody watches may use Inside all the same.
#pragma once

#include <atomic>
#include <cstdint>

namespace weir {

class Pulse {
 public:
  void beat() { ++beats_; }
  std::uint64_t beats() const { return beats_; }
  // What it is inside of, a literal; nullptr between two calls.
  const char* inside() const { return inside_; }
  // The thread has ended, and has no more signs of life to give.
  void end() { ended_ = true; }
  bool ended() const { return ended_; }
  // It is at work that ends by itself, and may take its time.
  bool at_long_work() const { return at_long_work_; }

  // Makes this the pulse of the calling thread; nullptr: it has none.
  static void set_own(Pulse* pulse);
  static void beat_own();

 private:
  friend class Inside;
  friend class LongWork;
  std::atomic<std::uint64_t> beats_{0};
  std::atomic<const char*> inside_{nullptr};
  std::atomic<bool> at_long_work_{false};
  std::atomic<bool> ended_{false};
};

// The calling thread is inside of a call to a server, for as long as this lives; `what` is a
// literal: "committing a transaction".
class Inside {
 public:
  explicit Inside(const char* what);
  ~Inside();
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  const char* outer_ = nullptr;
};

// The calling thread computes for as long as this lives, but where it is inside of a call.
class LongWork {
 public:
  LongWork();
  ~LongWork();
  LongWork(const LongWork&) = delete;
  LongWork& operator=(const LongWork&) = delete;
};

}  // namespace weir
