#include "train/engine_training.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>

#include "base/simulated_clock.h"
#include "store/memory_file_store.h"
#include "train/counting_store_test.h"
#include "train/plan_json.h"
#include "train/split_merge.h"
#include "train/split_state_file.h"

namespace weir::train {
namespace {

// As a cluster would: each split by itself, from its line alone, in any order, and merged in
// groups.
class FakeEngine final : public SplitEngine {
 public:
  explicit FakeEngine(store::FileStore& store) : store_(store) {}

  Result<std::string> read_splits(const std::vector<std::string>& lines,
                                  const SplitProgress& progress) override {
    ++jobs;
    if (fails && jobs >= fails_from) return fail(*fails);
    std::vector<std::string> shuffled = lines;
    std::shuffle(shuffled.begin(), shuffled.end(), random_);
    shuffled.resize(shuffled.size() - std::min(loses, shuffled.size()));
    std::vector<SplitState> states;
    for (std::size_t i = 0; i < shuffled.size(); ++i) {
      WEIR_TRY(progress(static_cast<double>(i) / static_cast<double>(shuffled.size())));
      states.push_back(WEIR_TRY(read_split(store_, WEIR_TRY(parse_split_line(shuffled[i])))));
    }
    std::string bytes;
    for (const auto& state : WEIR_TRY(merge_states(std::move(states), Duplicates::kRefuse))) {
      bytes += WEIR_TRY(state_file(state));
    }
    if (flips_a_bit) bytes[bytes.size() / 2] ^= 4;
    return bytes;
  }

  int jobs = 0;
  std::optional<Error> fails;
  int fails_from = 1;  // the job
  std::size_t loses = 0;
  bool flips_a_bit = false;

