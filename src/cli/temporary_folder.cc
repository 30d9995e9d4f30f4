#include "cli/temporary_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/text.h"

namespace weir::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLockName = "lock";
constexpr std::chrono::minutes kLeftAfter{1};  // one that is being made has no lock yet

constexpr std::size_t kRandomChars = 7;  // "-XXXXXX"

int lock_of(const std::string& folder, int more_flags) {
  const int lock = open((folder + "/" + kLockName).c_str(), O_RDWR | O_CLOEXEC | more_flags, 0600);
  if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) == 0) return lock;
  close(lock);
  return -1;
}

void sweep(const std::string& parent, const std::string& name) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(parent, error)) {
    const std::string path = entry.path().string();
    struct stat found {};
    const std::string own = entry.path().filename().string();
    // Of mkdtemp's making, and with the lock in it: somebody's own folder is neither.
    if (!own.starts_with(name + "-") || own.size() != name.size() + kRandomChars ||
        lstat(path.c_str(), &found) != 0 || !S_ISDIR(found.st_mode) || found.st_uid != geteuid() ||
        fs::file_time_type::clock::now() - entry.last_write_time(error) < kLeftAfter) {
      continue;
    }
    const int lock = lock_of(path, 0);
    if (lock < 0) continue;
    fs::remove_all(path, error);
    close(lock);
  }
}

}  // namespace

Result<std::unique_ptr<TemporaryFolder>> TemporaryFolder::make(const std::string& parent,
                                                               const std::string& name) {
  sweep(parent, name);
  std::string path = parent + "/" + name + "-XXXXXX";
  const auto failed = [&] {
    return fail(errno == ENOSPC || errno == EDQUOT ? Code::kExhausted : Code::kIo,
                "cannot make the folder " + one_line(path) + ": " + std::strerror(errno));
  };
  if (mkdtemp(path.data()) == nullptr) return failed();
  const int lock = lock_of(path, O_CREAT);
  if (lock < 0) return failed();
  return std::unique_ptr<TemporaryFolder>(new TemporaryFolder(path, lock));
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  // Somebody may be writing there a last time.
  for (int tries = 0; tries < 3 && fs::exists(path_, error); ++tries) fs::remove_all(path_, error);
  close(lock_);
}

Status TemporaryFolder::write(std::string_view name, std::string_view bytes) const {
  const std::string path = file(name);
  std::FILE* const out = std::fopen(path.c_str(), "wbe");
  const bool written =
      out != nullptr && std::fwrite(bytes.data(), 1, bytes.size(), out) == bytes.size();
  const int error = errno;
  const bool closed = out != nullptr && std::fclose(out) == 0;
  if (written && closed) return {};
  return fail(Code::kIo,
              "cannot write " + one_line(path) + ": " + std::strerror(written ? errno : error));
}

}  // namespace weir::cli
