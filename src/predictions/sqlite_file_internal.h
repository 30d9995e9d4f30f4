// The file behind a SqlitePredictionStore: its connections, its schema, and how a damaged one is
// replaced.
//
// Owner: the store. Threads: any. Errors: as prediction_store.h.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "predictions/sqlite_database_internal.h"
#include "predictions/sqlite_prediction_store.h"

namespace weir::predictions {

class SqlitePredictionStore::File {
 public:
  static Result<std::unique_ptr<File>> open(SqliteStoreOptions options);
  ~File();

  // Runs `question` on a connection that reads, within query_max.
  template <typename T>
  Result<T> read(const std::function<Result<T>(SqliteDatabase&)>& question) {
    const std::shared_lock alive(life_);
    if (broken_) return fail(being_replaced());
    auto reader = WEIR_TRY(borrow());
    Result<T> answer = question(*reader);
    give_back(std::move(reader));
    if (!answer) note(answer.error());
    return answer;
  }
  // Runs `change` on the connection that writes, within one transaction.
  Status write(const std::function<Status(SqliteDatabase&)>& change);
  // Where the file has turned out to be damaged, moves it aside and makes another.
  Status mend();

  const std::string& path() const { return path_; }

 private:
  explicit File(SqliteStoreOptions options);
  Status lock();
  Status connect();
  Status connect_or_replace();
  Status prepare(SqliteDatabase& database);
  Status move_aside();
  Result<std::unique_ptr<SqliteDatabase>> borrow();
  void give_back(std::unique_ptr<SqliteDatabase> reader);
  void note(const Error& error);
  Error being_replaced() const;
  Status still_there() const;

  const SqliteStoreOptions options_;
  const std::string path_;
  int lock_ = -1;
  std::uint64_t device_ = 0;  // with the inode, which file the connections have
  std::uint64_t inode_ = 0;

  std::shared_mutex life_;  // held alone while the file is replaced
  std::atomic<bool> broken_{false};

  std::mutex write_mutex_;
  std::unique_ptr<SqliteDatabase> writer_;  // guarded by write_mutex_

  std::mutex readers_mutex_;
  std::condition_variable reader_back_;
  std::vector<std::unique_ptr<SqliteDatabase>> idle_;  // guarded by readers_mutex_
  int lent_ = 0;                                       // guarded by readers_mutex_
};

}  // namespace weir::predictions
