// What becomes of a file whose DataNode dies between the last byte and the reply.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "base/simulated_clock.h"
#include "store/fake_webhdfs_server_test.h"
#include "store/result_matchers_test.h"
#include "store/webhdfs_file_store.h"

namespace weir::store {
namespace {

using Kind = Misbehaviour::Kind;

class WebHdfsFileStoreCreate : public testing::Test {
 protected:
  WebHdfsFileStoreCreate() {
    WebHdfsOptions options;
    options.name_nodes = {server_.url()};
    options.user = "weir";
    options.clock = &clock_;  // pauses pass at once
    store_ = WebHdfsFileStore::make(options).value();
  }

  void reply_is_lost_and_file_looks_open(int times) {
    server_.misbehave("CREATE data", {Kind::kCutAfter, 0, 0, "", "", ""});
    server_.misbehave("GET_BLOCK_LOCATIONS",
                      {Kind::kAnswer, 0, 200,
                       R"({"LocatedBlocks":{"isUnderConstruction":true,"locatedBlocks":[]}})",
                       "application/json", ""},
                      times);
  }

  SimulatedClock clock_;
  std::shared_ptr<MemoryFileStore> files_ = std::make_shared<MemoryFileStore>();
  FakeWebHdfsServer server_{files_};
  std::shared_ptr<WebHdfsFileStore> store_;
};

TEST_F(WebHdfsFileStoreCreate, does_not_take_a_file_for_written_that_nobody_will_close) {
  reply_is_lost_and_file_looks_open(1000);
  const Status created = create_from(*store_, "/a", "bytes");
  EXPECT_CODE(kUnavailable, created);
  EXPECT_THAT(created.error().message(), testing::HasSubstr("still open"));
  EXPECT_EQ(files_->status("/a")->length, 5U);
}

TEST_F(WebHdfsFileStoreCreate, waits_for_a_file_that_is_just_being_closed) {
  reply_is_lost_and_file_looks_open(3);
  EXPECT_OK(create_from(*store_, "/a", "bytes"));
  EXPECT_EQ(server_.count("GET_BLOCK_LOCATIONS"), 4U);
  EXPECT_EQ(server_.count("CREATE data"), 1U);
}

TEST_F(WebHdfsFileStoreCreate, has_several_files_of_a_call_under_way_at_once) {
  // No answer until all have come: one after another they would have to be sent again.
  server_.misbehave("CREATE data", {Kind::kMeet, kFilesAtOnceMax, 0, "", "", ""}, 100);
  std::vector<NewFile> files;
  for (const char* path : {"/a", "/b", "/c", "/d"}) files.push_back({path, path});
  ASSERT_EQ(files.size(), kFilesAtOnceMax);
  ASSERT_OK(store_->create_all(files));
  EXPECT_EQ(server_.count("CREATE data"), files.size());
  for (const NewFile& file : files) EXPECT_EQ(read_all(*files_, file.path, 9).value(), file.bytes);
}

TEST_F(WebHdfsFileStoreCreate, tells_of_the_file_of_a_call_that_failed) {
  ASSERT_OK(files_->make_directories("/b"));
  const Status created =
      store_->create_all(std::array<NewFile, 3>{{{"/a", "a"}, {"/b", "b"}, {"/c", "c"}}});
  EXPECT_CODE(kAlreadyExists, created);
  EXPECT_THAT(created.error().message(), testing::HasSubstr("/b"));
}

}  // namespace
}  // namespace weir::store