 private:
  store::FileStore& store_;
  std::mt19937 random_{3};
};

class EngineTraining : public ::testing::Test {
 protected:
  EngineTraining() {
    options.target = "y";
    options.threads = 1;
    options.split_bytes = 100;
  }
  void put_numbers() {
    std::string csv = "x,z,y\n";
    for (int i = 0; i < 200; ++i) {
      csv += std::to_string(i * 7 % 50) + "," + std::to_string(i * 3 % 11) + "," +
             std::to_string(i * 7 % 50 * 2 + i % 5) + "\n";
    }
    memory.put("/dataset/a.csv", csv);
  }
  // Of numbers for more than a megabyte, and then no more.
  void put_late_texts() {
    options.split_bytes = 500'000;
    std::string csv = "x,z,y\n";
    for (int i = 0; i < 200'000; ++i) {
      csv += std::to_string(i % 97) + ",1," + std::to_string(i % 97) + "\n";
    }
    for (int i = 0; i < 300'000; ++i) csv += "5,red,5\n";
    memory.put("/dataset/a.csv", csv);
  }
  Result<TrainedModel> alone() {
    return train_on_dataset(memory, *folder.open("/dataset/a.csv"), options, keep_going);
  }
  Result<TrainedModel> by_engine() {
    return train_on_engine(memory, "memory:///", *folder.open("/dataset/a.csv"), options, engine,
                           keep_going);
  }
  static std::string outcome(Result<TrainedModel> trained) {
    if (!trained) return trained.error().message();
    trained->manifest.dataset_sha256 = "";
    trained->manifest.splits_sha256 = "";
    return trained->model_json + trained->test_csv + trained->manifest.to_json();
  }

  SimulatedClock clock;
  store::MemoryFileStore memory{clock};
  registry::DatasetFolder folder{memory, "/dataset", clock};
  TrainingOptions options;
  FakeEngine engine{memory};
  std::vector<std::uint64_t> told;
  const ProgressFunction keep_going = [this](const TrainingProgress& now) {
    told.push_back(now.bytes);
    return Status();
  };
};

TEST_F(EngineTraining, makes_the_same_bits_as_this_machine_does) {
  put_numbers();
  const std::string expected = outcome(alone());
  ASSERT_NE(expected.find("weirkeeper-manifest"), std::string::npos) << expected;
  EXPECT_EQ(outcome(by_engine()), expected);
  EXPECT_EQ(engine.jobs, 1);
  EXPECT_GT(told.size(), 15u);
  // The look at the first bytes tells of itself before the job begins at 0.
  const auto job = std::find(told.begin(), told.end(), 0u);
  EXPECT_GT(told.end() - job, 15);
  EXPECT_TRUE(std::is_sorted(job, told.end())) << testing::PrintToString(told);
}

TEST_F(EngineTraining, looks_at_all_rows_where_numbers_turn_out_to_be_texts) {
  put_late_texts();
  const std::string expected = outcome(alone());
  ASSERT_NE(expected.find("z=1"), std::string::npos) << expected.substr(0, 3000);
  EXPECT_EQ(outcome(by_engine()), expected);
  EXPECT_EQ(engine.jobs, 3) << "the model, the look at all rows, and the model again";
}

TEST_F(EngineTraining, has_what_all_rows_teach_found_elsewhere_and_reads_no_more_than_a_megabyte) {
  options.features.missing = "mean";
  options.features.standardise = true;
  options.split_bytes = 300'000;
  std::string csv = "x,z,y\n";
  for (int i = 0; i < 150'000; ++i) {
    csv += (i % 13 == 0 ? "NA" : std::to_string(i * 7 % 5'000)) +
           (i % 3 == 0 ? ",red," : ",\"b\nlue\",") + std::to_string(i % 97) + "\n";
  }
  memory.put("/dataset/a.csv", csv);
  ASSERT_GT(csv.size(), 2 * kProfiledFirst);
  const std::string expected = outcome(alone());
  ASSERT_NE(expected.find("x is missing"), std::string::npos) << expected.substr(0, 3000);
  CountingStore counting(memory);
  EXPECT_EQ(outcome(train_on_engine(counting, "memory:///", *folder.open("/dataset/a.csv"), options,
                                    engine, keep_going)),
            expected);
  EXPECT_EQ(engine.jobs, 2);
  EXPECT_LT(counting.bytes, kProfiledFirst + 200'000) << "the first megabyte, and the header twice";
}

TEST_F(EngineTraining, gives_the_verdict_of_this_machine_on_what_cannot_be_looked_through) {
  options.features.missing = "mean";
  options.split_bytes = 300'000;
  std::string csv = "x,z,y\n";
  while (csv.size() < kProfiledFirst + 100'000) csv += "1,red,2\n1,blue,2\n";
  for (const char* const end : {"3,\"blue,4\n", ""}) {
    memory.put("/dataset/a.csv", csv + end);
    options.features.log = {end[0] == 0 ? "z" : "x"};  // or a plan that cannot be
    const auto local = alone();
    const auto engines = by_engine();
    ASSERT_FALSE(local || engines);
    EXPECT_EQ(engines.error().code(), Code::kBadData);
    EXPECT_EQ(engines.error().message(), local.error().message());
  }
}

// As on one machine, it is not the rows' number that the data set is refused for then.
TEST_F(EngineTraining, tells_of_data_that_cannot_be_read_at_the_second_look) {
  put_late_texts();
  engine.fails = Error(Code::kCorrupt, "while reading split 3: the file has only 7 bytes");
  engine.fails_from = 2;
  const auto trained = by_engine();
  ASSERT_FALSE(trained);
  EXPECT_EQ(trained.error().code(), Code::kCorrupt);
  EXPECT_NE(trained.error().message().find("only 7 bytes"), std::string::npos);
  EXPECT_EQ(engine.jobs, 2);
}

TEST_F(EngineTraining, gives_the_verdict_of_this_machine_on_bad_rows) {
  options.split_bytes = 1'000'000;
  memory.put("/dataset/a.csv", "x,z,y\n1,2,3\n4,5\n6,7,8\n");
  const auto local = alone();
  const auto engines = by_engine();
  ASSERT_FALSE(local || engines);
  EXPECT_EQ(engines.error().code(), Code::kBadData);
  EXPECT_EQ(engines.error().message(), local.error().message());
}

TEST_F(EngineTraining, takes_no_state_that_is_not_whole_and_blames_no_data_set_for_it) {
  put_numbers();
  engine.loses = 2;
  auto trained = by_engine();
  ASSERT_FALSE(trained);
  EXPECT_EQ(trained.error().code(), Code::kUnavailable);
  EXPECT_NE(trained.error().message().find("missing"), std::string::npos);
  engine.loses = 0;
  engine.flips_a_bit = true;
  trained = by_engine();
  ASSERT_FALSE(trained);
  EXPECT_EQ(trained.error().code(), Code::kUnavailable);
}

TEST_F(EngineTraining, passes_on_why_the_engine_failed_and_that_it_is_wanted_no_more) {
  put_numbers();
  engine.fails = Error(Code::kExhausted, "no room on the cluster");
  auto trained = by_engine();
  ASSERT_FALSE(trained);
  EXPECT_EQ(trained.error().code(), Code::kExhausted);
  EXPECT_NE(trained.error().message().find("no room on the cluster"), std::string::npos);
  engine.fails.reset();
  int left = 5;
  trained = train_on_engine(memory, "memory:///", *folder.open("/dataset/a.csv"), options, engine,
                            [&](const TrainingProgress&) -> Status {
                              if (left-- > 0) return {};
                              return fail(Code::kCancelled, "stopped");
                            });
  ASSERT_FALSE(trained);
  EXPECT_EQ(trained.error().code(), Code::kCancelled);
}

}  // namespace
}  // namespace weir::train
