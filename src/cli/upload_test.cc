#include "cli/upload.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/simulated_clock.h"
#include "store/forwarding_file_store.h"
#include "store/memory_file_store.h"

namespace weir::cli {
namespace {

// Keeps half of what it is given, and fails, until it is well again.
class AilingStore final : public store::ForwardingFileStore {
 public:
  AilingStore(store::FileStore& inner, int failures, Code code)
      : ForwardingFileStore(inner), failures_(failures), code_(code) {}
  Status create(const std::string& path, const store::ByteSource& source) override {
    ++attempts;
    if (failures_-- <= 0) return ForwardingFileStore::create(path, source);
    bool given = false;
    WEIR_TRY(ForwardingFileStore::create(path, [&](std::span<char> buffer) -> Result<std::size_t> {
      if (std::exchange(given, true)) return 0;
      return source(buffer.first(2));
    }));
    return fail(code_, "no DataNode is there");
  }

  int attempts = 0;

 private:
  int failures_;
  const Code code_;
};

class UploadTest : public testing::Test {
 protected:
  void SetUp() override {
    // A folder of its own: other processes run the other tests at the same time.
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    local = folder + "/upload.csv";
    std::ofstream(local) << "a,b\n1,2\n";
    ASSERT_TRUE(inner.make_directories("/in"));
  }
  void TearDown() override { std::filesystem::remove_all(folder); }
  Status try_upload(AilingStore& store) {
    testing::internal::CaptureStderr();
    Status done = upload(store, local, "/in/.a.tmp", clock);
    told = testing::internal::GetCapturedStderr();
    return done;
  }

  std::string folder = (std::filesystem::temp_directory_path() / "weir-upload-XXXXXX").string();
  std::string local;
  store::MemoryFileStore inner;
  SimulatedClock clock;
  std::string told;
};

TEST_F(UploadTest, waits_for_a_store_that_comes_back_and_then_gives_it_the_whole_file) {
  AilingStore store(inner, 3, Code::kUnavailable);
  ASSERT_TRUE(try_upload(store));
  EXPECT_EQ(inner.status("/in/.a.tmp")->length, 8U);
  EXPECT_EQ(store.attempts, 4);
  EXPECT_NE(told.find("no DataNode is there"), std::string::npos) << told;
  EXPECT_NE(told.find("gives_up_in_s"), std::string::npos) << told;
}

TEST_F(UploadTest, gives_up_after_a_minute_with_the_stores_own_words) {
  AilingStore store(inner, 1'000, Code::kUnavailable);
  const SteadyTime began = clock.steady();
  const Status done = try_upload(store);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Code::kUnavailable);
  const auto waited = clock.steady() - began;
  EXPECT_GT(waited, Millis{45'000});
  EXPECT_LE(waited, Millis{60'000});
  EXPECT_LT(store.attempts, 15) << "without back-off";
}

TEST_F(UploadTest, does_not_wait_where_waiting_mends_nothing) {
  AilingStore store(inner, 1'000, Code::kExhausted);
  EXPECT_EQ(try_upload(store).error().code(), Code::kExhausted);
  EXPECT_EQ(store.attempts, 1);
  EXPECT_EQ(told, "");
}

}  // namespace
}  // namespace weir::cli
