// The system calls of the local store, each with its errors as values.
//
// Threads: all pure calls on the file system; a FileHandle belongs to one thread.
#pragma once

#include <sys/stat.h>

#include <string>
#include <utility>

#include "base/error.h"

namespace weir::store {

// An open file descriptor, closed at the end. Errors of closing are not seen: flush() first.
class FileHandle {
 public:
  explicit FileHandle(int descriptor) : descriptor_(descriptor) {}
  ~FileHandle();
  FileHandle(FileHandle&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileHandle& operator=(FileHandle&&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

// The code that stands for an errno, and the reason in words: "no space left on device".
Error posix_error(int error_number, const std::string& what);

Result<FileHandle> open_file(const std::string& path, int flags, unsigned mode = 0);
Status write_fully(const FileHandle& file, std::string_view bytes, const std::string& path);
// Forces the bytes, or the names in a folder, onto the disk.
Status flush(const FileHandle& file, const std::string& path);
Status flush_folder(const std::string& path);

// Of the link itself where the path is a link.
Result<struct ::stat> link_status(const std::string& path);
// "device-inode-birth": the inode alone would be given out again.
std::string file_id_of(const std::string& path);

// Moves a file or folder unless the target is there (kAlreadyExists), in one step.
Status rename_without_replacing(const std::string& from, const std::string& to);
// The same for file systems that lack RENAME_NOREPLACE (NFS, old FUSE): one step for a file, by a
// hard link; for a folder it looks first, so that two processes at once may both think they moved.
Status rename_by_link(const std::string& from, const std::string& to);

}  // namespace weir::store
