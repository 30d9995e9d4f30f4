#include "store/file_store_contract.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>
#include <vector>

#include "store/result_matchers_test.h"

namespace weir::store {
namespace {

std::vector<std::string> names(const std::vector<FileStatus>& entries) {
  std::vector<std::string> all;
  for (const FileStatus& entry : entries) all.push_back(entry.name);
  return all;
}

std::string content(FileStore& store, const std::string& path) {
  auto bytes = read_all(store, path, std::uint64_t{64} << 20);
  return bytes ? *bytes : "error: " + bytes.error().message();
}

Result<std::string> range(FileStore& store, const std::string& path, std::uint64_t offset,
                          std::uint64_t length) {
  std::string bytes;
  const ByteSink sink = [&](std::string_view piece) -> Status {
    bytes += piece;
    return {};
  };
  WEIR_TRY(store.read(path, offset, length, sink));
  return bytes;
}

// Not of one byte, so that a piece that is lost, doubled or out of place is seen.
std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& c : bytes) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>(state >> 24);
  }
  return bytes;
}

TEST_P(FileStoreContract, gives_back_the_bytes_that_were_written) {
  for (const std::size_t size : {0UL, 1UL, 70'000UL, 5'000'001UL}) {
    const std::string path = "/file" + std::to_string(size);
    const std::string bytes = pattern(size);
    ASSERT_OK(create_from(store(), path, bytes));
    EXPECT_TRUE(content(store(), path) == bytes) << size;
    const auto status = store().status(path);
    ASSERT_OK(status);
    EXPECT_EQ(status->length, size);
    EXPECT_EQ(status->name, path.substr(1));
    EXPECT_EQ(status->path, path);
    EXPECT_FALSE(status->is_directory);
    EXPECT_GT(status->modified_ms, 1'700'000'000'000);
    EXPECT_NE(status->file_id, "");
  }
}

TEST_P(FileStoreContract, reads_any_range) {
  const std::string bytes = pattern(300'000);
  ASSERT_OK(create_from(store(), "/a", bytes));
  for (const std::uint64_t offset : {0UL, 1UL, 65'536UL, 299'999UL, 300'000UL}) {
    EXPECT_TRUE(*range(store(), "/a", offset, kToEnd) == bytes.substr(offset)) << offset;
    EXPECT_EQ(*range(store(), "/a", offset, 0), "");
  }
  EXPECT_TRUE(*range(store(), "/a", 7, 200'000) == bytes.substr(7, 200'000));
}

TEST_P(FileStoreContract, reads_any_long_range_of_a_large_file) {
  const std::string bytes = pattern(9'000'000);
  ASSERT_OK(create_from(store(), "/a", bytes));
  EXPECT_TRUE(*range(store(), "/a", 0, kToEnd) == bytes);
  EXPECT_TRUE(*range(store(), "/a", 1'000'003, 6'000'001) == bytes.substr(1'000'003, 6'000'001));
}

TEST_P(FileStoreContract, finds_a_file_corrupt_that_has_fewer_bytes_than_were_asked_for) {
  ASSERT_OK(create_from(store(), "/a", "0123456789"));
  EXPECT_CODE(kCorrupt, range(store(), "/a", 0, 11));
  EXPECT_CODE(kCorrupt, range(store(), "/a", 5, 6));
  EXPECT_CODE(kCorrupt, range(store(), "/a", 11, kToEnd));
  EXPECT_CODE(kCorrupt, range(store(), "/a", kToEnd - 1, kToEnd - 1));
}

TEST_P(FileStoreContract, hands_pieces_on_that_are_bounded_and_stops_where_the_sink_says) {
  ASSERT_OK(create_from(store(), "/a", pattern(9'000'000)));
  std::uint64_t seen = 0;
  const ByteSink sink = [&](std::string_view piece) -> Status {
    EXPECT_LE(piece.size(), kReadPieceBytesMax);
    EXPECT_GT(piece.size(), 0U);
    seen += piece.size();
    if (seen > 1'000'000) return fail(Code::kCancelled, "enough");
    return {};
  };
  const Status read = store().read("/a", 0, kToEnd, sink);
  EXPECT_CODE(kCancelled, read);
  EXPECT_EQ(read.error().reason(), "enough");
  EXPECT_LE(seen, 1'000'000 + kReadPieceBytesMax);
}

TEST_P(FileStoreContract, passes_on_what_the_source_says) {
  int calls = 0;
  const ByteSource source = [&](std::span<char> buffer) -> Result<std::size_t> {
    if (++calls == 3) return fail(Code::kBadData, "the source is dry");
    std::fill(buffer.begin(), buffer.end(), 'x');
    return buffer.size();
  };
  const Status created = store().create("/a", source);
  EXPECT_CODE(kBadData, created);
  EXPECT_EQ(calls, 3);
}

TEST_P(FileStoreContract, lets_what_the_sink_or_source_throws_pass) {
  ASSERT_OK(create_from(store(), "/a", "bytes"));
  const ByteSink sink = [](std::string_view) -> Status { throw std::runtime_error("sink"); };
  EXPECT_THROW((void)store().read("/a", 0, kToEnd, sink), std::runtime_error);
  const ByteSource source = [](std::span<char>) -> Result<std::size_t> {
    throw std::runtime_error("source");
  };
  EXPECT_THROW((void)store().create("/b", source), std::runtime_error);
  EXPECT_EQ(content(store(), "/a"), "bytes");
}

TEST_P(FileStoreContract, never_writes_over_what_is_there) {
  ASSERT_OK(create_from(store(), "/a", "first"));
  EXPECT_CODE(kAlreadyExists, create_from(store(), "/a", "second"));
  EXPECT_EQ(content(store(), "/a"), "first");
  ASSERT_OK(store().make_directories("/folder"));
  EXPECT_CODE(kAlreadyExists, create_from(store(), "/folder", "x"));
}

TEST_P(FileStoreContract, makes_the_folders_of_a_new_file) {
  ASSERT_OK(create_from(store(), "/x/y/z.csv", "1"));
  EXPECT_TRUE(store().status("/x/y")->is_directory);
  EXPECT_EQ(store().status("/x/y")->length, 0U);
}

TEST_P(FileStoreContract, lists_a_folder_in_byte_order_and_nothing_below) {
  EXPECT_EQ(names(*store().list("/")), std::vector<std::string>());
  for (const char* path : {"/d/b", "/d/a", "/d/B", "/d/a.b", "/d/a/", "/d/\xc3\xbc", "/other"}) {
    std::string text = path;
    if (text == "/d/a/") text = "/d/sub/file";
    ASSERT_OK(create_from(store(), text, "12"));
  }
  const auto listed = store().list("/d");
  ASSERT_OK(listed);
  EXPECT_EQ(names(*listed), (std::vector<std::string>{"B", "a", "a.b", "b", "sub", "\xc3\xbc"}));
  for (const FileStatus& entry : *listed) {
    const auto status = store().status(entry.path);
    ASSERT_OK(status);
    EXPECT_EQ(entry.path, "/d/" + entry.name);
    EXPECT_EQ(entry.is_directory, entry.name == "sub");
    EXPECT_EQ(entry.length, entry.is_directory ? 0U : 2U);
    EXPECT_EQ(entry.file_id, status->file_id);
    EXPECT_EQ(entry.modified_ms, status->modified_ms);
  }
  EXPECT_EQ(names(*store().list("/")), (std::vector<std::string>{"d", "other"}));
}

TEST_P(FileStoreContract, finds_nothing_where_nothing_is) {
  ASSERT_OK(create_from(store(), "/file", "x"));
  for (const char* path : {"/none", "/none/below", "/file/below"}) {
    EXPECT_CODE(kNotFound, store().status(path)) << path;
    EXPECT_CODE(kNotFound, store().list(path)) << path;
    EXPECT_CODE(kNotFound, range(store(), path, 0, kToEnd)) << path;
    EXPECT_CODE(kNotFound, store().rename(path, "/target")) << path;
    EXPECT_OK(store().remove(path)) << path;
  }
  EXPECT_CODE(kNotFound, store().list("/file"));
  ASSERT_OK(store().make_directories("/folder"));
  EXPECT_CODE(kNotFound, range(store(), "/folder", 0, kToEnd));
}

TEST_P(FileStoreContract, writes_nothing_beneath_a_file) {
  ASSERT_OK(create_from(store(), "/file", "x"));
  ASSERT_OK(create_from(store(), "/other", "x"));
  EXPECT_CODE(kInvalidArgument, create_from(store(), "/file/below", "x"));
  EXPECT_CODE(kInvalidArgument, store().make_directories("/file/below"));
  EXPECT_CODE(kInvalidArgument, store().rename("/other", "/file/below"));
  EXPECT_EQ(content(store(), "/file"), "x");
}

TEST_P(FileStoreContract, makes_folders_more_than_once_but_not_over_a_file) {
  EXPECT_OK(store().make_directories("/"));
  EXPECT_OK(store().make_directories("/a/b/c"));
  EXPECT_OK(store().make_directories("/a/b/c"));
  EXPECT_TRUE(store().status("/a/b/c")->is_directory);
  ASSERT_OK(create_from(store(), "/a/file", "x"));
  EXPECT_CODE(kAlreadyExists, store().make_directories("/a/file"));
}

TEST_P(FileStoreContract, moves_a_file_and_keeps_its_id_and_bytes) {
  ASSERT_OK(create_from(store(), "/from/a", "bytes"));
  ASSERT_OK(store().make_directories("/to"));
  const std::string id = store().status("/from/a")->file_id;
  ASSERT_OK(store().rename("/from/a", "/to/b"));
  EXPECT_CODE(kNotFound, store().status("/from/a"));
  EXPECT_EQ(content(store(), "/to/b"), "bytes");
  EXPECT_EQ(store().status("/to/b")->file_id, id);
  ASSERT_OK(create_from(store(), "/from/a", "bytes"));
  EXPECT_NE(store().status("/from/a")->file_id, id);
}

TEST_P(FileStoreContract, moves_a_folder_with_all_in_it) {
  ASSERT_OK(create_from(store(), "/d/sub/a", "1"));
  ASSERT_OK(create_from(store(), "/d2", "not of it"));
  ASSERT_OK(store().rename("/d", "/e"));
  EXPECT_EQ(content(store(), "/e/sub/a"), "1");
  EXPECT_EQ(names(*store().list("/")), (std::vector<std::string>{"d2", "e"}));
}

TEST_P(FileStoreContract, refuses_a_rename_onto_what_is_there) {
  ASSERT_OK(create_from(store(), "/a", "a"));
  ASSERT_OK(create_from(store(), "/b", "b"));
  ASSERT_OK(store().make_directories("/empty"));
  ASSERT_OK(store().make_directories("/folder"));
  for (const char* target : {"/a", "/b", "/empty"}) {
    EXPECT_CODE(kAlreadyExists, store().rename("/a", target)) << target;
    EXPECT_CODE(kAlreadyExists,
                store().rename("/folder", target == std::string("/a") ? "/folder" : target));
  }
  EXPECT_EQ(content(store(), "/a"), "a");
  EXPECT_EQ(content(store(), "/b"), "b");
  EXPECT_EQ(names(*store().list("/empty")), std::vector<std::string>());
}

TEST_P(FileStoreContract, refuses_a_rename_into_nowhere_or_into_itself) {
  ASSERT_OK(create_from(store(), "/d/a", "a"));
  EXPECT_CODE(kNotFound, store().rename("/d/a", "/none/a"));
  EXPECT_CODE(kInvalidArgument, store().rename("/d", "/d/e"));
  EXPECT_CODE(kInvalidArgument, store().rename("/", "/d/e"));
  EXPECT_EQ(content(store(), "/d/a"), "a");
}

TEST_P(FileStoreContract, removes_a_folder_with_all_in_it_and_never_the_root) {
  ASSERT_OK(create_from(store(), "/d/sub/a", "1"));
  ASSERT_OK(create_from(store(), "/d2/b", "2"));
  ASSERT_OK(store().remove("/d"));
  EXPECT_OK(store().remove("/d"));
  EXPECT_CODE(kNotFound, store().status("/d/sub/a"));
  EXPECT_EQ(content(store(), "/d2/b"), "2");
  EXPECT_CODE(kInvalidArgument, store().remove("/"));
}

TEST_P(FileStoreContract, keeps_hostile_names_as_they_are) {
  std::vector<std::string> hostile = {"..x",
                                      "...",
                                      "%2e%2e",
                                      "a%2fb",
                                      "a%b",
                                      "a%25b",
                                      "100%",
                                      "a b",
                                      " a",
                                      "a+b",
                                      "a#b",
                                      "a?b",
                                      "a;b",
                                      "a&b=c",
                                      "a\nb",
                                      "a\tb",
                                      "a\x01"
                                      "b",
                                      "a\x7f",
                                      "a'b\"c",
                                      "`x`",
                                      "$(x)",
                                      "a\\b",
                                      "*",
                                      "-rf",
                                      "~",
                                      "a\xc3\xbc\xe6\xbc\xa2\xf0\x9f\x98\x80",
                                      "<a>",
                                      "[1]",
                                      "{x}",
                                      "a|b",
                                      "a,b",
                                      "@",
                                      std::string(200, 'n')};
  if (GetParam().takes_any_byte) {
    hostile.insert(hostile.end(), {"a:b", "\xff\xfe", "\xc3"});
  }
  for (const std::string& name : hostile) {
    SCOPED_TRACE(name);
    ASSERT_OK(create_from(store(), "/in " + name + "/" + name, name));
    EXPECT_EQ(content(store(), "/in " + name + "/" + name), name);
    EXPECT_EQ(names(*store().list("/in " + name)), (std::vector<std::string>{name}));
    ASSERT_OK(store().rename("/in " + name + "/" + name, "/" + name));
    EXPECT_EQ(store().status("/" + name)->name, name);
    EXPECT_CODE(kAlreadyExists, create_from(store(), "/" + name, ""));
    EXPECT_OK(store().remove("/in " + name));
  }
  std::sort(hostile.begin(), hostile.end());
  EXPECT_EQ(names(*store().list("/")), hostile);
}

TEST_P(FileStoreContract, refuses_paths_that_could_lead_elsewhere) {
  const std::vector<std::string> bad = {"",
                                        "a",
                                        "//",
                                        "/a/",
                                        "/a//b",
                                        "/.",
                                        "/..",
                                        "/a/../b",
                                        "/a/.",
                                        "/../../etc/passwd",
                                        std::string("/a\0b", 4)};
  ASSERT_OK(create_from(store(), "/good", "x"));
  for (const std::string& path : bad) {
    SCOPED_TRACE(path);
    EXPECT_CODE(kInvalidArgument, store().list(path));
    EXPECT_CODE(kInvalidArgument, store().status(path));
    EXPECT_CODE(kInvalidArgument, range(store(), path, 0, kToEnd));
    EXPECT_CODE(kInvalidArgument, create_from(store(), path, "x"));
    EXPECT_CODE(kInvalidArgument, store().make_directories(path));
    EXPECT_CODE(kInvalidArgument, store().rename(path, "/b"));
    EXPECT_CODE(kInvalidArgument, store().rename("/good", path));
    EXPECT_CODE(kInvalidArgument, store().remove(path));
  }
  EXPECT_EQ(names(*store().list("/")), (std::vector<std::string>{"good"}));
}

TEST_P(FileStoreContract, keeps_a_name_as_it_is_or_refuses_it) {
  for (const char* name : {"a:b", "\xff", "\xc3", "\xed\xa0\x80", "\xc0\xaf"}) {
    SCOPED_TRACE(name);
    const std::string path = "/" + std::string(name);
    if (GetParam().takes_any_byte) {
      EXPECT_OK(create_from(store(), path, "x"));
      EXPECT_EQ(store().list("/")->at(0).name, name);
      EXPECT_OK(store().remove(path));
    } else {
      EXPECT_CODE(kInvalidArgument, create_from(store(), path, "x"));
      EXPECT_CODE(kInvalidArgument, store().make_directories(path));
      EXPECT_CODE(kInvalidArgument, store().status(path));
    }
    EXPECT_TRUE(store().list("/")->empty());
  }
}

TEST_P(FileStoreContractThreads, several_files_are_written_by_one_call) {
  std::vector<std::string> paths;
  for (int i = 0; i < 7; ++i) paths.push_back("/folder/" + std::to_string(i));
  const std::string bytes = pattern(70'000);
  std::vector<NewFile> files;
  for (const std::string& path : paths) {
    files.push_back({path, std::string_view(bytes).substr(0, 10'000 * files.size())});
  }
  ASSERT_OK(store().create_all(files));
  for (const NewFile& file : files) {
    EXPECT_TRUE(content(store(), file.path) == file.bytes) << file.path;
  }
  ASSERT_OK(store().create_all({}));
  const Status again = store().create_all(std::span(files).subspan(6));
  EXPECT_CODE(kAlreadyExists, again);
  EXPECT_THAT(again.error().message(), testing::HasSubstr("/folder/6"));
}

TEST_P(FileStoreContract, reads_into_memory_up_to_a_limit) {
  ASSERT_OK(create_from(store(), "/a", "0123456789"));
  EXPECT_EQ(*read_all(store(), "/a", 10), "0123456789");
  EXPECT_CODE(kExhausted, read_all(store(), "/a", 9));
  EXPECT_CODE(kNotFound, read_all(store(), "/none", 9));
}

TEST_P(FileStoreContract, names_the_file_in_its_errors) {
  const auto status = store().status("/some/where");
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message().find("/some/where"), std::string::npos)
      << status.error().message();
}

TEST_P(FileStoreContractThreads, one_of_many_creators_wins) {
  std::atomic<int> won{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      const Status created =
          create_from(store(), "/contested", std::string(1000, static_cast<char>('a' + i)));
      if (created) {
        ++won;
      } else {
        EXPECT_CODE(kAlreadyExists, created);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(won, 1);
  const std::string bytes = content(store(), "/contested");
  EXPECT_EQ(bytes, std::string(1000, bytes.at(0)));
}

TEST_P(FileStoreContractThreads, one_of_many_renames_onto_a_name_wins) {
  std::atomic<int> won{0};
  for (int i = 0; i < 6; ++i) {
    ASSERT_OK(create_from(store(), "/from" + std::to_string(i), std::to_string(i)));
  }
  std::vector<std::jthread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      const Status renamed = store().rename("/from" + std::to_string(i), "/to");
      if (renamed) {
        ++won;
      } else {
        EXPECT_CODE(kAlreadyExists, renamed);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(store().list("/")->size(), 6U);
}

TEST_P(FileStoreContractThreads, many_threads_read_and_write_at_once) {
  const std::string bytes = pattern(200'000);
  ASSERT_OK(create_from(store(), "/shared", bytes));
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const std::string own = "/own" + std::to_string(i);
      for (int round = 0; round < 5; ++round) {
        EXPECT_TRUE(content(store(), "/shared") == bytes);
        EXPECT_OK(create_from(store(), own, own));
        EXPECT_OK(store().list("/"));
        EXPECT_OK(store().rename(own, own + "-moved"));
        EXPECT_OK(store().remove(own + "-moved"));
      }
    });
  }
  threads.clear();
  EXPECT_EQ(names(*store().list("/")), (std::vector<std::string>{"shared"}));
}

}  // namespace
}  // namespace weir::store
