#include "store/local_file_store.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "store/file_store_contract.h"
#include "store/posix_file.h"
#include "store/result_matchers_test.h"

namespace weir::store {
namespace {

namespace fs = std::filesystem;

// A folder of its own, gone at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string path = (fs::temp_directory_path() / "weir-store-XXXXXX").string();
    path_ = ::mkdtemp(path.data());
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

ContractCase local_case() {
  ContractCase made;
  made.name = "Local";
  made.open = [] {
    auto folder = std::make_shared<TemporaryFolder>();
    return ContractStore{LocalFileStore::open(folder->path()).value(), folder, ""};
  };
  return made;
}
INSTANTIATE_TEST_SUITE_P(Local, FileStoreContract, testing::Values(local_case()), case_name);
INSTANTIATE_TEST_SUITE_P(Local, FileStoreContractThreads, testing::Values(local_case()), case_name);

class LocalFileStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(fs::create_directories(inside()));
    ASSERT_TRUE(fs::create_directories(outside()));
    std::ofstream(outside() + "/secret") << "secret";
    store_ = LocalFileStore::open(inside()).value();
  }
  std::string inside() const { return folder_.path() + "/in"; }
  std::string outside() const { return folder_.path() + "/in-not"; }  // begins like the root

  TemporaryFolder folder_;
  std::shared_ptr<LocalFileStore> store_;
};

TEST_F(LocalFileStoreTest, refuses_links_that_lead_out_of_its_root) {
  fs::create_symlink(outside() + "/secret", inside() + "/file");
  fs::create_directory_symlink(outside(), inside() + "/folder");
  fs::create_symlink("../in-not/secret", inside() + "/relative");
  for (const char* path : {"/file", "/relative", "/folder/secret"}) {
    EXPECT_CODE(kPermissionDenied, read_all(*store_, path, 100)) << path;
    EXPECT_CODE(kPermissionDenied, store_->status(path)) << path;
  }
  EXPECT_CODE(kPermissionDenied, store_->list("/folder"));
  EXPECT_CODE(kPermissionDenied, create_from(*store_, "/folder/new", "x"));
  EXPECT_CODE(kPermissionDenied, store_->make_directories("/folder/new"));
  EXPECT_CODE(kPermissionDenied, store_->rename("/folder/secret", "/mine"));
  EXPECT_CODE(kPermissionDenied, store_->remove("/folder/secret"));
  EXPECT_FALSE(fs::exists(outside() + "/new"));
  EXPECT_EQ(store_->list("/")->size(), 3U);  // listed, so that nobody wonders where they are
}

TEST_F(LocalFileStoreTest, removes_and_renames_a_link_and_not_what_it_points_to) {
  fs::create_directory_symlink(outside(), inside() + "/folder");
  EXPECT_OK(store_->rename("/folder", "/moved"));
  EXPECT_OK(store_->remove("/moved"));
  EXPECT_TRUE(fs::exists(outside() + "/secret"));
  EXPECT_TRUE(store_->list("/")->empty());
}

TEST_F(LocalFileStoreTest, follows_links_inside_its_root) {
  ASSERT_OK(create_from(*store_, "/d/a", "bytes"));
  fs::create_directory_symlink(inside() + "/d", inside() + "/link");
  EXPECT_EQ(*read_all(*store_, "/link/a", 100), "bytes");
  EXPECT_TRUE(store_->list("/")->at(1).is_directory);
}

TEST_F(LocalFileStoreTest, does_not_write_through_a_link_that_leads_nowhere) {
  fs::create_symlink(outside() + "/new", inside() + "/dangling");
  EXPECT_CODE(kAlreadyExists, create_from(*store_, "/dangling", "x"));
  EXPECT_FALSE(fs::exists(outside() + "/new"));
}

TEST_F(LocalFileStoreTest, does_not_wait_for_a_named_pipe) {
  ASSERT_EQ(::mkfifo((inside() + "/pipe").c_str(), 0600), 0);
  EXPECT_CODE(kNotFound, read_all(*store_, "/pipe", 100));
}

TEST_F(LocalFileStoreTest, finds_a_file_corrupt_that_changes_while_it_is_read) {
  ASSERT_OK(create_from(*store_, "/a", std::string(3'000'000, 'a')));
  const ByteSink grow = [&](std::string_view) -> Status {
    std::ofstream(inside() + "/a", std::ios::app) << "more";
    return {};
  };
  EXPECT_CODE(kCorrupt, store_->read("/a", 0, kToEnd, grow));
  const ByteSink cut = [&](std::string_view) -> Status {
    fs::resize_file(inside() + "/a", 10);
    return {};
  };
  EXPECT_CODE(kCorrupt, store_->read("/a", 0, kToEnd, cut));
}

TEST_F(LocalFileStoreTest, says_exhausted_when_the_disk_is_full) {
  const auto full = open_file("/dev/full", 1);
  if (!full) GTEST_SKIP() << "no /dev/full here";
  const Status written = write_fully(*full, "x", "/dev/full");
  EXPECT_CODE(kExhausted, written);
  EXPECT_NE(written.error().message().find("free space"), std::string::npos);
}

TEST_F(LocalFileStoreTest, renames_without_replacing_where_the_kernel_cannot) {
  ASSERT_OK(create_from(*store_, "/a", "a"));
  ASSERT_OK(create_from(*store_, "/b", "b"));
  ASSERT_OK(store_->make_directories("/folder"));
  EXPECT_CODE(kAlreadyExists, rename_by_link(inside() + "/a", inside() + "/b"));
  EXPECT_CODE(kAlreadyExists, rename_by_link(inside() + "/folder", inside() + "/b"));
  EXPECT_OK(rename_by_link(inside() + "/a", inside() + "/c"));
  EXPECT_OK(rename_by_link(inside() + "/folder", inside() + "/folder2"));
  EXPECT_EQ(*read_all(*store_, "/b", 10), "b");
  EXPECT_EQ(*read_all(*store_, "/c", 10), "a");
  EXPECT_CODE(kNotFound, store_->status("/a"));
}

TEST_F(LocalFileStoreTest, opens_only_a_folder_that_is_there) {
  EXPECT_CODE(kNotFound, LocalFileStore::open(inside() + "/none"));
  EXPECT_CODE(kInvalidArgument, LocalFileStore::open(outside() + "/secret"));
  EXPECT_CODE(kInvalidArgument, LocalFileStore::open("relative"));
  EXPECT_NE(LocalFileStore::open(inside() + "/none").error().message().find("mkdir -p"),
            std::string::npos);
}

TEST_F(LocalFileStoreTest, names_a_file_as_a_url) {
  EXPECT_EQ(store_->url("/a/b"), "file://" + fs::canonical(inside()).string() + "/a/b");
  EXPECT_EQ((*LocalFileStore::open("/"))->url("/tmp"), "file:///tmp");
  EXPECT_OK((*LocalFileStore::open("/"))->status("/tmp"));
}

}  // namespace
}  // namespace weir::store
