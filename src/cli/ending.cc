#include "cli/ending.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <thread>

#include "base/log.h"

namespace weir::cli {
namespace {

enum class Phase { kNothingBegun, kAtWork, kEnded };

constexpr SteadyTime kNever = SteadyTime::max();
// How long to sleep at most where there is nothing to wait for but a signal.
constexpr Millis kLongest{3'600'000};

timespec until(SteadyTime deadline) {
  Millis left = kLongest;
  if (deadline != kNever) {
    const auto exact = std::chrono::ceil<Millis>(deadline - system_clock().steady());
    left = std::clamp(exact, Millis{0}, kLongest);
  }
  return {left.count() / 1000, (left.count() % 1000) * 1'000'000};
}

}  // namespace

void leave_now(const Conclude& conclude) {
  // A thread that writes to a reader that stands still holds the lock for ever.
  const bool may_print = ftrylockfile(stdout) == 0;
  const int code = conclude(may_print);
  if (may_print) std::fflush(stdout);
  _exit(code);
}

struct Ending::State {
  explicit State(std::stop_source source) : stop(std::move(source)) {}

  void wait_for_the_end();
  void leave_the_roles();

  std::stop_source stop;
  sigset_t signals{};
  std::thread thread;
  std::atomic<bool> over{false};
  std::atomic<SteadyTime> deadline{kNever};
  std::mutex mutex;
  Phase phase = Phase::kNothingBegun;  // guarded by mutex
  Conclude conclude;                   // guarded by mutex
};

Ending::Ending(std::stop_source stop) : state_(std::make_unique<State>(std::move(stop))) {
  sigemptyset(&state_->signals);
  sigaddset(&state_->signals, SIGINT);
  sigaddset(&state_->signals, SIGTERM);
  sigaddset(&state_->signals, SIGUSR2);  // our own: something has changed
  pthread_sigmask(SIG_BLOCK, &state_->signals, nullptr);
  state_->thread = std::thread([state = state_.get()] { state->wait_for_the_end(); });
}

void Ending::State::wait_for_the_end() {
  const std::stop_callback on_stop(stop.get_token(), [this, self = pthread_self()] {
    deadline = system_clock().steady() + kEndsWithin;
    pthread_kill(self, SIGUSR2);
  });
  bool asked = false;  // to end, by a signal
  while (!over) {
    const timespec wait = until(deadline);
    const int signal = sigtimedwait(&signals, nullptr, &wait);
    if (over) return;
    if (signal == SIGINT || signal == SIGTERM) {
      if (asked) _exit(128 + signal);
      asked = true;
      stop.request_stop();
      const std::lock_guard lock(mutex);
      if (phase == Phase::kNothingBegun) leave_now([](bool) { return 0; });
    }
    if (system_clock().steady() >= deadline.load()) leave_the_roles();
  }
}

void Ending::State::leave_the_roles() {
  const std::lock_guard lock(mutex);
  deadline = kNever;
  if (phase != Phase::kAtWork) return;
  log::warn(
      "a server does not answer, and the end does not wait for it any longer: the next start goes "
      "on from what was committed");
  leave_now(conclude);
}

void Ending::begin(Conclude conclude) {
  const std::lock_guard lock(state_->mutex);
  state_->phase = Phase::kAtWork;
  state_->conclude = std::move(conclude);
}

void Ending::ended() {
  const std::lock_guard lock(state_->mutex);
  state_->phase = Phase::kEnded;
}

Ending::~Ending() {
  state_->over = true;
  pthread_kill(state_->thread.native_handle(), SIGUSR2);
  state_->thread.join();
}

}  // namespace weir::cli
