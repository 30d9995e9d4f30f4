#include "train/split_state_file.h"

#include <gtest/gtest.h>

#include <bit>

#include "base/sha256.h"
#include "base/simulated_clock.h"
#include "base/text.h"
#include "store/memory_file_store.h"
#include "train/dataset_training.h"
#include "train/plan_json.h"

namespace weir::train {
namespace {

class SplitStateFile : public ::testing::Test {
 protected:
  SplitStateFile() {
    options.target = "y";
    options.drop_columns = {"name"};
    options.split_bytes = 100;
    options.sample_rows_max = 8;
    options.bad_rows_max = 100;
    std::string csv = "x,name,y\n";
    for (int i = 0; i < 60; ++i) {
      csv += std::to_string(i * i % 17) + (i % 3 == 0 ? ",\"a\n\"\"b\"," : ",plain,") +
             (i % 11 == 5 ? "bad" : std::to_string(i % 7)) + "\n";
    }
    put(csv);
  }

  void put(const std::string& csv) { memory.put("/dataset/a.csv", csv); }
  std::vector<PlannedSplit> plan() {
    auto splits = plan_splits(memory, "memory://x", *folder.open("/dataset/a.csv"), options);
    EXPECT_TRUE(splits) << splits.error().message();
    return std::move(*splits);
  }
  std::string file(const PlannedSplit& split) { return *state_file(*read_split(memory, split)); }

  SimulatedClock clock;
  store::MemoryFileStore memory{clock};
  registry::DatasetFolder folder{memory, "/dataset", clock};
  TrainingOptions options;
};

TEST_F(SplitStateFile, brings_all_that_makes_a_model_from_worker_to_worker) {
  for (const char* algorithm : {"linear", "auto"}) {
    options.algorithm = algorithm;
    options.boosted = {3, 2, 0.3, 20};
    const auto alone = train_on_dataset(memory, *folder.open("/dataset/a.csv"), options,
                                        [](const auto&) { return Status{}; });
    ASSERT_TRUE(alone) << alone.error().message();
    std::string run;
    for (const PlannedSplit& split : plan()) {
      const std::string one = file(split);
      std::string_view one_rest = one;
      SplitState state = *take_state(one_rest);
      EXPECT_EQ(*state_file(state), one);
      if (!run.empty()) {
        std::string_view rest = run;
        SplitState before = *take_state(rest);
        ASSERT_TRUE(before.append(std::move(state)));
        run = *state_file(before);
      } else {
        run = one;
      }
    }
    std::string_view rest = run;
    const auto together = fit_state(*take_state(rest), "", [] { return Status{}; });
    ASSERT_TRUE(together) << together.error().message();
    EXPECT_EQ(together->model_json, alone->model_json);
    EXPECT_EQ(together->test_csv, alone->test_csv);
    EXPECT_EQ(together->manifest.refused_by_reason, alone->manifest.refused_by_reason);
    EXPECT_GT(together->manifest.rows_refused, 0U);
  }
}

TEST_F(SplitStateFile, is_the_same_bytes_each_time_it_is_made) {
  for (const PlannedSplit& split : plan()) EXPECT_EQ(file(split), file(split));
}

TEST_F(SplitStateFile, holds_faults_too) {
  put("x,name,y\n1,a,2\n3,\"b,4\n");
  const std::string bytes = file(plan().front());
  std::string_view rest = bytes;
  const auto state = take_state(rest);
  ASSERT_TRUE(state) << state.error().message();
  ASSERT_TRUE(state->alternatives.front().fault);
  EXPECT_EQ(state->alternatives.front().fault->text(), "line 3: a quote that is never closed");
  EXPECT_EQ(*state_file(*state), bytes);
}

TEST_F(SplitStateFile, is_refused_with_any_bit_flipped_or_any_end_missing) {
  const std::string bytes = file(plan()[1]);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string_view cut = std::string_view(bytes).substr(0, at);
    ASSERT_FALSE(take_state(cut)) << at;
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 1 << at % 8);
    std::string_view rest = flipped;
    ASSERT_FALSE(take_state(rest)) << at;
  }
}

