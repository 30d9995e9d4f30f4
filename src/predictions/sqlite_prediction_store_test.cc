#include "predictions/sqlite_prediction_store.h"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "predictions/store_contract_test.h"

namespace weir::predictions {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Folder {
 public:
  Folder() {
    std::string path = (fs::temp_directory_path() / "weir-predictions-XXXXXX").string();
    EXPECT_TRUE(::mkdtemp(path.data()));
    path_ = path;
  }
  ~Folder() { fs::remove_all(path_); }
  const std::string& path() const { return path_; }
  std::string file() const { return path_ + "/boston.predictions.sqlite"; }
  SqliteStoreOptions options() const {
    SqliteStoreOptions options;
    options.folder = path_;
    options.pipeline = "boston";
    options.features_topic = "boston.features";
    return options;
  }

 private:
  std::string path_;
};

// Over the pages of an open file, as a failing disk does; not over those that are in memory.
void overwrite(const std::string& path, std::uintmax_t from, std::uintmax_t count) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(from));
  for (std::uintmax_t i = 0; i < count; ++i) file.put('x');
}

class SqliteHome final : public StoreHome {
 public:
  std::unique_ptr<PredictionStore> open() override {
    auto store = SqlitePredictionStore::open(folder_.options());
    EXPECT_TRUE(store) << store.error().message();
    return store ? std::move(*store) : nullptr;
  }
  // Somebody has tidied up.
  void lose_all() override {
    for (const std::string suffix : {"", "-wal", "-shm"}) fs::remove(folder_.file() + suffix);
  }

 private:
  Folder folder_;
};

