#include "cli/upload.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/log.h"

namespace weir::cli {
namespace {

Status upload_once(store::FileStore& store, const std::string& local, const std::string& target) {
  const int descriptor = open(local.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return fail(errno == ENOENT ? Code::kNotFound : Code::kIo, local + ": " + std::strerror(errno));
  }
  const std::unique_ptr<const int, void (*)(const int*)> closer(&descriptor,
                                                                [](const int* d) { close(*d); });
  struct stat status {};
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    return fail(Code::kInvalidArgument, local + " is not a regular file");
  }
  if (status.st_size == 0) return fail(Code::kBadData, local + " is empty");
  WEIR_TRY(store.remove(target));
  return store.create(target, [&](std::span<char> buffer) -> Result<std::size_t> {
    const ssize_t got = read(descriptor, buffer.data(), buffer.size());
    if (got < 0) return fail(Code::kIo, local + ": " + std::strerror(errno));
    return static_cast<std::size_t>(got);
  });
}

// Each attempt as attempt() makes it, while the store is the reason that it failed.
template <typename Attempt>
Status upload_patiently(const std::string& what, Clock& clock, const UploadPatience& patience,
                        const Attempt& attempt) {
  const SteadyTime deadline = clock.steady() + patience.wait_max;
  Millis pause = patience.pause_first;
  while (true) {
    Status uploaded = attempt();
    if (uploaded || !uploaded.error().retryable()) return uploaded;
    const auto left = std::chrono::duration_cast<Millis>(deadline - clock.steady());
    if (left < pause) return uploaded;
    log::warn(
        "the store does not take the file now; waiting for it",
        {{"file", what}, {"gives_up_in_s", left.count() / 1000}, {"reason", uploaded.error()}});
    clock.sleep_for(pause, {});
    pause = std::min(pause * 2, patience.pause_max);
  }
}

}  // namespace

Status upload(store::FileStore& store, const std::string& local, const std::string& target,
              Clock& clock, const UploadPatience& patience) {
  return upload_patiently(local, clock, patience,
                          [&] { return upload_once(store, local, target); });
}

Status upload_bytes(store::FileStore& store, const std::string& what, std::string_view bytes,
                    const std::string& target, Clock& clock, const UploadPatience& patience) {
  return upload_patiently(what, clock, patience, [&]() -> Status {
    WEIR_TRY(store.remove(target));
    return store::create_from(store, target, bytes);
  });
}

}  // namespace weir::cli
