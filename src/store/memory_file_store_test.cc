#include "store/memory_file_store.h"

#include <gtest/gtest.h>

#include "base/simulated_clock.h"
#include "store/file_store_contract.h"
#include "store/result_matchers_test.h"

namespace weir::store {
namespace {

ContractCase memory_case() {
  ContractCase made;
  made.name = "Memory";
  made.open = [] { return ContractStore{std::make_shared<MemoryFileStore>(), nullptr, ""}; };
  return made;
}
INSTANTIATE_TEST_SUITE_P(Memory, FileStoreContract, testing::Values(memory_case()), case_name);
INSTANTIATE_TEST_SUITE_P(Memory, FileStoreContractThreads, testing::Values(memory_case()),
                         case_name);

TEST(MemoryFileStore, fails_at_the_nth_call_and_does_nothing_then) {
  MemoryFileStore store;
  store.fail_next(Operation::kMakeDirectories, Error(Code::kUnavailable, "away"), 1);
  EXPECT_OK(store.make_directories("/a"));
  EXPECT_CODE(kUnavailable, store.make_directories("/b"));
  EXPECT_CODE(kNotFound, store.status("/b"));
  EXPECT_OK(store.make_directories("/b"));
  EXPECT_EQ(store.calls(Operation::kMakeDirectories), 3U);
}

TEST(MemoryFileStore, leaves_half_a_file_where_a_create_fails) {
  MemoryFileStore store;
  store.fail_next(Operation::kCreate, Error(Code::kExhausted, "disk full"));
  EXPECT_CODE(kExhausted, create_from(store, "/a", "0123456789"));
  EXPECT_EQ(*read_all(store, "/a", 100), "01234");
}

TEST(MemoryFileStore, does_the_work_and_loses_the_reply) {
  MemoryFileStore store;
  store.put("/a", "bytes");
  store.lose_reply_of_next(Operation::kRename, Error(Code::kTimeout, "no answer"));
  EXPECT_CODE(kTimeout, store.rename("/a", "/b"));
  EXPECT_EQ(*read_all(store, "/b", 100), "bytes");
}

TEST(MemoryFileStore, runs_the_hook_without_its_lock) {
  MemoryFileStore store;
  std::string seen;
  store.before_each([&](Operation operation, const std::string& path) -> Status {
    seen += path;
    if (operation == Operation::kStatus) store.put("/made-by-the-hook", "x");
    return {};
  });
  EXPECT_OK(store.status("/made-by-the-hook"));
  EXPECT_EQ(seen, "/made-by-the-hook");
}

TEST(MemoryFileStore, takes_its_times_from_the_clock) {
  SimulatedClock clock;
  MemoryFileStore store(clock);
  store.put("/a", "1");
  const auto first = store.status("/a");
  clock.advance(Millis(1500));
  store.append("/a", "2");
  EXPECT_EQ(store.status("/a")->modified_ms, first->modified_ms + 1500);
  EXPECT_EQ(store.status("/a")->file_id, first->file_id);
  store.put("/a", "3");
  EXPECT_NE(store.status("/a")->file_id, first->file_id);
}

}  // namespace
}  // namespace weir::store
