#include "base/crash_point.h"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/text.h"

namespace weir {

CrashPoints CrashPoints::kill_at_env() {
  const char* wanted = std::getenv("WEIR_CRASH_AT");
  if (wanted == nullptr || *wanted == '\0') return {};
  std::string place = wanted;
  std::int64_t times = 1;
  if (const auto colon = place.find(':'); colon != std::string::npos) {
    times = parse_int64(std::string_view(place).substr(colon + 1)).value_or(1);
    place.resize(colon);
  }
  auto left = std::make_shared<std::atomic<std::int64_t>>(times);
  return CrashPoints([place, left](std::string_view reached) {
    if (reached == place && --*left == 0) std::raise(SIGKILL);
  });
}

}  // namespace weir
