#include "store/webhdfs_file_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/simulated_clock.h"
#include "store/fake_webhdfs_server_test.h"
#include "store/file_store_contract.h"
#include "store/result_matchers_test.h"

namespace weir::store {
namespace {

using testing::HasSubstr;
using testing::Not;
using Kind = Misbehaviour::Kind;

WebHdfsOptions options_for(const std::vector<std::string>& name_nodes) {
  WebHdfsOptions options;
  options.name_nodes = name_nodes;
  options.user = "weir";
  return options;
}

ContractCase fake_case() {
  ContractCase made;
  made.name = "WebHdfsFake";
  made.takes_any_byte = false;
  made.open = [] {
    auto server = std::make_shared<FakeWebHdfsServer>(std::make_shared<MemoryFileStore>());
    server->set_page_entries(2);
    return ContractStore{WebHdfsFileStore::make(options_for({server->url()})).value(), server, ""};
  };
  return made;
}

// A folder of its own in the real HDFS, gone at the end.
ContractCase real_case() {
  ContractCase made;
  made.name = "WebHdfsReal";
  made.takes_any_byte = false;
  made.open = [] {
    const char* address = std::getenv("WEIR_TEST_WEBHDFS");
    if (address == nullptr || *address == '\0') {
      return ContractStore{nullptr, nullptr, "WEIR_TEST_WEBHDFS names no NameNode (host:port)"};
    }
    static std::atomic<int> number{0};
    WebHdfsOptions options = options_for({"http://" + std::string(address)});
    options.user = "root";
    const std::shared_ptr<FileStore> whole = WebHdfsFileStore::make(options).value();
    const std::string folder =
        "/weir-store-test-" + std::to_string(::getpid()) + "-" + std::to_string(++number);
    EXPECT_OK(whole->remove(folder));
    EXPECT_OK(whole->make_directories(folder));
    options.root = folder;
    const std::shared_ptr<void> keeper(
        nullptr, [whole, folder](void*) { EXPECT_OK(whole->remove(folder)); });
    return ContractStore{WebHdfsFileStore::make(options).value(), keeper, ""};
  };
  return made;
}

INSTANTIATE_TEST_SUITE_P(WebHdfs, FileStoreContract, testing::Values(fake_case(), real_case()),
                         case_name);
INSTANTIATE_TEST_SUITE_P(WebHdfs, FileStoreContractThreads,
                         testing::Values(fake_case(), real_case()), case_name);

class WebHdfsFileStoreTest : public testing::Test {
 protected:
  // Pauses pass at once, on a simulated clock.
  std::shared_ptr<WebHdfsFileStore> open(WebHdfsOptions options) {
    options.clock = &clock_;
    return WebHdfsFileStore::make(options).value();
  }
  void SetUp() override { store_ = open(options_for({first_.url()})); }

  std::string bytes(const std::string& path) {
    auto read = read_all(*store_, path, std::uint64_t{64} << 20);
    return read ? *read : "error: " + read.error().message();
  }

