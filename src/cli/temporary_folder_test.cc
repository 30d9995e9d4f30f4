#include "cli/temporary_folder.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>

namespace weir::cli {
namespace {

namespace fs = std::filesystem;

class TemporaryFolderTest : public ::testing::Test {
 protected:
  TemporaryFolderTest() {
    std::string pattern = ::testing::TempDir() + "temporary-folder-XXXXXX";
    parent = mkdtemp(pattern.data());
  }
  ~TemporaryFolderTest() override { fs::remove_all(parent); }
  std::unique_ptr<TemporaryFolder> make() {
    auto made = TemporaryFolder::make(parent, "work");
    EXPECT_TRUE(made) << made.error().message();
    return std::move(*made);
  }
  void make_old(const std::string& path) const {
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(1));
  }

  std::string parent;
};

TEST_F(TemporaryFolderTest, goes_with_all_that_is_in_it) {
  auto folder = make();
  ASSERT_TRUE(folder->write("plan", "text"));
  fs::create_directories(folder->file("deep/er"));
  std::ifstream in(folder->file("plan"));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "text");
  EXPECT_EQ(fs::status(folder->path()).permissions(), fs::perms::owner_all);
  folder.reset();
  EXPECT_TRUE(fs::is_empty(parent));
}

TEST_F(TemporaryFolderTest, sweeps_what_the_killed_have_left_and_nothing_else) {
  const auto in_use = make();
  make_old(in_use->path());
  for (const char* name : {"work-killed", "work-young", "other-killed"}) {
    fs::create_directories(parent + "/" + name);
    std::ofstream(parent + "/" + name + "/lock") << "";
  }
  make_old(parent + "/work-killed");
  make_old(parent + "/other-killed");
  const auto folder = make();
  EXPECT_FALSE(fs::exists(parent + "/work-killed"));
  EXPECT_TRUE(fs::exists(parent + "/work-young"));
  EXPECT_TRUE(fs::exists(parent + "/other-killed"));
  EXPECT_TRUE(fs::exists(in_use->path()));
}

TEST_F(TemporaryFolderTest, says_where_none_can_be_made) {
  const auto made = TemporaryFolder::make(parent + "/nowhere", "work");
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message().find("nowhere"), std::string::npos);
}

}  // namespace
}  // namespace weir::cli
