#include "base/clock.h"

#include <condition_variable>
#include <cstdio>
#include <ctime>
#include <mutex>

namespace weir {
namespace {

class SystemClock final : public Clock {
 public:
  SteadyTime steady() override { return std::chrono::steady_clock::now(); }
  WallTime wall() override {
    return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
  }
  void sleep_for(Millis duration, std::stop_token stop) override {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    changed.wait_for(lock, stop, duration, [] { return false; });
  }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

std::string format_time(WallTime time) {
  const auto millis = time.time_since_epoch().count();
  const std::time_t seconds = static_cast<std::time_t>(millis / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char buffer[40];
  const std::size_t length = std::strftime(buffer, sizeof buffer, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(buffer + length, sizeof buffer - length, ".%03dZ", static_cast<int>(millis % 1000));
  return buffer;
}

}  // namespace weir
