// How the file lives. It is written in WAL mode, one connection writing and a few reading, so that
// questions never hold up the feed. A commit is not forced to the disk (synchronous=NORMAL): after
// a power cut the last ones may be missing, with the positions that they held, and the feed goes on
// from the positions that are there.
//
// A damaged file is found at the opening (a check that takes check_max at most) or by the first
// statement that meets the damage. From then on questions are answered with kUnavailable, and the
// next positions() of the feed moves it aside and makes an empty one.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/log.h"
#include "predictions/sqlite_file_internal.h"

namespace weir::predictions {
namespace {

constexpr int kSchemaVersion = 1;
constexpr std::int64_t kApplicationId = 0x57656972;  // "Weir"
constexpr int kReadersMax = 4;
constexpr Millis kBusyMax{2'000};

// ordered_ms is arrived_ms, or where the record is not there the time of its answer. The indexes
// serve the lists in their order, each with the filter that makes it short; by_id holds the hash,
// so that a push is looked up without touching a record.
constexpr const char* kSchema = R"sql(
CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE topics(topic BLOB PRIMARY KEY, topic_id BLOB) WITHOUT ROWID;
CREATE TABLE positions(topic BLOB, part INTEGER, next INTEGER, PRIMARY KEY(topic, part))
  WITHOUT ROWID;
CREATE TABLE records(
  part INTEGER NOT NULL, off INTEGER NOT NULL, ordered_ms INTEGER NOT NULL,
  arrived_ms INTEGER, id BLOB, hash BLOB, state INTEGER NOT NULL, features BLOB,
  prediction BLOB, model INTEGER, epoch INTEGER, reason BLOB, message BLOB,
  answer_part INTEGER, answer_off INTEGER, answered_ms INTEGER);
CREATE UNIQUE INDEX by_place ON records(part, off);
CREATE INDEX by_time ON records(ordered_ms, part, off);
CREATE INDEX by_id ON records(id, ordered_ms, part, off, hash) WHERE id IS NOT NULL;
CREATE INDEX by_model ON records(model, ordered_ms, part, off) WHERE model IS NOT NULL;
CREATE INDEX waiting ON records(ordered_ms, part, off) WHERE state = 0;
CREATE INDEX dead ON records(ordered_ms, part, off) WHERE state = 2;
)sql";

tl::unexpected<Error> failed(const std::string& what) {
  const int error = errno;
  const Code code = error == EACCES || error == EPERM || error == EROFS ? Code::kPermissionDenied
                    : error == ENOSPC || error == EDQUOT                ? Code::kExhausted
                                                                        : Code::kIo;
  return fail(code, what + ": " + std::strerror(error));
}

Result<int> open_private(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return failed("opening " + path);
  if (::fchmod(file, 0600) != 0) {
    auto error = failed("making " + path + " private");
    ::close(file);
    return error;
  }
  return file;
}

Result<std::int64_t> number_of(SqliteDatabase& database, const std::string& sql) {
  auto run = WEIR_TRY(database.run(sql));
  return WEIR_TRY(run.step()) ? run.number(0) : 0;
}

}  // namespace

SqlitePredictionStore::File::File(SqliteStoreOptions options)
    : options_(std::move(options)),
      path_(options_.folder + "/" + options_.pipeline + ".predictions.sqlite") {}

SqlitePredictionStore::File::~File() {
  idle_.clear();
  writer_.reset();
  if (lock_ >= 0) ::close(lock_);
}

Result<std::unique_ptr<SqlitePredictionStore::File>> SqlitePredictionStore::File::open(
    SqliteStoreOptions options) {
  std::unique_ptr<File> file(new File(std::move(options)));
  const std::string& folder = file->options_.folder;
  std::error_code error;
  if (std::filesystem::create_directories(folder, error)) {
    static_cast<void>(::chmod(folder.c_str(), 0700));
  } else if (error) {
    errno = error.value();
    return failed("making the folder " + folder + " (serve.state_dir)");
  }
  WEIR_TRY(file->lock());
  WEIR_TRY(during(file->connect_or_replace(), "opening " + file->path_));
  return file;
}

// It dies with the process.
Status SqlitePredictionStore::File::lock() {
  const std::string path = path_ + ".lock";
  lock_ = WEIR_TRY(open_private(path));
  if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) return failed("locking " + path);
  return fail(Code::kUnavailable, "another process keeps predictions in " + path_ +
                                      "; give this one a serve.state_dir of its own");
}

Status SqlitePredictionStore::File::connect() {
  const int file = WEIR_TRY(open_private(path_));
  struct ::stat is {};
  static_cast<void>(::fstat(file, &is));
  ::close(file);
  device_ = is.st_dev;
  inode_ = is.st_ino;
  writer_ = WEIR_TRY(SqliteDatabase::open(path_, true, kBusyMax));
  return prepare(*writer_);
}

Status SqlitePredictionStore::File::connect_or_replace() {
  Status connected = connect();
  if (connected) return connected;
  const Code code = connected.error().code();
  if (code != Code::kCorrupt && code != Code::kUnsupported) return connected;
  log::warn("the store of predictions cannot be used; it is moved aside and filled anew",
            {{"file", path_}, {"reason", connected.error()}});
  WEIR_TRY(move_aside());
  return connect();
}

