#include "train/split_state.h"

#include <gtest/gtest.h>

#include <random>

#include "base/sha256.h"
#include "base/simulated_clock.h"
#include "base/text.h"
#include "store/memory_file_store.h"
#include "train/dataset_training.h"
#include "train/same_bytes.h"
#include "train/split_state_file.h"

namespace weir::train {
namespace {

const ProgressFunction kNoProgress = [](const TrainingProgress&) { return Status{}; };
const auto kStillWanted = [] { return Status{}; };

class SplitStateTest : public ::testing::Test {
 protected:
  SplitStateTest() {
    options.target = "y";
    options.drop_columns = {"name"};
    options.threads = 1;
    options.bad_rows_max = 1'000'000;
  }

  void put(const std::string& csv) { memory.put("/dataset/a.csv", csv); }

  std::string alone() {
    const auto dataset = folder.open(path);
    return outcome(train_on_dataset(memory, *dataset, options, kNoProgress));
  }
  std::vector<SplitState> states() {
    const auto dataset = folder.open(path);
    auto plan = plan_splits(memory, "memory:///", *dataset, options);
    EXPECT_TRUE(plan) << plan.error().message();
    std::vector<SplitState> all;
    for (const PlannedSplit& split : *plan) {
      auto state = read_split(memory, split);
      EXPECT_TRUE(state) << state.error().message();
      all.push_back(std::move(*state));
    }
    return all;
  }
  // Merged in whatever grouping, as long as neighbours are merged.
  std::string together() {
    std::vector<SplitState> all = states();
    while (all.size() > 1) {
      const std::size_t at = random() % (all.size() - 1);
      const Status merged = all[at].append(std::move(all[at + 1]));
      if (!merged) return merged.error().message();
      all.erase(all.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    }
    return outcome(fit_state(std::move(all.front()), memory.url(""), kStillWanted));
  }

  // Everything that may differ, in one text, but for the digests: bytes that were read apart have
  // another one than those that were read as a whole.
  static std::string outcome(Result<TrainedModel> trained) {
    if (!trained) return trained.error().message();
    trained->manifest.dataset_sha256 = "";
    trained->manifest.splits_sha256 = "";
    return trained->model_json + trained->test_csv + trained->manifest.to_json();
  }

  SimulatedClock clock;
  store::MemoryFileStore memory{clock};
  registry::DatasetFolder folder{memory, "/dataset", clock};
  std::string path = "/dataset/a.csv";
  TrainingOptions options;
  std::mt19937 random{7};
};

std::string number(std::mt19937& random) {
  return format_double(static_cast<double>(random() % 1000) / 8);
}

// A cell with all that may stand in quotes, or without any.
std::string name(std::mt19937& random) {
  static constexpr std::string_view kAlphabet[] = {"a",    "b",    ",", "\n",
                                                   "\"\"", "\r\n", "1", "\"\""};
  if (random() % 3 == 0) return "plain";
  std::string cell = "\"";
  for (std::size_t left = random() % 12; left > 0; --left) cell += kAlphabet[random() % 8];
  return cell + "\"";
}

std::string quoted_table(std::mt19937& random, std::size_t rows) {
  std::string csv = "x,name,y\n";
  for (std::size_t i = 0; i < rows; ++i) {
    csv += number(random) + "," + name(random) + "," + number(random);
    csv += random() % 4 == 0 ? "\r\n" : "\n";
  }
  if (random() % 2 == 0) csv.pop_back();
  return csv;
}

TEST_F(SplitStateTest, makes_the_same_bits_as_one_machine_wherever_a_quoted_table_is_cut) {
  const std::string csv = quoted_table(random, 60);
  put(csv);
  for (std::uint64_t bytes = 1; bytes <= csv.size() + 1; bytes += bytes < 150 ? 1 : 61) {
    options.split_bytes = bytes;
    const std::string expected = alone();
    ASSERT_NE(expected.find("weirkeeper-manifest"), std::string::npos) << expected;
    ASSERT_EQ(together(), expected) << bytes;
  }
}

TEST_F(SplitStateTest, makes_the_same_bits_of_many_tables_and_folders_of_them) {
  for (int round = 0; round < 150; ++round) {
    path = "/dataset/run" + std::to_string(round);
    memory.put(path + "/_SUCCESS", "");
    const int parts = 1 + static_cast<int>(random() % 3);
    for (int part = 0; part < parts; ++part) {
      memory.put(path + "/part-" + std::to_string(part), quoted_table(random, 10 + random() % 40));
    }
    options.split_bytes = 1 + random() % 600;
    options.algorithm = round % 10 == 0 ? "auto" : "linear";
    options.boosted = {3, 2, 0.3, 20};
    options.sample_rows_max = 1 + random() % 20;
    const std::string expected = alone();
    ASSERT_NE(expected.find("weirkeeper-manifest"), std::string::npos) << expected;
    ASSERT_EQ(together(), expected) << round;
  }
}

TEST_F(SplitStateTest, makes_the_same_bits_of_categories_and_gaps_by_way_of_files) {
  options.drop_columns = {};
  options.features.missing = "mean";
  options.features.interactions = {"x*zone"};
  options.boosted = {3, 2, 0.3, 50};
  static constexpr std::string_view kZones[] = {"north", "\"so,uth\"", "", "7", "\"we\nst\""};
  for (int round = 0; round < 20; ++round) {
    std::string csv = "x,zone,y\n";
    for (int i = 0; i < 150; ++i) {
      csv += (random() % 9 == 0 ? "NA" : number(random)) + ",";
      csv += std::string(kZones[random() % 5]) + "," + number(random) + "\n";
    }
    put(csv);
    options.split_bytes = 1 + random() % 900;
    options.algorithm = round % 2 == 0 ? "auto" : "linear";
    const std::string expected = alone();
    ASSERT_NE(expected.find("\"prepared\""), std::string::npos) << expected;
    ASSERT_EQ(together(), expected) << round;
    std::vector<SplitState> all;
    for (const SplitState& state : states()) {
      const auto bytes = state_file(state);
      ASSERT_TRUE(bytes) << bytes.error().message();
      std::string_view rest = *bytes;
      auto read = take_state(rest);
      ASSERT_TRUE(read) << read.error().message();
      all.push_back(std::move(*read));
    }
    for (std::size_t i = 1; i < all.size(); ++i) ASSERT_TRUE(all[0].append(std::move(all[i])));
    ASSERT_EQ(outcome(fit_state(std::move(all.front()), memory.url(""), kStillWanted)), expected);
  }
}

TEST_F(SplitStateTest, comes_to_the_same_verdict_on_bytes_that_are_no_table) {
  static constexpr std::string_view kAlphabet = "12,,,,\n\n\n\r\"\"\"\"a";
  int refused = 0;
  for (int round = 0; round < 600; ++round) {
    std::string csv = "x,name,y\n";
    for (int i = 0; i < 10; ++i) csv += number(random) + ",a," + number(random) + "\n";
    const std::size_t size = random() % 300;
    for (std::size_t i = 0; i < size; ++i) csv += kAlphabet[random() % kAlphabet.size()];
    if (round % 5 == 0) csv += std::string(random() % 50, '"');
    put(csv);
    options.split_bytes = 1 + random() % 100;
    options.record_bytes_max = round % 3 == 0 ? 20 : 1000;
    const std::string expected = alone();
    if (expected.find("weirkeeper-manifest") == std::string::npos) ++refused;
    // Whether a quote was open when a record grew too long depends on how many bytes came at once.
    const auto without_quote = [](const std::string& text) {
      return text.substr(0, text.find("; a quote in line"));
    };
    ASSERT_EQ(without_quote(together()), without_quote(expected)) << round << ":\n" << csv;
  }
  EXPECT_GT(refused, 100);
  EXPECT_LT(refused, 500);
}

TEST_F(SplitStateTest, tells_the_true_lines_of_bad_rows_and_faults) {
  std::string csv = "x,name,y\n";
  for (int i = 2; i < 100; ++i) csv += i == 77 ? "1,a,bad\n" : "1,a,2\n";
  options.split_bytes = 64;
  options.bad_rows_max = 0;
  put(csv);
  EXPECT_NE(together().find("line 77, column 3 'y'"), std::string::npos) << together();
  put(csv + "3,\"a,2\n4,a,3\n");
  EXPECT_NE(together().find("line 100: a quote that is never closed"), std::string::npos)
      << together();
}

TEST_F(SplitStateTest, refuses_a_part_with_another_header_by_its_name) {
  path = "/dataset/run";
  memory.put("/dataset/run/_SUCCESS", "");
  memory.put("/dataset/run/part-0", "x,name,y\n1,a,2\n");
  memory.put("/dataset/run/part-1", "name,x,y\n1,a,2\n");
  EXPECT_EQ(together(), alone());
  EXPECT_NE(together().find("part-1: its header differs"), std::string::npos) << together();
}

TEST_F(SplitStateTest, holds_a_second_beginning_only_where_a_quote_allows_it) {
  std::string csv = "x,name,y\n";
  for (int i = 0; i < 100; ++i) csv += "1,a,2\n";
  put(csv);
  options.split_bytes = 64;
  options.record_bytes_max = 50;
  const std::vector<SplitState> all = states();
  ASSERT_EQ(all.size(), 10U);
  EXPECT_EQ(all[0].alternatives.size(), 1U);
  ASSERT_EQ(all[1].alternatives.size(), 2U);
  EXPECT_TRUE(all[1].alternatives[0].totals);
  EXPECT_TRUE(all[1].alternatives[1].fault) << "no record is so long";
}

TEST_F(SplitStateTest, refuses_to_fit_what_is_not_whole) {
  put(quoted_table(random, 50));
  options.split_bytes = 100;
  std::vector<SplitState> all = states();
  ASSERT_GT(all.size(), 3U);
  ASSERT_TRUE(all[0].append(std::move(all[1])));
  const auto trained = fit_state(std::move(all[0]), "", kStillWanted);
  ASSERT_FALSE(trained);
  EXPECT_EQ(trained.error().code(), Code::kInvalidArgument);
}

TEST_F(SplitStateTest, refuses_a_file_that_was_replaced_since_it_was_planned) {
  put("x,name,y\n1,a,2\n");
  const auto plan = plan_splits(memory, "memory:///", *folder.open(path), options);
  clock.advance(Millis{5});
  put("x,name,y\n1,a,3\n");
  const auto state = read_split(memory, plan->front());
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code(), Code::kNotFound);
}

TEST_F(SplitStateTest, blames_no_data_for_a_plan_that_is_none) {
  put("x,name,y\n1,a,2\n");
  PlannedSplit split = plan_splits(memory, "memory:///", *folder.open(path), options)->front();
  Plan other = *split.plan;
  other.header = "x,name,z";
  split.plan = std::make_shared<const Plan>(other);
  const auto state = read_split(memory, split);
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code(), Code::kInvalidArgument);
  EXPECT_NE(state.error().message().find("the plan: "), std::string::npos);
}

TEST_F(SplitStateTest, trains_on_no_file_that_is_longer_or_shorter_than_it_was_listed) {
  put(quoted_table(random, 50));
  const registry::Dataset dataset = *folder.open(path);
  for (const std::size_t rows : {40, 60}) {
    put(quoted_table(random, rows));
    const auto trained = train_on_dataset(memory, dataset, options, kNoProgress);
    ASSERT_FALSE(trained);
    EXPECT_EQ(trained.error().code(), Code::kNotFound) << trained.error().message();
  }
}

class SplitsOnThreads : public SplitStateTest {};

TEST_F(SplitsOnThreads, give_the_same_bits_on_any_number_of_them) {
  put(quoted_table(random, 60'000));
  options.split_bytes = 150'000;
  const std::string one = alone();
  for (const unsigned threads : {2U, 5U}) {
    options.threads = threads;
    ASSERT_EQ(alone(), one);
  }
}

TEST_F(SplitStateTest, gives_a_digest_that_anyone_can_compute) {
  put("x,name,y\n" + std::string("1,a,2\n3,b,5\n4,c,1\n2,d,2\n5,d,9\n1,1,1\n1,2,1\n"));
  options.split_bytes = 20;
  options.test_fraction = 0;
  const auto whole = read_all(memory, path, 1000);
  std::string h[3];
  for (int i = 0; i < 3; ++i) h[i] = sha256_hex(std::string_view(*whole).substr(20 * i, 20));
  const auto dataset = folder.open(path);
  auto trained = train_on_dataset(memory, *dataset, options, kNoProgress);
  ASSERT_TRUE(trained) << trained.error().message();
  EXPECT_EQ(trained->manifest.dataset_sha256, sha256_hex(*whole));
  EXPECT_EQ(trained->manifest.splits_sha256, "");
  EXPECT_TRUE(*has_bytes_of(memory, *dataset, trained->manifest));
  std::vector<SplitState> all = states();
  for (std::size_t i = 1; i < all.size(); ++i) ASSERT_TRUE(all[0].append(std::move(all[i])));
  trained = fit_state(std::move(all.front()), memory.url(""), kStillWanted);
  ASSERT_TRUE(trained) << trained.error().message();
  EXPECT_EQ(trained->manifest.dataset_sha256, "");
  EXPECT_EQ(trained->manifest.splits_sha256, sha256_hex(sha256_hex(h[0] + h[1]) + h[2]));
  EXPECT_EQ(trained->manifest.split_bytes, 20U);
  EXPECT_TRUE(*has_bytes_of(memory, *dataset, trained->manifest));
  memory.put(path, *whole + "6,e,7\n");
  EXPECT_FALSE(*has_bytes_of(memory, *folder.open(path), trained->manifest));
}

}  // namespace
}  // namespace weir::train
