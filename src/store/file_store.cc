#include "store/file_store.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace weir::store {
namespace {

Status bad_path(std::string_view path, std::string_view why) {
  return fail(Code::kInvalidArgument, "the path '" + std::string(path) + "' " + std::string(why));
}

}  // namespace

Status check_path(std::string_view path) {
  if (path.empty() || path.front() != '/') return bad_path(path, "does not begin with '/'");
  if (path.find('\0') != std::string_view::npos) return bad_path(path, "contains a NUL byte");
  if (path == "/") return {};
  for (std::size_t begin = 1; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty()) return bad_path(path, "has an empty part");
    if (part == "." || part == "..") return bad_path(path, "has a '.' or '..' part");
    begin = end + 1;
  }
  return {};
}

Status check_path_below_root(std::string_view path) {
  WEIR_TRY(check_path(path));
  if (path == "/") return bad_path(path, "is the root of the store");
  return {};
}

Status check_rename(std::string_view from, std::string_view to) {
  WEIR_TRY(check_path_below_root(from));
  WEIR_TRY(check_path_below_root(to));
  if (to.size() > from.size() && to.starts_with(from) && to[from.size()] == '/') {
    return bad_path(to, "lies inside the folder that is to be moved, '" + std::string(from) + "'");
  }
  return {};
}

std::string parent_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == 0 || slash == std::string_view::npos) return "/";
  return std::string(path.substr(0, slash));
}

std::string base_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

std::string join_path(std::string_view folder, std::string_view name) {
  std::string joined(folder);
  if (!joined.ends_with('/')) joined += '/';
  joined += name;
  return joined;
}

Result<std::string> read_all(FileStore& store, const std::string& path, std::uint64_t bytes_max) {
  const auto too_long = [&] {
    return fail(Code::kExhausted, store.url(path) + " is longer than " + format_bytes(bytes_max) +
                                      ", the most that is read into memory");
  };
  const FileStatus file = WEIR_TRY(store.status(path));
  if (file.length > bytes_max) return too_long();
  std::string bytes;
  bytes.reserve(file.length);
  const ByteSink sink = [&](std::string_view piece) -> Status {
    // The file may have grown since status().
    if (piece.size() > bytes_max - bytes.size()) return too_long();
    bytes += piece;
    return {};
  };
  WEIR_TRY(store.read(path, 0, kToEnd, sink));
  return bytes;
}

Status create_from(FileStore& store, const std::string& path, std::string_view bytes) {
  const ByteSource source = [&](std::span<char> buffer) -> Result<std::size_t> {
    const std::size_t count = std::min(buffer.size(), bytes.size());
    std::memcpy(buffer.data(), bytes.data(), count);
    bytes.remove_prefix(count);
    return count;
  };
  return store.create(path, source);
}

Status FileStore::create_all(std::span<const NewFile> files) {
  for (const NewFile& file : files) WEIR_TRY(create_from(*this, file.path, file.bytes));
  return {};
}

}  // namespace weir::store
