// What becomes of a file whose DataNode dies between the last byte and the reply.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace weir::store
