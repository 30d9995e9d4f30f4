#include "cli/supervisor.h"

#include <pthread.h>

#include <algorithm>
#include <thread>

#include "base/log.h"

namespace weir::cli {
namespace {

constexpr Millis kStepWait{100};
constexpr Millis kPauseFirst{500};
constexpr Millis kPauseMax{15'000};
constexpr Millis kHealthyAfter{30'000};

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

Status Supervisor::drive(const RoleSpec& spec, std::stop_source& stop, Pulse& pulse) {
  Millis pause = kPauseFirst;
  while (!stop.stop_requested()) {
    pulse.beat();
    const SteadyTime began = clock_.steady();
    auto role = spec.open();
    Status status = role ? Status{} : Status(fail(role.error()));
    while (status && !stop.stop_requested()) {
      status = (*role)->step(kStepWait, stop.get_token());
      pulse.beat();
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
  std::vector<Pulse> pulses(roles.size());
  Watchdog dog(options_.watchdog);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < roles.size(); ++i) {
    dog.watch(roles[i].name, pulses[i]);
    threads.emplace_back([&, &spec = roles[i], &pulse = pulses[i], stop]() mutable {
      pthread_setname_np(pthread_self(), spec.name.substr(0, 15).c_str());
      Pulse::set_own(&pulse);
      Status status = drive(spec, stop, pulse);
      pulse.end();
      if (status) return;
      {
        const std::lock_guard lock(mutex_);
        if (first_error_) first_error_ = std::move(status);
      }
      stop.request_stop();
    });
  }
  const std::jthread watching([&](std::stop_token ended) { watch(std::move(dog), ended); });
  for (std::thread& thread : threads) thread.join();
  return first_error();
}

void Supervisor::watch(Watchdog dog, std::stop_token ended) {
  pthread_setname_np(pthread_self(), "watchdog");
  while (!ended.stop_requested()) {
    if (!dog.look(clock_.steady())) return options_.on_stuck();
    clock_.sleep_for(options_.look_every, ended);
  }
}

Status Supervisor::first_error() const {
  const std::lock_guard lock(mutex_);
  return first_error_;
}

}  // namespace weir::cli
