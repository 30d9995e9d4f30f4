// A folder of this machine as a FileStore.
//
// What create() and rename() have answered is on the disk: file and folder are flushed. A symbolic
// link that leads out of the root is refused (kPermissionDenied); it can be renamed and removed as
// the link that it is. Against a process that changes folders into links meanwhile there is no
// guard: the root belongs to this program's user.
//
// Owner, threads, errors: as FileStore. Needs no deadline: a local disk answers or fails; a root on
// a hung network mount hangs the caller.
#pragma once

#include "store/file_store.h"

namespace weir::store {

class LocalFileStore final : public FileStore {
 public:
  // kNotFound where the folder is not there, kInvalidArgument where it is a file or not absolute.
  static Result<std::shared_ptr<LocalFileStore>> open(const std::string& root);

  Result<std::vector<FileStatus>> list(const std::string& path) override;
  Result<FileStatus> status(const std::string& path) override;
  Status read(const std::string& path, std::uint64_t offset, std::uint64_t length,
              const ByteSink& sink) override;
  Status create(const std::string& path, const ByteSource& source) override;
  Status make_directories(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  std::string url(const std::string& path) const override;

 private:
  explicit LocalFileStore(std::string root) : root_(std::move(root)) {}

  // The (checked) path on this machine; kPermissionDenied where a link leads out of the root. The
  // last part is followed where it is a link, or not (for what acts on the link itself).
  enum class LastPart { kFollow, kKeep };
  Result<std::string> locate(const std::string& path, LastPart last_part) const;
  Result<FileStatus> status_at(const std::string& path, const std::string& located) const;

  const std::string root_;  // canonical, without a '/' at the end; empty for "/"
};

}  // namespace weir::store
