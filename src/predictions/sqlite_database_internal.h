// One connection to a SQLite file, its errors turned into ours.
//
// Owner: the store. Threads: one at a time. Errors: kExhausted where the disk is full, kCorrupt
// where the file is damaged, no database or no longer there, kUnavailable where another connection
// holds it for longer than the busy time-out, kTimeout past the deadline, kPermissionDenied, kIo.
#pragma once

#include <sqlite3.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"

namespace weir::predictions {

// A statement that is being run: bind, then step, read the columns of each row. What is bound must
// live until the run ends, and so must the connection. Ends with its scope, and can be begun anew.
class SqliteRun {
 public:
  SqliteRun(sqlite3* database, sqlite3_stmt* statement)
      : database_(database), statement_(statement) {}
  ~SqliteRun();
  SqliteRun(SqliteRun&& other) noexcept
      : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)) {}
  SqliteRun& operator=(SqliteRun&&) = delete;

  // In the order of the statement's question marks.
  SqliteRun& bind(std::int64_t number);
  SqliteRun& bind(std::uint64_t number) { return bind(static_cast<std::int64_t>(number)); }
  SqliteRun& bind(std::int32_t number) { return bind(static_cast<std::int64_t>(number)); }
  SqliteRun& bind_bytes(std::string_view bytes);
  SqliteRun& bind_null();
  template <typename T>
  SqliteRun& bind_optional(const std::optional<T>& value) {
    if (!value) return bind_null();
    if constexpr (std::is_convertible_v<T, std::string_view>) {
      return bind_bytes(*value);
    } else {
      return bind(*value);
    }
  }

  Result<bool> step();  // true: there is a row
  Status finish();      // steps to the end
  Status again();       // finish(), and ready to be bound anew

  bool is_null(int column) const;
  std::int64_t number(int column) const;
  std::string bytes(int column) const;
  std::optional<std::string> optional_bytes(int column) const;

 private:
  sqlite3* const database_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
  bool ended_ = false;  // another step would run it once more
};

class SqliteDatabase {
 public:
  // Makes the file where it is missing.
  static Result<std::unique_ptr<SqliteDatabase>> open(const std::string& path, bool writable,
                                                      Millis busy_max);
  ~SqliteDatabase();
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;

  Status execute(const std::string& sql);
  // Prepared once for each text.
  Result<SqliteRun> run(const std::string& sql);
  // How many rows the last statement changed.
  std::int64_t changes() const;
  // What runs past it ends with kTimeout; nullopt: no limit.
  void set_deadline(std::optional<SteadyTime> deadline) { deadline_ = deadline; }

 private:
  explicit SqliteDatabase(sqlite3* database) : database_(database) {}

  sqlite3* const database_;
  std::map<std::string, sqlite3_stmt*> statements_;
  std::optional<SteadyTime> deadline_;
};

// A transaction that is rolled back where it is not kept.
class SqliteTransaction {
 public:
  static Result<SqliteTransaction> begin(SqliteDatabase& database);
  ~SqliteTransaction();
  SqliteTransaction(SqliteTransaction&& other) noexcept
      : database_(std::exchange(other.database_, nullptr)) {}
  SqliteTransaction& operator=(SqliteTransaction&&) = delete;
  Status keep();

 private:
  explicit SqliteTransaction(SqliteDatabase* database) : database_(database) {}
  SqliteDatabase* database_;
};

}  // namespace weir::predictions