TEST_F(SplitStateFile, with_a_seal_that_fits_is_still_refused_or_harmless_whatever_it_says) {
  const std::string bytes = file(plan()[1]);
  int taken = 0;
  for (std::size_t at = kStateMagic.size() + 12; at + 32 < bytes.size(); ++at) {
    for (const int mask : {0x01, 0x80, 0xff}) {
      std::string body = bytes.substr(0, bytes.size() - 32);
      body[at] = static_cast<char>(body[at] ^ mask);
      const std::string sealed = body + *from_hex(sha256_hex(body));
      std::string_view rest = sealed;
      const auto state = take_state(rest);
      taken += state ? 1 : 0;
    }
  }
  EXPECT_GT(taken, 0) << "some numbers may be any number";
}

TEST_F(SplitStateFile, stands_before_another_one) {
  const auto splits = plan();
  const std::string both = file(splits[0]) + file(splits[1]);
  std::string_view rest = both;
  EXPECT_EQ(take_state(rest)->first, 0U);
  EXPECT_EQ(take_state(rest)->first, 1U);
  EXPECT_TRUE(rest.empty());
}

TEST_F(SplitStateFile, a_planned_split_is_read_back_from_its_line) {
  options.ridge = std::nullopt;
  options.test_fraction = 0.1;
  std::shared_ptr<const Plan> known;
  for (const PlannedSplit& split : plan()) {
    const std::string line = *split_line(split);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    const auto read = parse_split_line(line, known);
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(*split_line(*read), line);
    EXPECT_TRUE(!known || read->plan == known);
    known = read->plan;
    EXPECT_EQ(file(*read), file(split));
  }
}

TEST_F(SplitStateFile, a_line_that_was_changed_or_is_none_is_refused) {
  const std::string line = *split_line(plan()[1]);
  const auto refusal = [&](const std::string& from, const std::string& to) {
    std::string changed = line;
    changed.replace(changed.find(from), from.size(), to);
    const auto read = parse_split_line(changed);
    EXPECT_FALSE(read) << changed;
    return read ? "" : read.error().message();
  };
  EXPECT_NE(refusal("\"seed\":1", "\"seed\":2").find("plan_sha256"), std::string::npos);
  EXPECT_NE(refusal("\"offset\":100", "\"offset\":101").find("do not fit"), std::string::npos);
  EXPECT_NE(refusal("\"length\":100", "\"length\":-100").find("no count"), std::string::npos);
  EXPECT_NE(refusal("\"weir_split\":2", "\"weir_split\":1").find("version"), std::string::npos);
  EXPECT_NE(refusal("/dataset/a.csv", "/dataset/../a").find(".."), std::string::npos);
  EXPECT_NE(refusal("{", "").find("not a line"), std::string::npos);
  for (std::size_t length = 0; length < line.size(); ++length) {
    ASSERT_FALSE(parse_split_line(std::string_view(line).substr(0, length)));
  }
}

TEST_F(SplitStateFile, two_plans_are_told_apart_by_what_differs) {
  const Plan one = *plan().front().plan;
  Plan other = one;
  EXPECT_EQ(difference(one, other), "");
  other.options.seed = 2;
  EXPECT_EQ(difference(one, other), "options.seed: 1 and 2");
  other = one;
  record::Inputs inputs;
  inputs.columns = {{}};
  other.columns.preparation = *model::Preparation::make(
      {{"x"}, "y"}, inputs, {0}, {{"x", {{model::Factor::Kind::kValue, 0, 0}}, 0, 2}});
  EXPECT_EQ(difference(one, other).substr(0, 25), "columns.preparation: null");
  EXPECT_EQ(difference(other, one).substr(0, 22), "columns.preparation: {");
  other = one;
  other.header = "x,y";
  EXPECT_EQ(difference(one, other), "header: \"x,name,y\" and \"x,y\"");
}

}  // namespace
}  // namespace weir::train
