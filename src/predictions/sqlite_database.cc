#include <cerrno>
#include <chrono>
#include <cstring>

#include "predictions/sqlite_database_internal.h"

namespace weir::predictions {
namespace {

// Steps of SQLite's machine between two looks at the clock: some tens of microseconds.
constexpr int kStepsPerLook = 10'000;

bool no_room(int system_error) {
  return system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG;
}

// SQLite does not keep that of a commit; errno does, as nothing succeeds between.
int system_error_of(sqlite3* database) {
  const int kept = sqlite3_system_errno(database);
  return kept ? kept : errno;
}

Code code_of(sqlite3* database, int answer) {
  if (sqlite3_extended_errcode(database) == SQLITE_READONLY_DBMOVED) return Code::kCorrupt;
  const int system_error = system_error_of(database);
  switch (answer & 0xff) {
    case SQLITE_FULL:
    case SQLITE_NOMEM: return Code::kExhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Code::kCorrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Code::kUnavailable;
    case SQLITE_INTERRUPT: return Code::kTimeout;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY: return Code::kPermissionDenied;
    case SQLITE_CANTOPEN:
      if (system_error == EACCES || system_error == EPERM) return Code::kPermissionDenied;
      [[fallthrough]];
    default: return no_room(system_error) ? Code::kExhausted : Code::kIo;
  }
}

tl::unexpected<Error> failed(sqlite3* database, int answer) {
  const Code code = code_of(database, answer);
  if (code == Code::kTimeout) {
    return fail(code, "it takes too long; ask for less, such as a shorter time");
  }
  std::string reason = std::string("sqlite: ") + sqlite3_errmsg(database);
  if (const int system_error = system_error_of(database)) {
    reason += std::string(" (") + std::strerror(system_error) + ")";
  }
  return fail(code, std::move(reason));
}

int past_deadline(void* deadline) {
  const auto& at = *static_cast<const std::optional<SteadyTime>*>(deadline);
  return at && std::chrono::steady_clock::now() > *at;
}

}  // namespace

SqliteRun::~SqliteRun() {
  if (!statement_) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

SqliteRun& SqliteRun::bind(std::int64_t number) {
  sqlite3_bind_int64(statement_, ++bound_, number);
  return *this;
}

SqliteRun& SqliteRun::bind_bytes(std::string_view bytes) {
  // An empty view may have no data, which SQLite would take for NULL.
  sqlite3_bind_blob64(statement_, ++bound_, bytes.empty() ? "" : bytes.data(), bytes.size(),
                      SQLITE_STATIC);
  return *this;
}

SqliteRun& SqliteRun::bind_null() {
  sqlite3_bind_null(statement_, ++bound_);
  return *this;
}

Result<bool> SqliteRun::step() {
  errno = 0;
  const int answer = sqlite3_step(statement_);
  if (answer == SQLITE_ROW) return true;
  ended_ = answer == SQLITE_DONE;
  if (ended_) return false;
  return failed(database_, answer);
}

Status SqliteRun::finish() {
  while (!ended_) WEIR_TRY(step());
  return {};
}

Status SqliteRun::again() {
  WEIR_TRY(finish());
  sqlite3_reset(statement_);
  bound_ = 0;
  ended_ = false;
  return {};
}

bool SqliteRun::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::int64_t SqliteRun::number(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string SqliteRun::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const int size = sqlite3_column_bytes(statement_, column);
  return data ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

std::optional<std::string> SqliteRun::optional_bytes(int column) const {
  if (is_null(column)) return std::nullopt;
  return bytes(column);
}

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::open(const std::string& path, bool writable,
                                                             Millis busy_max) {
  sqlite3* handle = nullptr;
  errno = 0;
  const int flags =
      (writable ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE) |
      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
  const int answer = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  if (!handle) return fail(Code::kExhausted, "no memory to open " + path);
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(handle));
  if (answer != SQLITE_OK) return failed(handle, answer);
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, static_cast<int>(busy_max.count()));
  sqlite3_progress_handler(handle, kStepsPerLook, past_deadline, &database->deadline_);
  // A file that another hand has prepared runs nothing of its own.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  if (!writable) WEIR_TRY(database->execute("PRAGMA query_only = 1"));
  return database;
}

SqliteDatabase::~SqliteDatabase() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(database_);
}

Status SqliteDatabase::execute(const std::string& sql) {
  errno = 0;
  const int answer = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
  if (answer != SQLITE_OK) return failed(database_, answer);
  return {};
}

Result<SqliteRun> SqliteDatabase::run(const std::string& sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (!statement) {
    errno = 0;
    const int answer = sqlite3_prepare_v3(database_, sql.c_str(), static_cast<int>(sql.size()) + 1,
                                          SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (answer != SQLITE_OK) return failed(database_, answer);
  }
  return SqliteRun(database_, statement);
}

std::int64_t SqliteDatabase::changes() const { return sqlite3_changes64(database_); }

Result<SqliteTransaction> SqliteTransaction::begin(SqliteDatabase& database) {
  WEIR_TRY(database.execute("BEGIN IMMEDIATE"));
  return SqliteTransaction(&database);
}

SqliteTransaction::~SqliteTransaction() {
  // SQLite may have rolled back by itself, as where the disk is full; then this says so, no more.
  if (database_) static_cast<void>(database_->execute("ROLLBACK"));
}

Status SqliteTransaction::keep() {
  WEIR_TRY(database_->execute("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace weir::predictions
