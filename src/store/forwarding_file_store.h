// A FileStore that passes every call on to another one: for stores that differ from another in one
// or two calls.
//
// Owner: a test; the inner store outlives it. Threads and errors: those of the inner store.
#pragma once

#include "store/file_store.h"

namespace weir::store {

class ForwardingFileStore : public FileStore {
 public:
  explicit ForwardingFileStore(FileStore& inner) : inner_(inner) {}

  Result<std::vector<FileStatus>> list(const std::string& path) override {
    return inner_.list(path);
  }
  Result<FileStatus> status(const std::string& path) override { return inner_.status(path); }
  Status read(const std::string& path, std::uint64_t offset, std::uint64_t length,
              const ByteSink& sink) override {
    return inner_.read(path, offset, length, sink);
  }
  Status create(const std::string& path, const ByteSource& source) override {
    return inner_.create(path, source);
  }
  Status make_directories(const std::string& path) override {
    return inner_.make_directories(path);
  }
  Status rename(const std::string& from, const std::string& to) override {
    return inner_.rename(from, to);
  }
  Status remove(const std::string& path) override { return inner_.remove(path); }
  Result<bool> is_being_written(const std::string& path) override {
    return inner_.is_being_written(path);
  }
  std::string url(const std::string& path) const override { return inner_.url(path); }

 private:
  FileStore& inner_;
};

}  // namespace weir::store
