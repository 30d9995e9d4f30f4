#include "store/local_file_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/check.h"
#include "store/posix_file.h"

namespace weir::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;

Error system_error(const std::error_code& error, const std::string& what) {
  return posix_error(error.value(), what);
}

// A file where a folder must be: to one who reads, nothing is there.
Error as_absence(Error error) {
  if (error.code() != Code::kInvalidArgument) return error;
  return {Code::kNotFound, error.reason()};
}

std::int64_t milliseconds(const struct ::timespec& time) {
  return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

bool same_file(const struct ::stat& before, const struct ::stat& after) {
  return before.st_size == after.st_size && before.st_mtim.tv_sec == after.st_mtim.tv_sec &&
         before.st_mtim.tv_nsec == after.st_mtim.tv_nsec;
}

Status write_from(const ByteSource& source, const FileHandle& file, const std::string& path) {
  std::string buffer(kBufferBytes, '\0');
  while (true) {
    const std::size_t count = WEIR_TRY(source(buffer));
    if (count == 0) return {};
    WEIR_CHECK(count <= buffer.size());
    WEIR_TRY(write_fully(file, std::string_view(buffer).substr(0, count), path));
  }
}

}  // namespace

Result<std::shared_ptr<LocalFileStore>> LocalFileStore::open(const std::string& root) {
  if (!root.starts_with('/')) {
    return fail(Code::kInvalidArgument, "the folder '" + root + "' is not an absolute path");
  }
  std::error_code error;
  const fs::path canonical = fs::canonical(root, error);
  if (error) {
    return fail(system_error(error, "the folder " + root + " of the store").code(),
                "the folder " + root + " of the store: " + error.message() +
                    "; make it with: mkdir -p " + root);
  }
  if (!fs::is_directory(canonical, error)) {
    return fail(Code::kInvalidArgument, root + " is a file, not a folder to keep a store in");
  }
  std::string text = canonical.string();
  if (text == "/") text.clear();
  return std::shared_ptr<LocalFileStore>(new LocalFileStore(std::move(text)));
}

Result<std::string> LocalFileStore::locate(const std::string& path, LastPart last_part) const {
  const bool keep = last_part == LastPart::kKeep && path != "/";
  std::error_code error;
  // Links are followed as far as there is something; names beyond that lead nowhere yet.
  fs::path located = fs::weakly_canonical(root_ + (keep ? parent_path(path) : path), error);
  if (error) return fail(system_error(error, url(path)));
  if (keep) located /= base_name(path);
  std::string text = located.string();
  if (text != root_ && !text.starts_with(root_ + "/")) {
    return fail(Code::kPermissionDenied,
                url(path) + " is or lies behind a symbolic link out of the store, to " + text);
  }
  return text;
}

Result<FileStatus> LocalFileStore::status_at(const std::string& path,
                                             const std::string& located) const {
  const struct ::stat found = WEIR_TRY(link_status(located));
  FileStatus status;
  status.name = base_name(path);
  status.path = path;
  status.is_directory = S_ISDIR(found.st_mode);
  status.length = status.is_directory ? 0 : static_cast<std::uint64_t>(found.st_size);
  status.modified_ms = milliseconds(found.st_mtim);
  status.file_id = file_id_of(located);
  return status;
}

Result<FileStatus> LocalFileStore::status(const std::string& path) {
  WEIR_TRY(check_path(path));
  const auto located = locate(path, LastPart::kFollow);
  if (!located) return fail(as_absence(located.error()));
  auto status = status_at(path, *located);
  if (!status) return fail(as_absence(std::move(status.error())));
  return status;
}

Result<std::vector<FileStatus>> LocalFileStore::list(const std::string& path) {
  WEIR_TRY(check_path(path));
  const auto located = locate(path, LastPart::kFollow);
  if (!located) return fail(as_absence(located.error()));
  std::error_code error;
  fs::directory_iterator entry(*located, error);
  if (error) return fail(as_absence(system_error(error, url(path))));
  std::vector<FileStatus> entries;
  while (entry != fs::directory_iterator()) {
    const std::string name = entry->path().filename().string();
    auto status = this->status(join_path(path, name));
    // A link that leads nowhere or out of the store is listed as it is: whoever reads it is told.
    if (!status) status = status_at(join_path(path, name), join_path(*located, name));
    if (status) {
      entries.push_back(std::move(*status));
    } else if (status.error().code() != Code::kNotFound) {  // else it was removed just now
      return fail(std::move(status.error()));
    }
    if (entries.size() > kListEntriesMax) {
      return fail(Code::kExhausted,
                  url(path) + " has more than " + std::to_string(kListEntriesMax) + " entries");
    }
    entry.increment(error);
    if (error) return fail(system_error(error, "listing " + url(path)));
  }
  std::sort(entries.begin(), entries.end(),
            [](const FileStatus& a, const FileStatus& b) { return a.name < b.name; });
  return entries;
}