Status SqlitePredictionStore::File::prepare(SqliteDatabase& database) {
  WEIR_TRY(
      database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                       "PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16000;"
                       "PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = 1;"));
  const std::string stream = options_.pipeline + "\n" + options_.features_topic;
  if (WEIR_TRY(number_of(database, "SELECT count(*) FROM sqlite_master")) == 0) {
    auto transaction = WEIR_TRY(SqliteTransaction::begin(database));
    WEIR_TRY(database.execute(kSchema));
    WEIR_TRY(database.execute("PRAGMA user_version = " + std::to_string(kSchemaVersion) +
                              "; PRAGMA application_id = " + std::to_string(kApplicationId)));
    {
      auto run = WEIR_TRY(database.run("INSERT INTO meta VALUES('stream', ?)"));
      WEIR_TRY(run.bind_bytes(stream).finish());
    }
    return transaction.keep();
  }
  const std::int64_t version = WEIR_TRY(number_of(database, "PRAGMA user_version"));
  if (WEIR_TRY(number_of(database, "PRAGMA application_id")) != kApplicationId ||
      version != kSchemaVersion) {
    return fail(Code::kUnsupported, "it is of version " + std::to_string(version) +
                                        " or of another program; this one reads " +
                                        std::to_string(kSchemaVersion));
  }
  {
    auto run = WEIR_TRY(database.run("SELECT value FROM meta WHERE name = 'stream'"));
    if (!WEIR_TRY(run.step()) || run.bytes(0) != stream) {
      return fail(Code::kUnsupported, "it is of another pipeline or features topic");
    }
  }
  // What the time does not suffice to look at is found when it is read.
  database.set_deadline(std::chrono::steady_clock::now() + options_.check_max);
  const auto look = [&]() -> Result<std::string> {
    auto run = WEIR_TRY(database.run("PRAGMA quick_check(1)"));
    return WEIR_TRY(run.step()) ? run.bytes(0) : std::string();
  };
  const auto checked = look();
  database.set_deadline(std::nullopt);
  if (!checked && checked.error().code() == Code::kTimeout) return {};
  if (!checked) return fail(checked.error());
  if (*checked != "ok") return fail(Code::kCorrupt, *checked);
  return {};
}

Status SqlitePredictionStore::File::move_aside() {
  idle_.clear();
  writer_.reset();
  for (const std::string suffix : {"-wal", "-shm"}) ::unlink((path_ + suffix).c_str());
  if (::rename(path_.c_str(), (path_ + ".aside").c_str()) != 0 && errno != ENOENT) {
    return failed("moving " + path_ + " aside");
  }
  return {};
}

Status SqlitePredictionStore::File::mend() {
  if (!broken_) return {};
  const std::unique_lock alone(life_);
  const std::lock_guard writing(write_mutex_);
  const std::lock_guard reading(readers_mutex_);
  WEIR_TRY(move_aside());
  WEIR_TRY(during(connect_or_replace(), "making " + path_ + " anew"));
  broken_ = false;
  return {};
}

// SQLite would go on writing to a file that somebody has removed, and all would be lost at the end.
Status SqlitePredictionStore::File::still_there() const {
  struct ::stat is {};
  if (::stat(path_.c_str(), &is) == 0 && is.st_dev == device_ && is.st_ino == inode_) return {};
  return fail(Code::kCorrupt, "the file was removed or replaced by another hand");
}

Status SqlitePredictionStore::File::write(const std::function<Status(SqliteDatabase&)>& change) {
  const std::shared_lock alive(life_);
  if (broken_) return fail(Code::kCorrupt, path_ + " is damaged");
  const std::lock_guard writing(write_mutex_);
  const auto attempt = [&]() -> Status {
    WEIR_TRY(still_there());
    auto transaction = WEIR_TRY(SqliteTransaction::begin(*writer_));
    WEIR_TRY(change(*writer_));
    return transaction.keep();
  };
  Status changed = during(attempt(), "writing to " + path_);
  if (!changed) note(changed.error());
  return changed;
}

Result<std::unique_ptr<SqliteDatabase>> SqlitePredictionStore::File::borrow() {
  const SteadyTime deadline = std::chrono::steady_clock::now() + options_.query_max;
  std::unique_ptr<SqliteDatabase> reader;
  {
    std::unique_lock lock(readers_mutex_);
    const bool free = reader_back_.wait_until(
        lock, deadline, [&] { return !idle_.empty() || lent_ < kReadersMax; });
    if (!free) return fail(Code::kTimeout, "too many questions to the store at once");
    ++lent_;
    if (!idle_.empty()) {
      reader = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!reader) {
    auto opened = SqliteDatabase::open(path_, false, kBusyMax);
    if (!opened) {
      give_back(nullptr);
      note(opened.error());
      return fail(std::move(opened.error()).while_doing("reading " + path_));
    }
    reader = std::move(*opened);
  }
  reader->set_deadline(deadline);
  return reader;
}

void SqlitePredictionStore::File::give_back(std::unique_ptr<SqliteDatabase> reader) {
  const std::lock_guard lock(readers_mutex_);
  --lent_;
  if (reader) idle_.push_back(std::move(reader));
  reader_back_.notify_one();
}

void SqlitePredictionStore::File::note(const Error& error) {
  if (error.code() != Code::kCorrupt || broken_.exchange(true)) return;
  log::warn("the store of predictions is damaged; it is moved aside and filled anew",
            {{"file", path_}, {"reason", error}});
}

Error SqlitePredictionStore::File::being_replaced() const {
  return Error(Code::kUnavailable, path_ + " is damaged, and being filled anew");
}

}  // namespace weir::predictions
