#include "store/posix_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

namespace weir::store {
namespace {

Code code_of(int error_number) {
  switch (error_number) {
    case ENOENT: return Code::kNotFound;
    case EEXIST:
    case ENOTEMPTY: return Code::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP: return Code::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM: return Code::kExhausted;
    case ENAMETOOLONG:
    case EILSEQ:
    case ENOTDIR:
    case EINVAL: return Code::kInvalidArgument;
    default: return Code::kIo;
  }
}

}  // namespace

FileHandle::~FileHandle() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Error posix_error(int error_number, const std::string& what) {
  std::string reason = what + ": " + std::generic_category().message(error_number);
  if (error_number == ENOSPC) reason += "; free space on that disk";
  if (error_number == EDQUOT) reason += "; the user's quota on that disk is used up";
  return {code_of(error_number), std::move(reason)};
}

Result<FileHandle> open_file(const std::string& path, int flags, unsigned mode) {
  int descriptor = -1;
  do {
    descriptor = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) return fail(posix_error(errno, path));
  return FileHandle(descriptor);
}

Status write_fully(const FileHandle& file, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file.descriptor(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(posix_error(errno, "writing " + path));
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Status flush(const FileHandle& file, const std::string& path) {
  if (::fsync(file.descriptor()) == 0) return {};
  // Some file systems cannot flush a folder and say EINVAL; there is nothing more to be done there.
  if (errno == EINVAL || errno == ENOTSUP) return {};
  return fail(posix_error(errno, "flushing " + path + " to its disk"));
}

Status flush_folder(const std::string& path) {
  const FileHandle folder = WEIR_TRY(open_file(path, O_RDONLY | O_DIRECTORY));
  return flush(folder, path);
}

Result<struct ::stat> link_status(const std::string& path) {
  struct ::stat found {};
  if (::lstat(path.c_str(), &found) != 0) return fail(posix_error(errno, path));
  return found;
}

std::string file_id_of(const std::string& path) {
  struct ::statx found {};
  if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME, &found) != 0) {
    return "";
  }
  // Not every file system keeps a birth time; zero then, and the inode has to do.
  const bool has_birth = (found.stx_mask & STATX_BTIME) != 0;
  char text[96];
  std::snprintf(text, sizeof text, "%x:%x-%llx-%llx.%x", found.stx_dev_major, found.stx_dev_minor,
                static_cast<unsigned long long>(found.stx_ino),
                has_birth ? static_cast<unsigned long long>(found.stx_btime.tv_sec) : 0,
                has_birth ? found.stx_btime.tv_nsec : 0);
  return text;
}

Status rename_by_link(const std::string& from, const std::string& to) {
  const struct ::stat source = WEIR_TRY(link_status(from));
  if (!S_ISDIR(source.st_mode)) {
    if (::link(from.c_str(), to.c_str()) != 0) return fail(posix_error(errno, to));
    if (::unlink(from.c_str()) != 0) return fail(posix_error(errno, from));
    return {};
  }
  if (link_status(to)) return fail(Code::kAlreadyExists, to + " is already there");
  if (::rename(from.c_str(), to.c_str()) != 0) return fail(posix_error(errno, to));
  return {};
}

Status rename_without_replacing(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (errno == EINVAL || errno == ENOSYS || errno == ENOTSUP) return rename_by_link(from, to);
  const int error_number = errno;
  return fail(posix_error(error_number, error_number == EEXIST ? to : from + " -> " + to));
}

}  // namespace weir::store
