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

Status copy_file(store::FileStore& store, const store::FileStatus& from, const std::string& to,
                 const std::function<Status()>& progress) {
  std::string piece;
  std::size_t given = 0;  // of the piece
  std::uint64_t read = 0;
  const auto fetch = [&]() -> Status {
    WEIR_TRY(progress());
    piece.clear();
    given = 0;
    const std::uint64_t length = std::min(kPieceBytesMax, from.length - read);
    WEIR_TRY(store.read(from.path, read, length, [&](std::string_view bytes) -> Status {
      piece += bytes;
      return {};
    }));
    read += length;
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

}  // namespace weir::registry
