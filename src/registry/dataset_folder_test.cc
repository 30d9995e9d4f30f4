#include "registry/dataset_folder.h"

#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "base/simulated_clock.h"
#include "base/skewed_clock.h"
#include "base/text.h"
#include "store/forwarding_file_store.h"
#include "store/memory_file_store.h"

namespace weir::registry {
namespace {

using store::Operation;
using Names = std::vector<std::string>;

// A store in which some files are open for writing.
class BusyStore final : public store::ForwardingFileStore {
 public:
  using ForwardingFileStore::ForwardingFileStore;
  Result<bool> is_being_written(const std::string& path) override {
    if (is_being_written_error) return fail(*is_being_written_error);
    return being_written.contains(path);
  }
  std::set<std::string> being_written;
  std::optional<Error> is_being_written_error;
};

class DatasetFolderTest : public ::testing::Test {
 protected:
  DatasetFolderTest() { EXPECT_TRUE(folder.make_folders()); }
  Names look() {
    const auto ready = folder.look();
    EXPECT_TRUE(ready) << ready.error().message();
    Names names;
    for (const Dataset& dataset : ready.value_or(std::vector<Dataset>{})) {
      names.push_back(store::base_name(dataset.identity.path));
    }
    return names;
  }
  Names look_twice() {
    look();
    return look();
  }
  std::string text(const std::string& path) {
    return store::read_all(store, path, 1000).value_or("(missing)");
  }
  bool exists(const std::string& path) { return store.status(path).has_value(); }

