#include "registry/dataset_copy.h"

#include <algorithm>
#include <cstring>

namespace weir::registry {
namespace {

// So much is in memory, and comes by one request.
constexpr std::uint64_t kPieceBytesMax = std::uint64_t{16} << 20;

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

Result<std::string> read_piece(store::FileStore& store, const store::FileStatus& file,
                               std::uint64_t offset) {
  std::string piece;
  WEIR_TRY(store.read(file.path, offset, std::min(kPieceBytesMax, file.length - offset),
                      [&](std::string_view bytes) -> Status {
                        piece += bytes;
                        return {};
                      }));
  return piece;
}

Status copy_file(store::FileStore& store, const store::FileStatus& from, const std::string& to,
                 const std::function<Status()>& progress) {
  std::string piece;
  std::size_t given = 0;  // of the piece
  std::uint64_t read = 0;
  const auto fetch = [&]() -> Status {
    WEIR_TRY(progress());
    piece = WEIR_TRY(read_piece(store, from, read));
    given = 0;
    read = std::min(read + kPieceBytesMax, from.length);
    return {};
  };
  return store.create(to, [&](std::span<char> buffer) -> Result<std::size_t> {
    if (given == piece.size() && read < from.length) WEIR_TRY(fetch());
    const std::size_t count = std::min(buffer.size(), piece.size() - given);
    std::memcpy(buffer.data(), piece.data() + given, count);
    given += count;
    return count;
  });
}

}  // namespace

std::string name_before_mark(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == name.npos || dot == 0) return std::string(name);
  if (is_number(name.substr(dot + 1))) return std::string(name.substr(0, dot));
  const std::size_t mark = name.rfind('.', dot - 1);
  if (mark == name.npos || mark == 0 || !is_number(name.substr(mark + 1, dot - mark - 1))) {
    return std::string(name);
  }
  return std::string(name.substr(0, mark)) + std::string(name.substr(dot));
}

Status drop_copy(store::FileStore& store, const DatasetFolder& folder, const Dataset& source,
                 const std::string& path, const std::function<Status()>& progress) {
  const std::string name = store::base_name(path);
  if (!is_data_name(name)) {
    return fail(Code::kInvalidArgument, "the drop folder does not look at '" + name + "'");
  }
  if (auto there = store.status(path); there || there.error().code() != Code::kNotFound) {
    if (!there) return fail(std::move(there.error()));
    return fail(Code::kAlreadyExists, store.url(path) + " waits already");
  }
  const std::string hidden = store::join_path(store::parent_path(path), "." + name + ".copy.tmp");
  const auto attempt = [&]() -> Status {
    WEIR_TRY(store.remove(hidden));  // of one that was killed in the middle
    for (const store::FileStatus& part : source.parts) {
      const std::string to = source.is_folder ? store::join_path(hidden, part.name) : hidden;
      WEIR_TRY(copy_file(store, part, to, progress));
    }
    if (source.is_folder) {
      WEIR_TRY(store::create_from(store, store::join_path(hidden, "_SUCCESS"), ""));
    }
    const Dataset after = WEIR_TRY(folder.open(source.identity.path));
    if (after.identity != source.identity) {
      return fail(Code::kNotFound,
                  store.url(source.identity.path) + " was replaced while it was copied");
    }
    return store.rename(hidden, path);
  };
  Status copied = during(attempt(), "copying " + store.url(source.identity.path) + " to " + path);
  if (!copied) static_cast<void>(store.remove(hidden));
  return copied;
}

Result<bool> have_same_bytes(store::FileStore& store, const Dataset& a, const Dataset& b,
                             const std::function<Status()>& progress) {
  if (a.is_folder != b.is_folder || a.parts.size() != b.parts.size()) return false;
  for (std::size_t i = 0; i < a.parts.size(); ++i) {
    if (a.is_folder && a.parts[i].name != b.parts[i].name) return false;
    if (a.parts[i].length != b.parts[i].length) return false;
  }
  for (std::size_t i = 0; i < a.parts.size(); ++i) {
    for (std::uint64_t at = 0; at < a.parts[i].length; at += kPieceBytesMax) {
      WEIR_TRY(progress());
      const std::string piece = WEIR_TRY(read_piece(store, a.parts[i], at));
      if (piece != WEIR_TRY(read_piece(store, b.parts[i], at))) return false;
    }
  }
  return true;
}

}  // namespace weir::registry