Status LocalFileStore::read(const std::string& path, std::uint64_t offset, std::uint64_t length,
                            const ByteSink& sink) {
  WEIR_TRY(check_path(path));
  const auto located = locate(path, LastPart::kFollow);
  if (!located) return fail(as_absence(located.error()));
  // O_NONBLOCK: a named pipe must be refused, not waited for.
  const auto file = open_file(*located, O_RDONLY | O_NONBLOCK);
  if (!file) return fail(as_absence(file.error()));
  struct ::stat before {};
  if (::fstat(file->descriptor(), &before) != 0) return fail(posix_error(errno, url(path)));
  if (!S_ISREG(before.st_mode)) {
    return fail(Code::kNotFound, url(path) + ": is no regular file");
  }
  const auto size = static_cast<std::uint64_t>(before.st_size);
  const std::uint64_t there = size - std::min(offset, size);
  if (offset > size || (length != kToEnd && length > there)) {
    return fail(Code::kCorrupt,
                url(path) + " has only " + std::to_string(size) + " bytes; more were to be read");
  }
  ::posix_fadvise(file->descriptor(), 0, 0, POSIX_FADV_SEQUENTIAL);
  const auto buffer = std::make_unique_for_overwrite<char[]>(kBufferBytes);
  for (std::uint64_t rest = std::min(length, there); rest > 0;) {
    const ssize_t count =
        ::pread(file->descriptor(), buffer.get(), std::min<std::uint64_t>(kBufferBytes, rest),
                static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(posix_error(errno, "reading " + url(path)));
    if (count == 0) break;  // it was cut while it was read; seen below
    WEIR_TRY(sink(std::string_view(buffer.get(), static_cast<std::size_t>(count))));
    offset += static_cast<std::uint64_t>(count);
    rest -= static_cast<std::uint64_t>(count);
  }
  struct ::stat after {};
  if (::fstat(file->descriptor(), &after) != 0) return fail(posix_error(errno, url(path)));
  if (!same_file(before, after)) {
    return fail(Code::kCorrupt, url(path) + " was changed while it was read");
  }
  return {};
}

Status LocalFileStore::create(const std::string& path, const ByteSource& source) {
  WEIR_TRY(check_path_below_root(path));
  WEIR_TRY(make_directories(parent_path(path)).map_error([](Error error) {
    // To one who wants a file beneath it, a file in the folder's place is no "already there".
    if (error.code() != Code::kAlreadyExists) return error;
    return Error(Code::kInvalidArgument, error.reason());
  }));
  const std::string located = WEIR_TRY(locate(path, LastPart::kKeep));
  auto file = open_file(located, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
  if (!file && file.error().code() == Code::kAlreadyExists) {
    return fail(Code::kAlreadyExists, url(path) + " is already there");
  }
  if (!file) return fail(std::move(file.error()));
  WEIR_TRY(write_from(source, *file, url(path)));
  WEIR_TRY(flush(*file, url(path)));
  return flush_folder(parent_path(located));
}

Status LocalFileStore::make_directories(const std::string& path) {
  WEIR_TRY(check_path(path));
  for (std::size_t end = path == "/" ? std::string::npos : 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    const std::string folder = path.substr(0, end);
    const std::string located = WEIR_TRY(locate(folder, LastPart::kFollow));
    if (::mkdir(located.c_str(), 0755) == 0) {
      WEIR_TRY(flush_folder(parent_path(located)));
      continue;
    }
    if (errno != EEXIST) return fail(posix_error(errno, url(folder)));
    const struct ::stat found = WEIR_TRY(link_status(located));
    if (S_ISDIR(found.st_mode)) continue;
    const bool is_last = end == std::string::npos;
    return fail(is_last ? Code::kAlreadyExists : Code::kInvalidArgument,
                url(folder) + " is a file, not a folder");
  }
  return {};
}

Status LocalFileStore::rename(const std::string& from, const std::string& to) {
  WEIR_TRY(check_rename(from, to));
  const auto source = locate(from, LastPart::kKeep);
  if (!source) return fail(as_absence(source.error()));
  const std::string target = WEIR_TRY(locate(to, LastPart::kKeep));
  if (const auto found = link_status(*source); !found) return fail(as_absence(found.error()));
  WEIR_TRY(rename_without_replacing(*source, target));
  WEIR_TRY(flush_folder(parent_path(target)));
  return flush_folder(parent_path(*source));
}

Status LocalFileStore::remove(const std::string& path) {
  WEIR_TRY(check_path_below_root(path));
  const auto located = locate(path, LastPart::kKeep);
  if (!located) {
    const Error error = as_absence(located.error());
    return error.code() == Code::kNotFound ? Status() : fail(error);
  }
  std::error_code error;
  const auto removed = fs::remove_all(*located, error);
  if (error == std::errc::not_a_directory) return {};
  if (error) return fail(system_error(error, "removing " + url(path)));
  if (removed == 0) return {};
  return flush_folder(parent_path(*located));
}

std::string LocalFileStore::url(const std::string& path) const {
  return "file://" + root_ + (path == "/" && !root_.empty() ? "" : path);
}

}  // namespace weir::store