Batch some_records(std::int64_t from, std::int64_t count, std::size_t bytes = 20) {
  Batch batch;
  for (std::int64_t i = from; i < from + count; ++i) {
    batch.records.push_back(
        record_at(0, i, "r" + std::to_string(i), 1'000 + i, std::string(bytes, 'v')));
  }
  batch.positions = {{"boston.features", {"id", {{0, from + count}}}}};
  return batch;
}

std::unique_ptr<SqlitePredictionStore> open_in(const Folder& folder) {
  auto store = SqlitePredictionStore::open(folder.options());
  EXPECT_TRUE(store) << store.error().message();
  return store ? std::move(*store) : nullptr;
}

TEST(SqlitePredictionStore, keeps_its_files_to_their_owner) {
  const Folder folder;
  SqliteStoreOptions options = folder.options();
  options.folder += "/made/here";
  const ::mode_t before = ::umask(0);
  auto store = SqlitePredictionStore::open(options);
  WEIR_ASSERT_OK(store);
  WEIR_ASSERT_OK((*store)->apply(some_records(0, 10)));
  ::umask(before);
  int files = 0;
  for (const auto& entry : fs::directory_iterator(options.folder)) {
    EXPECT_EQ(entry.status().permissions(), fs::perms::owner_read | fs::perms::owner_write)
        << entry.path();
    ++files;
  }
  EXPECT_GE(files, 3);
  EXPECT_EQ(fs::status(options.folder).permissions(), fs::perms::owner_all);
}

TEST(SqlitePredictionStore, is_for_one_process) {
  const Folder folder;
  const auto first = open_in(folder);
  const auto second = SqlitePredictionStore::open(folder.options());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::kUnavailable);
  EXPECT_THAT(second.error().message(), HasSubstr("serve.state_dir"));
}

TEST(SqlitePredictionStore, moves_a_file_aside_that_is_no_database) {
  const Folder folder;
  std::ofstream(folder.file()) << std::string(10'000, 'x');
  const auto store = open_in(folder);
  ASSERT_TRUE(store);
  EXPECT_TRUE(store->positions()->empty());
  WEIR_ASSERT_OK(store->apply(some_records(0, 10)));
  EXPECT_EQ(fs::file_size(folder.file() + ".aside"), 10'000U);
}

TEST(SqlitePredictionStore, moves_a_file_aside_that_is_damaged_anywhere) {
  const Folder folder;
  WEIR_ASSERT_OK(open_in(folder)->apply(some_records(0, 2'000)));
  std::string whole;
  {
    std::ifstream in(folder.file(), std::ios::binary);
    whole.assign(std::istreambuf_iterator<char>(in), {});
  }
  ASSERT_GT(whole.size(), 100'000U);
  // Each page in turn, all of it; the header of the first, too.
  for (std::size_t at = 0; at < whole.size(); at += 7 * 4'096) {
    std::ofstream(folder.file(), std::ios::binary) << whole;
    overwrite(folder.file(), at, 4'096);
    fs::remove(folder.file() + ".aside");
    const auto store = open_in(folder);
    ASSERT_TRUE(store);
    EXPECT_TRUE(store->positions()->empty()) << "page at " << at;
    EXPECT_TRUE(fs::exists(folder.file() + ".aside")) << "page at " << at;
  }
}

TEST(SqlitePredictionStore, moves_a_file_aside_that_was_cut) {
  const Folder folder;
  WEIR_ASSERT_OK(open_in(folder)->apply(some_records(0, 2'000)));
  fs::resize_file(folder.file(), fs::file_size(folder.file()) / 2);
  EXPECT_TRUE(open_in(folder)->positions()->empty());
  EXPECT_TRUE(fs::exists(folder.file() + ".aside"));
}

TEST(SqlitePredictionStore, moves_a_file_aside_that_is_of_another_version_or_stream) {
  const Folder folder;
  WEIR_ASSERT_OK(open_in(folder)->apply(some_records(0, 10)));
  EXPECT_FALSE(open_in(folder)->positions()->empty());
  SqliteStoreOptions options = folder.options();
  options.features_topic = "other";
  EXPECT_TRUE((*SqlitePredictionStore::open(options))->positions()->empty());
  EXPECT_TRUE(open_in(folder)->positions()->empty()) << "and back";

  WEIR_ASSERT_OK(open_in(folder)->apply(some_records(0, 10)));
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(folder.file().c_str(), &raw), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(raw, "PRAGMA user_version = 99", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(raw);
  EXPECT_TRUE(open_in(folder)->positions()->empty());
}

TEST(SqlitePredictionStore, damage_that_shows_later_is_told_of_and_mended) {
  const Folder folder;
  WEIR_ASSERT_OK(open_in(folder)->apply(some_records(0, 5'000, 400)));
  SqliteStoreOptions options = folder.options();
  options.check_max = Millis(-1);  // nothing is looked through at the opening
  auto opened = SqlitePredictionStore::open(options);
  WEIR_ASSERT_OK(opened);
  PredictionStore& store = **opened;
  ASSERT_FALSE(store.positions()->empty());
  overwrite(folder.file(), 20 * 4'096, fs::file_size(folder.file()) - 20 * 4'096);
  Code code = Code::kInternal;
  for (std::int64_t offset = 0; offset < 5'000 && code == Code::kInternal; offset += 100) {
    const auto found = store.by_place({0, offset});
    if (!found) code = found.error().code();
  }
  EXPECT_EQ(code, Code::kCorrupt);
  const auto meanwhile = store.by_place({0, 1});
  ASSERT_FALSE(meanwhile);
  EXPECT_EQ(meanwhile.error().code(), Code::kUnavailable);
  const Status applied = store.apply(some_records(5'000, 1));
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code(), Code::kCorrupt);
  EXPECT_TRUE(store.positions()->empty());
  WEIR_ASSERT_OK(store.apply(some_records(0, 10)));
  EXPECT_EQ(store.stats()->records, 10U);
}

TEST(SqlitePredictionStore, a_full_disk_takes_nothing_away_and_passes) {
  const Folder folder;
  const auto store = open_in(folder);
  ASSERT_TRUE(store);
  WEIR_ASSERT_OK(store->apply(some_records(0, 100)));
  // Writing past the limit fails with EFBIG, once the signal that goes with it is ignored.
  const auto signal = std::signal(SIGXFSZ, SIG_IGN);
  ::rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  ::rlimit small = before;
  small.rlim_cur = 400'000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  Status applied;
  std::int64_t next = 100;
  while (applied && next < 10'000) {
    applied = store->apply(some_records(next, 100, 1'000));
    if (applied) next += 100;
  }
  const auto there = store->stats();
  const auto kept = store->by_id("r50");
  const auto positions = store->positions();
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, signal);

  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code(), Code::kExhausted) << applied.error().message();
  WEIR_ASSERT_OK(there);
  EXPECT_EQ(there->records, static_cast<std::uint64_t>(next)) << "all of a batch or nothing";
  WEIR_ASSERT_OK(kept);
  EXPECT_TRUE(*kept);
  WEIR_ASSERT_OK(positions);
  EXPECT_EQ(positions->at("boston.features").next.at(0), next);
  // There is room again: the same batch, and all is there.
  WEIR_ASSERT_OK(store->apply(some_records(next, 100, 1'000)));
  EXPECT_EQ(store->stats()->records, static_cast<std::uint64_t>(next + 100));
}

TEST(SqlitePredictionStore, a_question_that_takes_too_long_is_ended) {
  const Folder folder;
  SqliteStoreOptions options = folder.options();
  WEIR_ASSERT_OK((*SqlitePredictionStore::open(options))->apply(some_records(0, 20'000)));
  options.query_max = Millis(0);
  const auto hasty = SqlitePredictionStore::open(options);
  WEIR_ASSERT_OK(hasty);
  ListQuery query;
  query.state = State::kPredicted;  // of which there is none: all are looked at
  const auto page = (*hasty)->list(query);
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code(), Code::kTimeout);
  EXPECT_THAT(page.error().message(), HasSubstr("ask for less"));
  EXPECT_TRUE((*hasty)->by_place({0, 7})) << "the store is good for the next question";
}

TEST(SqlitePredictionStore, a_folder_that_cannot_be_made_is_told_of) {
  const Folder folder;
  SqliteStoreOptions options = folder.options();
  std::ofstream(options.folder + "/file") << "x";
  options.folder += "/file/below";
  const auto store = SqlitePredictionStore::open(options);
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().message(), HasSubstr("serve.state_dir"));
}

}  // namespace

std::unique_ptr<StoreHome> make_sqlite_home() { return std::make_unique<SqliteHome>(); }

}  // namespace weir::predictions
