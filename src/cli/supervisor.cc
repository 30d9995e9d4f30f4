#include "cli/supervisor.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <thread>

#include "base/log.h"

namespace weir::cli {
namespace {

constexpr Millis kStepWait{100};
constexpr Millis kPauseFirst{500};
constexpr Millis kPauseMax{15'000};
constexpr Millis kHealthyAfter{30'000};
constexpr timespec kEndsWithin{5, 0};  // as a rule; a call to a server that is away takes longer

bool may_try_again(Code code) {
  switch (code) {
    case Code::kBadConfig:
    case Code::kPermissionDenied:
    case Code::kUnsupported:
    case Code::kInvalidArgument:
    case Code::kCorrupt:
    case Code::kCancelled: return false;
    default: return true;
  }
}

}  // namespace

Status Supervisor::drive(const RoleSpec& spec, std::stop_source& stop) {
  Millis pause = kPauseFirst;
  while (!stop.stop_requested()) {
    const SteadyTime began = clock_.steady();
    auto role = spec.open();
    Status status = role ? Status{} : Status(fail(role.error()));
    while (status && !stop.stop_requested()) {
      status = (*role)->step(kStepWait, stop.get_token());
      if (status && spec.done(**role)) {
        (*role)->finish();
        if (spec.ends_all) stop.request_stop();
        return {};
      }
    }
    if (status || stop.stop_requested()) {
      if (role) (*role)->finish();
      return {};
    }
    if (!may_try_again(status.error().code())) {
      return fail(std::move(status.error()).while_doing("running the " + spec.name));
    }
    if (clock_.steady() - began > kHealthyAfter) pause = kPauseFirst;
    log::warn("the " + spec.name + " failed and is started again",
              {{"pause_ms", pause.count()}, {"reason", status.error()}});
    if (role) role->reset();
    clock_.sleep_for(pause, stop.get_token());
    pause = std::min(pause * 2, kPauseMax);
  }
  return {};
}

Status Supervisor::run(std::vector<RoleSpec> roles, std::stop_source stop) {
  std::mutex mutex;
  Status first_error;
  std::vector<std::thread> threads;
  for (const RoleSpec& spec : roles) {
    threads.emplace_back([&, stop]() mutable {
      pthread_setname_np(pthread_self(), spec.name.substr(0, 15).c_str());
      Status status = drive(spec, stop);
      if (status) return;
      stop.request_stop();
      const std::lock_guard lock(mutex);
      if (first_error) first_error = std::move(status);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return first_error;
}

struct SignalStop::State {
  std::stop_source stop;
  sigset_t signals{};
  std::thread thread;
  std::atomic<bool> ending{false};
};

SignalStop::SignalStop(std::stop_source stop) : state_(std::make_unique<State>()) {
  state_->stop = std::move(stop);
  sigemptyset(&state_->signals);
  sigaddset(&state_->signals, SIGINT);
  sigaddset(&state_->signals, SIGTERM);
  sigaddset(&state_->signals, SIGUSR2);  // our own: ends the waiting
  pthread_sigmask(SIG_BLOCK, &state_->signals, nullptr);
  state_->thread = std::thread([state = state_.get()] {
    bool asked = false;  // to end, by a signal
    bool told = false;
    for (;;) {
      const int signal = asked && !told ? sigtimedwait(&state->signals, nullptr, &kEndsWithin)
                                        : sigwaitinfo(&state->signals, nullptr);
      if (state->ending) return;
      if (signal < 0 && errno == EAGAIN) {
        told = true;
        log::warn(
            "still ending: waiting for the answer of a server; a second signal ends at once, and "
            "the next start goes on from what was committed");
      }
      if (signal < 0 || signal == SIGUSR2) continue;
      if (asked) _exit(128 + signal);
      asked = true;
      state->stop.request_stop();
    }
  });
}

SignalStop::~SignalStop() {
  state_->ending = true;
  pthread_kill(state_->thread.native_handle(), SIGUSR2);
  state_->thread.join();
}

}  // namespace weir::cli
