// Files by path: the one view of HDFS, of a local folder and of memory that the program has.
//
// Paths are absolute, '/'-separated, relative to the store's root ("/dataset/a.csv"); '.', '..' and
// empty parts are refused (kInvalidArgument), so nothing outside the root can be named. Any other
// byte but NUL may stand in a name; a store that cannot keep a name as it is refuses it
// (kInvalidArgument) rather than keep another one: HDFS takes no ':' and nothing but UTF-8.
//
// Owner: cli makes one and shares it; it outlives the roles. Threads: every call from any thread at
// once. Errors: kNotFound, kAlreadyExists, kPermissionDenied, kExhausted (disk, quota),
// kUnavailable and kTimeout (after the store's own retries), kCorrupt (fewer or more bytes than the
// file's length), kIo. A file where a folder must be: reading beneath it is kNotFound, writing
// beneath it kInvalidArgument. Limits: each call has a deadline; a listing holds at most
// kListEntriesMax.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::store {

inline constexpr std::size_t kListEntriesMax = 1'000'000;
inline constexpr std::size_t kReadPieceBytesMax = std::size_t{4} << 20;
inline constexpr std::uint64_t kToEnd = ~std::uint64_t{0};

struct FileStatus {
  std::string name;  // the last part of the path; empty for "/"
  std::string path;
  bool is_directory = false;
  std::uint64_t length = 0;      // bytes; 0 for a directory
  std::int64_t modified_ms = 0;  // since 1970
  std::string file_id;           // survives a rename, never used again; empty where there is none
};

// A file to be, whole in memory; the bytes outlive the call that it is given to.
struct NewFile {
  std::string path;
  std::string_view bytes;
};

// Receives the next bytes of a file; an error stops the read and is passed on.
using ByteSink = std::function<Status(std::string_view bytes)>;
// Fills the buffer and returns how many bytes it wrote; 0 is the end. An error stops the write and
// is passed on.
using ByteSource = std::function<Result<std::size_t>(std::span<char> buffer)>;

class FileStore {
 public:
  virtual ~FileStore() = default;

  // The entries of a directory, by name in byte order. kNotFound where it is none.
  virtual Result<std::vector<FileStatus>> list(const std::string& path) = 0;
  virtual Result<FileStatus> status(const std::string& path) = 0;

  // Reads `length` bytes from `offset` (to the end where length is kToEnd) and hands them on in
  // order, in pieces of at most kReadPieceBytesMax. kCorrupt where the file has fewer bytes, and
  // where it was replaced or changed while it was read; kNotFound where it is a directory.
  virtual Status read(const std::string& path, std::uint64_t offset, std::uint64_t length,
                      const ByteSink& sink) = 0;

  // Writes a new file, and its folders where they are missing; kAlreadyExists where the path is
  // taken. After an error part of the file may be there: write to a temporary name and rename.
  virtual Status create(const std::string& path, const ByteSource& source) = 0;

  // create() of each. After an error any of them may be there, whole or in part. One after another
  // here; a store where a file costs a wait writes them side by side.
  virtual Status create_all(std::span<const NewFile> files);

  // Fine if it is there; kAlreadyExists where a file is.
  virtual Status make_directories(const std::string& path) = 0;
  // Moves a file or directory; kAlreadyExists where `to` is taken, kNotFound where `from` or the
  // parent of `to` is not there, kInvalidArgument where `to` lies in `from`. Atomic.
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  // Fine if nothing is there. A directory goes with all in it; the root stays (kInvalidArgument).
  virtual Status remove(const std::string& path) = 0;

  // True while somebody has the file open for writing, where the store can tell (HDFS can: the
  // block list says that the file is under construction). kNotFound where there is no file.
  virtual Result<bool> is_being_written(const std::string& path) {
    static_cast<void>(path);
    return false;
  }

  // As a person would name it: "hdfs://localhost:8020/dataset/a.csv".
  virtual std::string url(const std::string& path) const = 0;
};

// The whole of a file of at most `bytes_max`, else kExhausted.
Result<std::string> read_all(FileStore& store, const std::string& path, std::uint64_t bytes_max);
// create() from memory.
Status create_from(FileStore& store, const std::string& path, std::string_view bytes);
// kInvalidArgument unless the path is absolute and has no empty, '.' or '..' part and no NUL.
Status check_path(std::string_view path);
// What rename() refuses before it looks at any file: bad paths, the root, `to` inside `from`.
Status check_rename(std::string_view from, std::string_view to);
// As check_path(), and not the root.
Status check_path_below_root(std::string_view path);

// "/a/b" -> "/a" and "b"; "/a" -> "/" and "a"; the root is its own parent and has no name.
std::string parent_path(std::string_view path);
std::string base_name(std::string_view path);
// "/a" and "b" -> "/a/b"; "/" and "b" -> "/b".
std::string join_path(std::string_view folder, std::string_view name);

}  // namespace weir::store