  SimulatedClock clock;
  store::MemoryFileStore memory{clock};
  BusyStore store{memory};
  DatasetFolder folder{store, "/dataset", clock};
};

TEST_F(DatasetFolderTest, takes_a_file_once_two_looks_saw_it_equal) {
  memory.put("/dataset/a.csv", "x,y\n1,2\n");
  EXPECT_EQ(look(), Names{});
  EXPECT_EQ(look(), Names{"a.csv"});
  EXPECT_EQ(look(), Names{"a.csv"}) << "until it is moved";
}

TEST_F(DatasetFolderTest, waits_while_a_file_grows_or_is_replaced) {
  memory.put("/dataset/a.csv", "x,y\n");
  look();
  memory.append("/dataset/a.csv", "1,2\n");
  EXPECT_EQ(look(), Names{});
  clock.advance(Millis{1});
  memory.put("/dataset/a.csv", "x,y\n3,4\n");  // the same length
  EXPECT_EQ(look(), Names{});
  EXPECT_EQ(look(), Names{"a.csv"});
}

TEST_F(DatasetFolderTest, waits_for_the_settle_time_too) {
  DatasetFolder patient(store, "/dataset", clock, Millis{5000});
  memory.put("/dataset/a.csv", "x,y\n");
  const auto count = [&] { return patient.look()->size(); };
  EXPECT_EQ(count(), 0u);
  EXPECT_TRUE(patient.settling());
  clock.advance(Millis{4999});
  EXPECT_EQ(count(), 0u);
  memory.append("/dataset/a.csv", "1,2\n");
  EXPECT_EQ(count(), 0u);
  clock.advance(Millis{4999});
  EXPECT_EQ(count(), 0u) << "from the change on";
  EXPECT_TRUE(patient.settling());
  clock.advance(Millis{1});
  EXPECT_EQ(count(), 1u);
  EXPECT_FALSE(patient.settling());
}

TEST_F(DatasetFolderTest, ignores_names_of_files_that_are_half_uploaded_or_hidden) {
  for (const char* name : {"a.csv._COPYING_", "a.csv.tmp", "a.csv.inprogress", ".a.csv", "_a.csv",
                           "_SUCCESS", "_temporary"}) {
    memory.put(std::string("/dataset/") + name, "x,y\n1,2\n");
  }
  memory.put("/dataset/used/b.1.csv", "x,y\n1,2\n");
  memory.put("/dataset/rejected/c.1.csv", "x,y\n1,2\n");
  EXPECT_EQ(look_twice(), Names{});
}

TEST_F(DatasetFolderTest, takes_an_empty_file_so_that_it_can_be_refused) {
  memory.put("/dataset/a.csv", "");
  EXPECT_EQ(look_twice(), Names{"a.csv"});
}

TEST_F(DatasetFolderTest, does_not_take_a_file_that_is_open_for_writing) {
  memory.put("/dataset/a.csv", "x,y\n");
  store.being_written.insert("/dataset/a.csv");
  EXPECT_EQ(look_twice(), Names{});
  store.being_written.clear();
  EXPECT_EQ(look(), Names{"a.csv"});
}

TEST_F(DatasetFolderTest, takes_nothing_where_the_store_cannot_say_who_writes) {
  memory.put("/dataset/a.csv", "x,y\n");
  look();
  store.is_being_written_error = Error(Code::kUnavailable, "safe mode");
  EXPECT_EQ(folder.look().error().code(), Code::kUnavailable);
  store.is_being_written_error = Error(Code::kNotFound, "gone meanwhile");
  EXPECT_EQ(look(), Names{});
}

TEST_F(DatasetFolderTest, takes_what_may_not_be_read_so_that_it_can_be_refused) {
  memory.put("/dataset/a.csv", "x,y\n");
  look();
  store.is_being_written_error = Error(Code::kPermissionDenied, "not yours");
  EXPECT_EQ(look(), Names{"a.csv"});
}

TEST_F(DatasetFolderTest, passes_over_a_folder_that_may_not_be_looked_into) {
  memory.put("/dataset/a/_SUCCESS", "");
  memory.put("/dataset/a/part-0.csv", "x,y\n1,2\n");
  memory.put("/dataset/b.csv", "x,y\n1,2\n");
  memory.before_each([](Operation operation, const std::string& path) -> Status {
    if (operation != Operation::kList || path != "/dataset/a") return {};
    return fail(Code::kPermissionDenied, "not yours");
  });
  EXPECT_EQ(look_twice(), Names{"b.csv"});
  memory.before_each({});
  EXPECT_EQ(look_twice(), (Names{"a", "b.csv"}));
}

TEST_F(DatasetFolderTest, gives_data_sets_by_name_not_by_time) {
  for (const char* name : {"c.csv", "a.csv", "B.csv", "b.csv"}) {
    memory.put(std::string("/dataset/") + name, "x,y\n1,2\n");
    clock.advance(Millis{1000});
  }
  EXPECT_EQ(look_twice(), (Names{"B.csv", "a.csv", "b.csv", "c.csv"}));
}

TEST_F(DatasetFolderTest, takes_a_folder_once_its_marker_is_there) {
  memory.put("/dataset/run/part-00001.csv", "x,y\n3,4\n");
  memory.put("/dataset/run/part-00000.csv", "x,y\n1,2\n");
  memory.put("/dataset/run/part-00002.csv", "");
  memory.put("/dataset/run/.part-00000.csv.crc", "crc!");
  EXPECT_EQ(look_twice(), Names{});
  memory.put("/dataset/run/_SUCCESS", "");
  EXPECT_EQ(look_twice(), Names{"run"});
  const auto dataset = folder.open("/dataset/run");
  ASSERT_TRUE(dataset);
  EXPECT_TRUE(dataset->is_folder);
  EXPECT_EQ(dataset->identity.length, 16u);
  ASSERT_EQ(dataset->parts.size(), 2u) << "without the empty part and the hidden file";
  EXPECT_EQ(dataset->parts[0].name, "part-00000.csv");
  EXPECT_EQ(dataset->parts[1].name, "part-00001.csv");
}

TEST_F(DatasetFolderTest, waits_while_a_part_of_a_folder_changes) {
  memory.put("/dataset/run/_SUCCESS", "");
  memory.put("/dataset/run/part-0.csv", "x,y\n1,2\n");
  look();
  memory.append("/dataset/run/part-0.csv", "3,4\n");
  EXPECT_EQ(look(), Names{});
  store.being_written.insert("/dataset/run/part-0.csv");
  EXPECT_EQ(look(), Names{});
  store.being_written.clear();
  EXPECT_EQ(look(), Names{"run"});
}

TEST_F(DatasetFolderTest, takes_no_folder_without_data) {
  memory.put("/dataset/run/_SUCCESS", "");
  memory.put("/dataset/run/part-0.csv", "");
  EXPECT_EQ(look_twice(), Names{});
}

TEST_F(DatasetFolderTest, knows_another_file_under_the_same_name) {
  memory.put("/dataset/a.csv", "x,y\n1,2\n");
  const auto first = folder.open("/dataset/a.csv");
  memory.put("/dataset/a.csv", "x,y\n1,2\n");
  const auto second = folder.open("/dataset/a.csv");
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->identity, second->identity);
  ASSERT_TRUE(store.remove("/dataset/a.csv"));
  EXPECT_EQ(folder.open("/dataset/a.csv").error().code(), Code::kNotFound);
}

TEST_F(DatasetFolderTest, names_moved_data_sets_by_their_epoch) {
  EXPECT_EQ(folder.used_path("/dataset/a.csv", 3), "/dataset/used/a.3.csv");
  EXPECT_EQ(folder.used_path("/dataset/a.b.csv", 3), "/dataset/used/a.b.3.csv");
  EXPECT_EQ(folder.used_path("/dataset/boston", 12), "/dataset/used/boston.12");
  EXPECT_EQ(folder.rejected_path("/dataset/a.csv", 3), "/dataset/rejected/a.3.csv");
}

// One that cannot be moved would keep all others waiting.
TEST_F(DatasetFolderTest, cuts_names_that_would_become_too_long_for_a_store) {
  const std::string x(250, 'x');
  std::string umlauts;
  while (umlauts.size() < 250) umlauts += "ü";
  const auto name_of = [&](const std::string& name) {
    return store::base_name(folder.rejected_path("/dataset/" + name, 1234567));
  };
  EXPECT_EQ(name_of(x.substr(0, 220) + ".csv"), x.substr(0, 220) + ".1234567.csv");
  for (const std::string& name : {x + ".csv", x, "a." + x, umlauts + ".csv", "x" + umlauts}) {
    const std::string moved = name_of(name);
    EXPECT_LE((moved + ".reason.json").size(), 255u) << name;
    EXPECT_NE(moved.find(".1234567"), std::string::npos) << name;
    EXPECT_EQ(moved.ends_with(".csv"), name.ends_with(".csv")) << name;
    EXPECT_EQ(one_line(moved), moved) << "half a character";
  }
  memory.put("/dataset/" + x + ".csv", "same");
  ASSERT_TRUE(folder.move_duplicate("/dataset/" + x + ".csv", 7, "{}"));
  const auto rejected = store.list("/dataset/rejected");
  ASSERT_TRUE(rejected);
  for (const auto& entry : *rejected) {
    EXPECT_LE(entry.name.size(), 255u) << entry.name;
  }
}

TEST_F(DatasetFolderTest, moves_a_used_data_set_with_its_bytes) {
  memory.put("/dataset/a.csv", "x,y\n1,2\n");
  ASSERT_TRUE(folder.move_to_used("/dataset/a.csv", 3));
  EXPECT_EQ(text("/dataset/used/a.3.csv"), "x,y\n1,2\n");
  EXPECT_FALSE(exists("/dataset/a.csv"));
  EXPECT_TRUE(folder.move_to_used("/dataset/a.csv", 3)) << "done before: fine";
}

TEST_F(DatasetFolderTest, moves_a_folder_whole) {
  memory.put("/dataset/run/_SUCCESS", "");
  memory.put("/dataset/run/part-0.csv", "x,y\n1,2\n");
  ASSERT_TRUE(folder.move_to_used("/dataset/run", 4));
  EXPECT_EQ(text("/dataset/used/run.4/part-0.csv"), "x,y\n1,2\n");
  EXPECT_TRUE(exists("/dataset/used/run.4/_SUCCESS"));
}

TEST_F(DatasetFolderTest, puts_the_reason_beside_a_rejected_data_set) {
  memory.put("/dataset/a.csv", "junk");
  ASSERT_TRUE(folder.move_to_rejected("/dataset/a.csv", 3, "{\"why\":1}"));
  EXPECT_EQ(text("/dataset/rejected/a.3.csv"), "junk");
  EXPECT_EQ(text("/dataset/rejected/a.3.csv.reason.json"), "{\"why\":1}");
  EXPECT_TRUE(folder.move_to_rejected("/dataset/a.csv", 3, "{\"why\":1}")) << "done before: fine";
}

TEST_F(DatasetFolderTest, finishes_a_rejection_that_a_crash_cut_anywhere) {
  for (const auto operation : {Operation::kCreate, Operation::kRemove, Operation::kRename}) {
    memory.put("/dataset/a.csv", "junk");
    memory.fail_next(operation, Error(Code::kUnavailable, "cut"));
    EXPECT_FALSE(folder.move_to_rejected("/dataset/a.csv", 3, "{\"why\":1}"));
    EXPECT_TRUE(exists("/dataset/a.csv"));
    ASSERT_TRUE(folder.move_to_rejected("/dataset/a.csv", 3, "{\"why\":1}"));
    EXPECT_EQ(text("/dataset/rejected/a.3.csv.reason.json"), "{\"why\":1}");
    ASSERT_TRUE(store.remove("/dataset/rejected/a.3.csv"));
  }
}

TEST_F(DatasetFolderTest, sees_a_move_done_whose_reply_was_lost) {
  memory.put("/dataset/a.csv", "x");
  memory.lose_reply_of_next(Operation::kRename, Error(Code::kTimeout, "no answer"));
  EXPECT_FALSE(folder.move_to_used("/dataset/a.csv", 3));
  EXPECT_TRUE(folder.move_to_used("/dataset/a.csv", 3));
  EXPECT_EQ(text("/dataset/used/a.3.csv"), "x");
}

TEST_F(DatasetFolderTest, never_overwrites_where_the_target_is_taken) {
  memory.put("/dataset/a.csv", "new");
  memory.put("/dataset/used/a.3.csv", "old");
  const Status moved = folder.move_to_used("/dataset/a.csv", 3);
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().code(), Code::kAlreadyExists);
  EXPECT_EQ(text("/dataset/used/a.3.csv"), "old");
  EXPECT_EQ(text("/dataset/a.csv"), "new");
}