  SimulatedClock clock_;
  std::shared_ptr<MemoryFileStore> files_ = std::make_shared<MemoryFileStore>();
  FakeWebHdfsServer first_{files_};
  FakeWebHdfsServer second_{files_};
  std::shared_ptr<WebHdfsFileStore> store_;
};

const Misbehaviour kStandby =
    Misbehaviour::exception(403, "StandbyException", "Operation category READ is not supported");

TEST_F(WebHdfsFileStoreTest, turns_to_the_other_name_node_and_remembers_who_is_active) {
  store_ = open(options_for({first_.url(), second_.url()}));
  files_->put("/a", "bytes");
  first_.misbehave("*", kStandby, 100);
  EXPECT_OK(store_->status("/a"));
  EXPECT_EQ(first_.requests().size(), 1U);
  EXPECT_EQ(clock_.steady(), SteadyTime()) << "it must not wait before it asks the other one";
  EXPECT_OK(store_->status("/a"));
  EXPECT_EQ(first_.requests().size(), 1U);
  EXPECT_EQ(second_.requests().size(), 2U);
}

TEST_F(WebHdfsFileStoreTest, turns_to_the_other_name_node_where_one_is_away) {
  std::string nobody;
  {
    const FakeWebHdfsServer gone(files_);
    nobody = gone.url();
  }
  store_ = open(options_for({nobody, second_.url()}));
  EXPECT_OK(store_->make_directories("/d"));
  EXPECT_TRUE(files_->status("/d"));
}

TEST_F(WebHdfsFileStoreTest, waits_until_a_name_node_that_is_not_ready_is) {
  const Misbehaviour not_ready[] = {
      kStandby,
      Misbehaviour::exception(403, "SafeModeException",
                              "Cannot create. Name node is in safe mode."),
      Misbehaviour::exception(403, "RetriableException", "Namenode is in startup mode"),
      Misbehaviour::exception(403, "IOException", "Namenode is in startup mode"),
      Misbehaviour::exception(403, "SecurityException",
                              "Failed to obtain user: InvalidToken: StandbyException"),
      {Kind::kAnswer, 0, 503, "<html>busy</html>", "text/html", ""},
      {Kind::kCutBefore, 0, 0, "", "", ""},
  };
  for (const Misbehaviour& trouble : not_ready) {
    first_.misbehave("MKDIRS", trouble, 3);
    EXPECT_OK(store_->make_directories("/d")) << trouble.body;
  }
  EXPECT_GT(clock_.steady(), SteadyTime());
}

TEST_F(WebHdfsFileStoreTest, gives_up_after_a_bounded_number_of_attempts) {
  first_.misbehave("*", kStandby, 1000);
  const auto status = store_->status("/a");
  EXPECT_CODE(kUnavailable, status);
  EXPECT_EQ(first_.requests().size(), 8U);
  EXPECT_THAT(status.error().message(), HasSubstr("StandbyException"));
  EXPECT_THAT(status.error().message(), HasSubstr("tried 8 times"));
  EXPECT_LT(clock_.steady() - SteadyTime(), Millis(60'000));
}

TEST_F(WebHdfsFileStoreTest, says_what_to_check_where_nobody_listens) {
  std::string nobody;
  {
    const FakeWebHdfsServer gone(files_);
    nobody = gone.url();
  }
  const auto status = open(options_for({nobody}))->status("/a.csv");
  EXPECT_CODE(kUnavailable, status);
  EXPECT_THAT(status.error().message(), HasSubstr("GETFILESTATUS " + nobody + "/webhdfs/v1/a.csv"));
  EXPECT_THAT(status.error().message(), HasSubstr("dfs.namenode.http-address"));
  EXPECT_EQ(status.error().exit_code(), 69);
}

TEST_F(WebHdfsFileStoreTest, tells_what_is_forbidden_from_what_is_not_ready) {
  const struct {
    int status;
    std::string name;
    std::string message;
    Code code;
  } cases[] = {
      {403, "AccessControlException", "Permission denied: user=weir", Code::kPermissionDenied},
      {401, "AuthenticationException", "Authentication required", Code::kPermissionDenied},
      {403, "NSQuotaExceededException", "The NameSpace quota", Code::kExhausted},
      {403, "DSQuotaExceededException", "The DiskSpace quota", Code::kExhausted},
      {403, "IOException", "File /a could only be written to 0 of the 1 minReplication nodes",
       Code::kExhausted},
      {403, "IOException", "something else", Code::kIo},
      {500, "NullPointerException", "", Code::kIo},
      {400, "PathComponentTooLongException", "The maximum path", Code::kInvalidArgument},
  };
  for (const auto& expected : cases) {
    first_.misbehave("MKDIRS",
                     Misbehaviour::exception(expected.status, expected.name, expected.message));
    const Status made = store_->make_directories("/a");
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code(), expected.code) << expected.name;
    EXPECT_THAT(made.error().message(), HasSubstr(expected.name));
  }
  EXPECT_EQ(first_.count("MKDIRS"), std::size(cases)) << "none of these is asked again";
}

TEST_F(WebHdfsFileStoreTest, does_not_let_a_path_pass_for_a_reason) {
  first_.misbehave("GETFILESTATUS",
                   Misbehaviour::exception(404, "FileNotFoundException",
                                           "File does not exist: StandbyException"));
  EXPECT_CODE(kNotFound, store_->status("/StandbyException"));
  EXPECT_EQ(first_.requests().size(), 1U);
}

TEST_F(WebHdfsFileStoreTest, tells_a_file_that_is_still_open_from_one_that_is_whole) {
  files_->put("/a", "bytes");
  EXPECT_EQ(store_->is_being_written("/a").value_or(true), false);
  const std::string open = R"({"LocatedBlocks":{"fileLength":0,"isUnderConstruction":true}})";
  first_.misbehave("GET_BLOCK_LOCATIONS", {Kind::kAnswer, 0, 200, open, "application/json", ""});
  EXPECT_EQ(store_->is_being_written("/a").value_or(false), true);
  EXPECT_CODE(kNotFound, store_->is_being_written("/nothing"));
  first_.misbehave("GET_BLOCK_LOCATIONS", {Kind::kAnswer, 0, 200, "{}", "application/json", ""});
  EXPECT_CODE(kIo, store_->is_being_written("/a"));
}

TEST_F(WebHdfsFileStoreTest, takes_a_server_without_lists_of_blocks_at_its_word) {
  files_->put("/a", "bytes");
  first_.misbehave("GET_BLOCK_LOCATIONS",
                   Misbehaviour::exception(400, "IllegalArgumentException",
                                           "Invalid value for webhdfs parameter \"op\": No enum "
                                           "constant GET_BLOCK_LOCATIONS"));
  EXPECT_EQ(store_->is_being_written("/a").value_or(true), false);
  files_->put("/empty", "");
  first_.misbehave("GET_BLOCK_LOCATIONS",
                   Misbehaviour::exception(400, "IllegalArgumentException",
                                           "Invalid value for webhdfs parameter \"op\": No enum "
                                           "constant GET_BLOCK_LOCATIONS"));
  EXPECT_EQ(store_->is_being_written("/empty").value_or(false), true) << "it may be on its way";
}

TEST_F(WebHdfsFileStoreTest, refuses_what_is_not_webhdfs) {
  const std::string garbage[] = {
      "",
      "{",
      "<html>welcome</html>",
      "null",
      "[]",
      "{\"FileStatus\":1}",
      R"({"FileStatus":{"type":"FILE","length":-1,"modificationTime":1}})",
      R"({"FileStatus":{"type":"FILE","length":1.5,"modificationTime":1}})",
      R"({"FileStatus":{"type":7,"length":1,"modificationTime":1}})",
      R"({"FileStatus":{"type":"FILE","length":99999999999999999999,)"
      R"("modificationTime":1}})",
      std::string(60'000, '[')};
  for (const std::string& body : garbage) {
    first_.misbehave("GETFILESTATUS", {Kind::kAnswer, 0, 200, body, "application/json", ""});
    const auto status = store_->status("/a");
    EXPECT_CODE(kIo, status) << body.substr(0, 80);
    EXPECT_THAT(status.error().message(), HasSubstr("NameNode"));
  }
  first_.misbehave("RENAME", {Kind::kAnswer, 0, 200, "<html>fine</html>", "text/html", ""});
  files_->put("/a", "bytes");
  EXPECT_FALSE(store_->rename("/a", "/b"));
  for (const char* operation : {"MKDIRS", "DELETE"}) {
    first_.misbehave(operation, {Kind::kAnswer, 0, 200, "<html>fine</html>", "text/html", ""});
  }
  EXPECT_CODE(kIo, store_->make_directories("/d"));
  EXPECT_CODE(kIo, store_->remove("/d"));
  first_.misbehave("GETFILESTATUS", {Kind::kAnswer, 0, 404, "<html>no</html>", "text/html", ""});
  EXPECT_CODE(kIo, store_->status("/a")) << "a 404 of another server is no missing file";
}

TEST_F(WebHdfsFileStoreTest, refuses_a_listing_that_lies) {
  const auto entry = [](const std::string& name) {
    return R"({"pathSuffix":")" + name + R"(","type":"FILE","length":1,"modificationTime":1})";
  };
  const auto listing = [](const std::string& entries, const std::string& remaining) {
    return R"({"DirectoryListing":{"partialListing":{"FileStatuses":{"FileStatus":[)" + entries +
           R"(]}},"remainingEntries":)" + remaining + "}}";
  };
  for (const std::string& body :
       {listing(entry("../x"), "0"), listing(entry(".."), "0"), listing(entry("a/b"), "0"),
        listing(entry("a") + "," + entry(""), "0"), listing("", "5"), listing("1", "0"),
        listing(entry("a"), "-1"), listing(entry("a"), "\"x\"")}) {
    first_.misbehave("LISTSTATUS_BATCH", {Kind::kAnswer, 0, 200, body, "application/json", ""});
    EXPECT_CODE(kIo, store_->list("/d")) << body;
  }
  first_.misbehave("LISTSTATUS_BATCH",
                   {Kind::kAnswer, 0, 200, listing(entry("a"), "5"), "application/json", ""}, 100);
  EXPECT_CODE(kIo, store_->list("/d")) << "it does not go on for ever";
}

TEST_F(WebHdfsFileStoreTest, refuses_an_answer_that_is_too_long) {
  first_.misbehave("GETFILESTATUS",
                   {Kind::kAnswer, 0, 200, std::string(100'000, ' '), "application/json", ""});
  const auto status = store_->status("/a");
  EXPECT_CODE(kExhausted, status);
  first_.misbehave("GETFILESTATUS",
                   {Kind::kAnswer, 0, 500, std::string(1'000'000, 'x'), "text/html", ""});
  EXPECT_CODE(kIo, store_->status("/a"));
}

TEST_F(WebHdfsFileStoreTest, lists_page_by_page_and_all_at_once_where_it_must) {
  for (const char* path : {"/d/a", "/d/b&c=d", "/d/\xc3\xbc", "/d/z"}) files_->put(path, "x");
  first_.set_page_entries(1);
  ASSERT_EQ(store_->list("/d")->size(), 4U);
  EXPECT_EQ(first_.count("LISTSTATUS_BATCH"), 4U);
  first_.misbehave("LISTSTATUS_BATCH",
                   Misbehaviour::exception(400, "IllegalArgumentException",
                                           "Invalid value for webhdfs parameter \"op\": "
                                           "LISTSTATUS_BATCH is not a valid GET operation."));
  ASSERT_EQ(store_->list("/d")->size(), 4U);
  ASSERT_EQ(store_->list("/d")->size(), 4U);
  EXPECT_EQ(first_.count("LISTSTATUS_BATCH"), 5U);
  EXPECT_EQ(first_.count("LISTSTATUS"), 2U);
}

TEST_F(WebHdfsFileStoreTest, sends_no_byte_to_the_name_node_and_no_second_file_over_the_first) {
  ASSERT_OK(create_from(*store_, "/a", "bytes"));
  for (const RecordedRequest& request : first_.requests()) {
    if (request.operation == "CREATE") {
      EXPECT_EQ(request.headers.at("content-length"), "0");
      EXPECT_EQ(request.query.at("overwrite"), "false");
      EXPECT_EQ(request.query.at("user.name"), "weir");
    }
    if (request.operation == "CREATE data") {
      EXPECT_EQ(request.body, "bytes");
    }
  }
  EXPECT_EQ(first_.count("CREATE data"), 1U);
}

TEST_F(WebHdfsFileStoreTest, goes_on_reading_at_the_byte_where_it_was_cut) {
  const std::string content = std::string(100'000, 'a') + std::string(100'000, 'b');
  files_->put("/a", content);
  first_.redirect_to(second_.url());
  second_.misbehave("OPEN data", {Kind::kCutBody, 70'000, 0, "", "", ""});
  second_.misbehave("OPEN data", {Kind::kCutBefore, 0, 0, "", "", ""});
  second_.misbehave("OPEN data", Misbehaviour::exception(403, "IOException", "Bad disk"));
  EXPECT_TRUE(bytes("/a") == content);
  std::vector<std::string> offsets;
  std::vector<bool> excluded;
  for (const RecordedRequest& request : first_.requests()) {
    if (request.operation != "OPEN") continue;
    offsets.push_back(request.query.at("offset"));
    excluded.push_back(request.query.contains("excludedatanodes"));
  }
  EXPECT_EQ(offsets, (std::vector<std::string>{"0", "70000", "70000", "70000"}));
  EXPECT_EQ(excluded, (std::vector<bool>{false, true, true, true}));
}

TEST_F(WebHdfsFileStoreTest, asks_the_only_data_node_again_where_no_other_has_the_block) {
  files_->put("/a", "0123456789");
  first_.set_only_data_node(true);
  first_.misbehave("OPEN data", {Kind::kCutBody, 4, 0, "", "", ""});
  EXPECT_EQ(bytes("/a"), "0123456789");
  EXPECT_EQ(first_.count("OPEN"), 3U);
}

TEST_F(WebHdfsFileStoreTest, never_takes_fewer_or_more_bytes_for_the_file) {
  files_->put("/a", "0123456789");
  first_.misbehave("OPEN data", {Kind::kShortBody, 3, 0, "", "", ""});
  EXPECT_EQ(bytes("/a"), "0123456789") << "a short read goes on where it ended";
  first_.misbehave("OPEN data", {Kind::kShortBody, 0, 0, "", "", ""}, 100);
  EXPECT_CODE(kCorrupt, read_all(*store_, "/a", 100));
  FakeWebHdfsServer other(files_);
  other.misbehave("OPEN data", {Kind::kLongBody, 1, 0, "", "", ""}, 100);
  const auto read = read_all(*open(options_for({other.url()})), "/a", 100);
  EXPECT_CODE(kCorrupt, read);
}

TEST_F(WebHdfsFileStoreTest, finds_a_file_corrupt_that_was_replaced_while_it_was_read) {
  files_->put("/a", std::string(200'000, 'a'));
  bool replaced = false;
  const ByteSink replace = [&](std::string_view) -> Status {
    if (!std::exchange(replaced, true)) files_->put("/a", std::string(200'000, 'b'));
    return {};
  };
  EXPECT_CODE(kCorrupt, store_->read("/a", 0, kToEnd, replace));
  replaced = false;
  first_.misbehave("OPEN data", {Kind::kCutBody, 70'000, 0, "", "", ""});
  std::string seen;
  const ByteSink watch = [&](std::string_view piece) -> Status {
    seen += piece;
    return replace(piece);
  };
  EXPECT_CODE(kCorrupt, store_->read("/a", 0, kToEnd, watch));
  EXPECT_EQ(seen.size(), 70'000U) << "it does not go on in another file";
}

TEST_F(WebHdfsFileStoreTest, sees_that_a_rename_whose_reply_was_lost_took_place) {
  files_->put("/a", "bytes");
  first_.misbehave("RENAME", {Kind::kCutAfter, 0, 0, "", "", ""});
  EXPECT_OK(store_->rename("/a", "/b"));
  EXPECT_EQ(bytes("/b"), "bytes");
}

TEST_F(WebHdfsFileStoreTest, sees_that_a_rename_whose_request_was_lost_did_not_take_place) {
  files_->put("/a", "bytes");
  RetryPolicy once;
  once.attempts_max = 1;
  WebHdfsOptions options = options_for({first_.url()});
  options.retry = once;
  first_.misbehave("RENAME", {Kind::kCutBefore, 0, 0, "", "", ""}, 2);
  EXPECT_CODE(kUnavailable, open(options)->rename("/a", "/b"));
  EXPECT_EQ(bytes("/a"), "bytes");
}

TEST_F(WebHdfsFileStoreTest, does_not_take_another_file_for_the_one_it_renamed) {
  files_->put("/a", "bytes");
  // Somebody else takes the name between the look and the rename.
  files_->before_each([&](Operation operation, const std::string& path) -> Status {
    if (operation == Operation::kRename && path == "/a") files_->put("/b", "other");
    return {};
  });
  first_.misbehave("RENAME", {Kind::kCutAfter, 0, 0, "", "", ""}, 1);
  EXPECT_CODE(kAlreadyExists, store_->rename("/a", "/b"));
  EXPECT_EQ(bytes("/a"), "bytes");
  EXPECT_EQ(bytes("/b"), "other");
}

TEST_F(WebHdfsFileStoreTest, says_unknown_where_nobody_can_say_what_became_of_a_rename) {
  files_->put("/a", "bytes");
  files_->before_each([&](Operation operation, const std::string&) -> Status {
    if (operation == Operation::kRename) {
      first_.misbehave("*", {Kind::kCutBefore, 0, 0, "", "", ""}, 100);
    }
    return {};
  });
  first_.misbehave("RENAME", {Kind::kCutAfter, 0, 0, "", "", ""});
  EXPECT_CODE(kUnknownOutcome, store_->rename("/a", "/b"));
}

TEST_F(WebHdfsFileStoreTest, takes_a_false_of_rename_for_a_refusal) {
  first_.set_old_rename(true);
  files_->put("/a", "bytes");
  EXPECT_OK(store_->rename("/a", "/b"));
  EXPECT_CODE(kNotFound, store_->rename("/b", "/none/b"));
  EXPECT_EQ(bytes("/b"), "bytes");
  files_->before_each([&](Operation operation, const std::string& path) -> Status {
    if (operation == Operation::kRename && path == "/b") files_->put("/c", "other");
    return {};
  });
  EXPECT_CODE(kAlreadyExists, store_->rename("/b", "/c"));
}

TEST_F(WebHdfsFileStoreTest, sees_that_a_file_whose_reply_was_lost_is_there) {
  first_.misbehave("CREATE data", {Kind::kCutAfter, 0, 0, "", "", ""});
  EXPECT_OK(create_from(*store_, "/a", "bytes"));
  EXPECT_EQ(bytes("/a"), "bytes");
  EXPECT_EQ(first_.count("CREATE data"), 1U);
}

TEST_F(WebHdfsFileStoreTest, sends_a_small_file_again_where_nothing_came_of_it) {
  first_.misbehave("CREATE data", {Kind::kCutBefore, 0, 0, "", "", ""});
  first_.misbehave("CREATE data",
                   Misbehaviour::exception(403, "SafeModeException", "Name node is in safe mode"));
  EXPECT_OK(create_from(*store_, "/a", std::string(100'000, 'x')));
  EXPECT_EQ(bytes("/a").size(), 100'000U);
}

TEST_F(WebHdfsFileStoreTest, does_not_take_a_cut_upload_for_a_file) {
  first_.misbehave("CREATE data", {Kind::kCutBody, 10, 0, "", "", ""});
  const Status created = create_from(*store_, "/a", std::string(100'000, 'x'));
  EXPECT_CODE(kUnavailable, created);
  EXPECT_EQ(files_->status("/a")->length, 10U);
  first_.misbehave("CREATE data", {Kind::kAnswer, 0, 201, "", "", ""});
  EXPECT_CODE(kNotFound, create_from(*store_, "/b", "bytes")) << "a 201 without a file";
}

TEST_F(WebHdfsFileStoreTest, follows_one_redirect_then_gives_up) {
  files_->put("/a", "bytes");
  const Misbehaviour loop{
      Kind::kAnswer, 0,
      307,           "",
      "text/plain",  first_.url() + "/webhdfs/v1/a?op=OPEN&data=1&offset=0&length=5"};
  first_.misbehave("OPEN data", loop, 100);
  const auto read = read_all(*store_, "/a", 100);
  EXPECT_CODE(kIo, read);
  EXPECT_THAT(read.error().message(), HasSubstr("redirected twice"));
  first_.misbehave("GETFILESTATUS", loop);
  EXPECT_CODE(kIo, store_->status("/a"));
}

TEST_F(WebHdfsFileStoreTest, goes_nowhere_but_to_http) {
  files_->put("/a", "bytes");
  for (const char* target : {"file:///etc/passwd", "gopher://127.0.0.1/x", "ftp://127.0.0.1/x"}) {
    first_.misbehave("OPEN", {Kind::kAnswer, 0, 307, "", "text/plain", target}, 100);
    EXPECT_CODE(kIo, read_all(*store_, "/a", 100)) << target;
  }
}

TEST_F(WebHdfsFileStoreTest, sends_no_login_and_shows_no_token_of_a_redirect) {
  files_->put("/a", "bytes");
  first_.redirect_to("http://localhost" + first_.address().substr(first_.address().find(':')));
  EXPECT_EQ(bytes("/a"), "bytes");
  for (const RecordedRequest& request : first_.requests()) {
    EXPECT_FALSE(request.headers.contains("authorization"));
    EXPECT_FALSE(request.headers.contains("cookie"));
  }
  const Misbehaviour secret{
      Kind::kAnswer, 0, 307, "", "text/plain", "http://127.0.0.1:1/webhdfs/v1/a?delegation=SECRET"};
  first_.misbehave("OPEN", secret, 100);
  const auto read = read_all(*store_, "/a", 100);
  EXPECT_CODE(kUnavailable, read);
  EXPECT_THAT(read.error().message(), Not(HasSubstr("SECRET")));
  EXPECT_THAT(read.error().message(), HasSubstr("127.0.0.1:1"));
}

TEST_F(WebHdfsFileStoreTest, ends_a_call_that_gets_no_answer) {
  WebHdfsOptions options = options_for({first_.url()});
  options.retry.attempts_max = 2;
  options.http.call_timeout = Millis(50);
  options.http.stall_timeout = Millis(50);
  store_ = open(options);
  files_->put("/a", "bytes");
  first_.misbehave("GETFILESTATUS", {Kind::kStall, 0, 0, "", "", ""}, 2);
  EXPECT_CODE(kTimeout, store_->status("/a"));
  options.retry.attempts_max = 1000;  // on a busy machine a good answer takes that long, too
  store_ = open(options);
  first_.misbehave("OPEN data", {Kind::kStall, 0, 0, "", "", ""}, 1);
  EXPECT_EQ(bytes("/a"), "bytes") << "a silent DataNode is left for another attempt";
}

TEST_F(WebHdfsFileStoreTest, does_not_blame_the_server_for_a_slow_reader) {
  WebHdfsOptions options = options_for({first_.url()});
  options.http.clock = &clock_;  // no time goes by but the reader's own
  store_ = open(options);
  files_->put("/a", std::string(50'000, 'x'));
  const ByteSink slow = [&](std::string_view) -> Status {
    return clock_.advance(options.http.stall_timeout * 2), Status();
  };
  EXPECT_OK(store_->read("/a", 0, kToEnd, slow));
  EXPECT_EQ(first_.count("OPEN data"), 1U);
}

TEST_F(WebHdfsFileStoreTest, keeps_its_connection_to_the_name_node) {
  for (int i = 0; i < 20; ++i) EXPECT_OK(store_->make_directories("/d"));
  EXPECT_EQ(first_.connections(), 1U);
}

TEST_F(WebHdfsFileStoreTest, stays_below_its_root) {
  WebHdfsOptions options = options_for({first_.url()});
  options.root = "/deep/root/";
  options.shown_as = "hdfs://name:8020";
  store_ = open(options);
  EXPECT_EQ(store_->url("/a"), "hdfs://name:8020/deep/root/a");
  EXPECT_EQ(store_->url("/"), "hdfs://name:8020/deep/root");
  EXPECT_CODE(kNotFound, store_->list("/"));
  ASSERT_OK(store_->make_directories("/"));
  ASSERT_OK(create_from(*store_, "/a", "bytes"));
  ASSERT_OK(store_->rename("/a", "/b"));
  EXPECT_TRUE(files_->status("/deep/root/b"));
  EXPECT_EQ(store_->list("/")->at(0).path, "/b");
  options.root = "/deep/../up";
  EXPECT_CODE(kInvalidArgument, WebHdfsFileStore::make(options));
}

TEST(Backoff, is_bounded_in_number_and_in_time) {
  SimulatedClock clock;
  Backoff few(RetryPolicy{3, Millis(100), Millis(1000), Millis(60'000)}, clock);
  EXPECT_TRUE(few.wait());
  EXPECT_TRUE(few.go_on());
  EXPECT_FALSE(few.wait());
  EXPECT_FALSE(few.go_on());
  few.reset();
  EXPECT_TRUE(few.wait());
  Backoff timed(RetryPolicy{1000, Millis(100), Millis(1000), Millis(10'000)}, clock);
  const SteadyTime start = clock.steady();
  while (timed.wait()) {
  }
  EXPECT_LE(clock.steady() - start, Millis(10'000));
  EXPECT_GE(clock.steady() - start, Millis(8'000));
}

}  // namespace
}  // namespace weir::store
