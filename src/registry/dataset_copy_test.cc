#include "registry/dataset_copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/simulated_clock.h"
#include "store/memory_file_store.h"

namespace weir::registry {
namespace {

using store::Operation;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DatasetCopy : public ::testing::Test {
 protected:
  Status copy(const std::string& from, const std::string& to) {
    const auto source = folder.open(from);
    if (!source) return fail(source.error());
    return drop_copy(store, folder, *source, to, [this]() -> Status {
      ++progressed;
      return during_copy ? during_copy() : Status();
    });
  }
  std::vector<std::string> names(const std::string& path) {
    std::vector<std::string> names;
    const auto entries = store.list(path);
    if (!entries) return names;
    for (const auto& entry : *entries) names.push_back(entry.name);
    return names;
  }

  SimulatedClock clock;
  store::MemoryFileStore store{clock};
  DatasetFolder folder{store, "/dataset", clock};
  int progressed = 0;
  std::function<Status()> during_copy;
};

TEST(NameBeforeMark, is_the_one_it_was_dropped_under) {
  EXPECT_EQ(name_before_mark("boston.3.csv"), "boston.csv");
  EXPECT_EQ(name_before_mark("boston.3"), "boston");
  EXPECT_EQ(name_before_mark("a.2024.12.csv"), "a.2024.csv");
  EXPECT_EQ(name_before_mark("boston.csv"), "boston.csv");
  EXPECT_EQ(name_before_mark("boston"), "boston");
  EXPECT_EQ(name_before_mark(".3"), ".3");
  EXPECT_EQ(name_before_mark("x."), "x.");
  EXPECT_EQ(name_before_mark(""), "");
}

TEST_F(DatasetCopy, has_the_bytes_of_a_file_of_many_pieces) {
  std::string bytes(std::size_t{40} << 20, 'x');
  for (std::size_t i = 0; i < bytes.size(); i += 4'099) bytes[i] = static_cast<char>('0' + i % 10);
  store.put("/warehouse/a.csv", bytes);
  ASSERT_TRUE(copy("/warehouse/a.csv", "/dataset/a.csv"));
  EXPECT_TRUE(store::read_all(store, "/dataset/a.csv", bytes.size()).value() == bytes);
  EXPECT_EQ(progressed, 3);
  EXPECT_THAT(names("/dataset"), ElementsAre("a.csv"));
  EXPECT_NE(store.status("/dataset/a.csv")->file_id, store.status("/warehouse/a.csv")->file_id);
}

TEST_F(DatasetCopy, of_an_empty_file_is_empty) {
  store.put("/warehouse/a.csv", "");
  ASSERT_TRUE(copy("/warehouse/a.csv", "/dataset/a.csv"));
  EXPECT_EQ(store.status("/dataset/a.csv")->length, 0u);
}

TEST_F(DatasetCopy, of_a_folder_has_its_parts_and_the_marker) {
  store.put("/warehouse/daily/part-0.csv", "a\n1\n");
  store.put("/warehouse/daily/part-1.csv", "a\n2\n");
  store.put("/warehouse/daily/_SUCCESS", "");
  store.put("/warehouse/daily/.part-0.csv.crc", "?");
  ASSERT_TRUE(copy("/warehouse/daily", "/dataset/daily"));
  EXPECT_THAT(names("/dataset/daily"), ElementsAre("_SUCCESS", "part-0.csv", "part-1.csv"));
  EXPECT_EQ(store::read_all(store, "/dataset/daily/part-1.csv", 100).value(), "a\n2\n");
}

TEST_F(DatasetCopy, that_fails_anywhere_leaves_nothing_to_be_taken_up) {
  store.put("/warehouse/a.csv", "a\n1\n");
  for (const auto operation : {Operation::kCreate, Operation::kRead, Operation::kRename}) {
    store.fail_next(operation, Error(Code::kUnavailable, "cut"));
    EXPECT_FALSE(copy("/warehouse/a.csv", "/dataset/a.csv"));
    EXPECT_THAT(names("/dataset"), IsEmpty());
  }
  during_copy = [] { return fail(Code::kCancelled, "stopped"); };
  const Status stopped = copy("/warehouse/a.csv", "/dataset/a.csv");
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code(), Code::kCancelled);
  EXPECT_THAT(names("/dataset"), IsEmpty());
}

TEST_F(DatasetCopy, of_what_is_replaced_meanwhile_is_not_dropped) {
  store.put("/warehouse/a.csv", "a\n1\n");
  during_copy = [this]() -> Status {
    store.put("/warehouse/a.csv", "a\n2\n");
    return {};
  };
  EXPECT_FALSE(copy("/warehouse/a.csv", "/dataset/a.csv"));
  EXPECT_THAT(names("/dataset"), IsEmpty());
}

TEST_F(DatasetCopy, overwrites_nothing_and_takes_no_name_that_nobody_looks_at) {
  store.put("/warehouse/a.csv", "new");
  store.put("/dataset/a.csv", "old");
  const Status taken = copy("/warehouse/a.csv", "/dataset/a.csv");
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code(), Code::kAlreadyExists);
  EXPECT_EQ(store::read_all(store, "/dataset/a.csv", 10).value(), "old");
  const Status hidden = copy("/warehouse/a.csv", "/dataset/_a.csv");
  ASSERT_FALSE(hidden);
  EXPECT_EQ(hidden.error().code(), Code::kInvalidArgument);
}

TEST_F(DatasetCopy, goes_on_where_an_earlier_one_was_killed) {
  store.put("/warehouse/a.csv", "a\n1\n");
  store.put("/dataset/.a.csv.copy.tmp", "a\n");
  ASSERT_TRUE(copy("/warehouse/a.csv", "/dataset/a.csv"));
  EXPECT_THAT(names("/dataset"), ElementsAre("a.csv"));
}

}  // namespace
}  // namespace weir::registry