TEST_F(DatasetFolderTest, is_an_error_where_the_data_set_is_in_neither_place) {
  EXPECT_EQ(folder.move_to_used("/dataset/a.csv", 3).error().code(), Code::kNotFound);
}

TEST_F(DatasetFolderTest, counts_duplicates_up) {
  for (int n = 1; n <= 3; ++n) {
    memory.put("/dataset/a.csv", "same");
    ASSERT_TRUE(folder.move_duplicate("/dataset/a.csv", 7, "{}"));
    const std::string target = "/dataset/rejected/a.7.duplicate-" + std::to_string(n) + ".csv";
    EXPECT_EQ(text(target), "same");
    EXPECT_EQ(text(target + ".reason.json"), "{}");
  }
  memory.put("/dataset/boston", "same");
  ASSERT_TRUE(folder.move_duplicate("/dataset/boston", 7, "{}"));
  EXPECT_EQ(text("/dataset/rejected/boston.7.duplicate-1"), "same");
}

TEST_F(DatasetFolderTest, makes_its_folders_again_and_again) {
  EXPECT_TRUE(folder.make_folders());
  EXPECT_TRUE(exists("/dataset/used"));
  EXPECT_TRUE(exists("/dataset/rejected"));
}

TEST_F(DatasetFolderTest, tells_when_a_data_set_came) {
  const WallTime began = clock.wall();
  const auto came = [&](const std::string& name) -> std::int64_t {
    const auto ready = folder.look();
    for (const Dataset& dataset : ready.value_or(std::vector<Dataset>{})) {
      if (store::base_name(dataset.identity.path) == name) return (dataset.came - began).count();
    }
    return -1;
  };
  memory.put("/dataset/a.csv", "x");
  memory.put("/staging/b.csv", "x");
  clock.advance(Millis{60'000});
  look();
  EXPECT_EQ(came("a.csv"), 0) << "the first look knows the time of change alone";
  clock.advance(Millis{60'000});
  look();
  clock.advance(Millis{1'000});
  ASSERT_TRUE(memory.rename("/staging/b.csv", "/dataset/b.csv"));
  clock.advance(Millis{1'000});
  look();
  clock.advance(Millis{60'000});
  EXPECT_EQ(came("b.csv"), 120'000) << "moved in since the look before";
  memory.put("/dataset/c.csv", "x");
  clock.advance(Millis{500});
  look();
  EXPECT_EQ(came("c.csv"), 182'000) << "written between two looks";
}

TEST_F(DatasetFolderTest, believes_no_time_that_lies_in_the_future) {
  SkewedClock slow(clock, Millis{-5 * 3'600'000});
  DatasetFolder own(store, "/dataset", slow);
  memory.put("/dataset/a.csv", "x");
  ASSERT_TRUE(own.look());
  EXPECT_EQ(own.look()->at(0).came, slow.wall());
  const WallTime came = slow.wall();
  slow.set_skew(Millis{-6 * 3'600'000});
  EXPECT_EQ(own.look()->at(0).came, came) << "put back by an hour";
  slow.set_skew(Millis{-9 * 3'600'000});
  EXPECT_EQ(own.look()->at(0).came, slow.wall()) << "wrong before";
}

TEST_F(DatasetFolderTest, looks_again_after_the_store_was_away) {
  memory.put("/dataset/a.csv", "x,y\n");
  look();
  memory.fail_next(Operation::kList, Error(Code::kUnavailable, "away"));
  EXPECT_FALSE(folder.look());
  EXPECT_EQ(look(), Names{"a.csv"});
}

}  // namespace
}  // namespace weir::registry
