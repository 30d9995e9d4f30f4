// A FileStore in memory, for tests of everything that uses one.
//
// It behaves as HDFS does (file ids, sorted listings, a rename that refuses an existing target) and
// can be told to misbehave: fail at the Nth call, do the work and then lose the reply, or call a
// function before each operation, in which a test may wait, crash or look.
//
// Owner: the test. Threads: every call from any thread. No call blocks, but for what the test's own
// function does; that runs without the store's lock, so it may use the store itself.
#pragma once

#include <map>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "store/file_store.h"

namespace weir::store {

enum class Operation { kList, kStatus, kRead, kCreate, kMakeDirectories, kRename, kRemove };

class MemoryFileStore final : public FileStore {
 public:
  // The clock outlives the store; it gives the modification times.
  explicit MemoryFileStore(Clock& clock = system_clock());

  Result<std::vector<FileStatus>> list(const std::string& path) override;
  Result<FileStatus> status(const std::string& path) override;
  Status read(const std::string& path, std::uint64_t offset, std::uint64_t length,
              const ByteSink& sink) override;
  Status create(const std::string& path, const ByteSource& source) override;
  Status make_directories(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  std::string url(const std::string& path) const override;

  // ---- for tests ----
  // The next call of this operation, after `calls_before` that go well, fails and does nothing. A
  // failing create leaves the first half of the bytes under its name, as a cut upload does.
  // May be called several times; the failures queue up.
  void fail_next(Operation operation, Error error, int calls_before = 0);
  // As fail_next, but the work is done before the error is returned: a reply was lost.
  void lose_reply_of_next(Operation operation, Error error, int calls_before = 0);
  // Called before each operation with its (first) path; an error makes the operation fail. It may
  // block, which stalls the caller. Empty: no function.
  using Hook = std::function<Status(Operation operation, const std::string& path)>;
  void before_each(Hook hook);
  // Puts a whole file there at once, whatever was there, under a new file id; makes its folders.
  void put(const std::string& path, std::string bytes);
  // Adds to a file that is there, in place, as a writer does that has not finished.
  void append(const std::string& path, std::string_view bytes);
  std::uint64_t calls(Operation operation) const;  // since construction, failed ones too

 private:
  struct Node {
    bool is_directory = false;
    std::shared_ptr<const std::string> bytes;  // shared with reads under way
    std::int64_t modified_ms = 0;
    std::uint64_t id = 0;
  };
  struct Failure {
    Operation operation;
    Error error;
    int calls_before;
    bool after_the_work;
  };
  using Nodes = std::map<std::string, Node, std::less<>>;

  // Counts the call and runs the hook. The error, if any, that is to be returned after the work.
  Result<std::optional<Error>> enter(Operation operation, const std::string& path);
  // The following need mutex_.
  FileStatus status_of(const std::string& path, const Node& node) const;
  Status add_directories(const std::string& path);
  void add_file(const std::string& path, std::string bytes);
  std::pair<Nodes::iterator, Nodes::iterator> subtree(const std::string& path);
  Node make_node(bool is_directory);

  Clock& clock_;
  mutable std::mutex mutex_;
  Nodes nodes_;                     // guarded by mutex_, as all below
  std::uint64_t next_id_ = 16'386;  // where HDFS begins
  std::vector<Failure> failures_;
  Hook hook_;
  std::map<Operation, std::uint64_t> calls_;
};

}  // namespace weir::store
