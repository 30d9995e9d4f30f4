// A local folder for the files of one piece of work, which goes with it.
//
// Its owner holds a lock in it, so that what a killed process has left can be told from what is in
// use: make() removes such folders of the same name and user that are older than a minute.
//
// Owner: whoever makes it. Threads: one. Errors: kIo, kExhausted.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weir::cli {

class TemporaryFolder {
 public:
  // In the folder `parent`, as "<name>-XXXXXX"; for its owner alone.
  static Result<std::unique_ptr<TemporaryFolder>> make(const std::string& parent,
                                                       const std::string& name);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }
  Status write(std::string_view name, std::string_view bytes) const;

 private:
  TemporaryFolder(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  const std::string path_;
  const int lock_;
};

}  // namespace weir::cli
