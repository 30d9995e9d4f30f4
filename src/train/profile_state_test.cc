#include "train/profile_state.h"

#include <gtest/gtest.h>

#include <random>

#include "base/sha256.h"
#include "base/simulated_clock.h"
#include "base/text.h"
#include "store/memory_file_store.h"
#include "train/column_plan.h"
#include "train/counting_store_test.h"
#include "train/plan_json.h"
#include "train/split_merge.h"
#include "train/split_state_file.h"

namespace weir::train {
namespace {

class ProfileState : public ::testing::Test {
 protected:
  ProfileState() {
    options.target = "y";
    options.threads = 1;
    options.features.missing = "median";
    options.features.standardise = true;
  }

  void put(const std::string& csv) { memory.put("/dataset/a.csv", csv); }
  registry::Dataset dataset() { return *folder.open(path); }

  std::vector<PlannedSplit> plan() {
    auto splits = plan_profile(memory, "memory:///", dataset(), options);
    EXPECT_TRUE(splits) << splits.error().message();
    return std::move(*splits);
  }
  // As workers would: from the line alone, as a file.
  std::string file(const PlannedSplit& split) {
    const auto state = read_split(memory, *parse_split_line(*split_line(split)));
    EXPECT_TRUE(state) << state.error().message();
    return *state_file(*state);
  }
  static SplitState read(std::string_view bytes) {
    auto state = take_state(bytes);
    EXPECT_TRUE(state) << state.error().message();
    return std::move(*state);
  }
  // Merged in whatever grouping, as long as neighbours are merged; by way of files each time.
  SplitState together() {
    std::vector<std::string> all;
    for (const PlannedSplit& split : plan()) all.push_back(file(split));
    while (all.size() > 1) {
      const std::size_t at = random() % (all.size() - 1);
      SplitState left = read(all[at]);
      const Status merged = left.append(read(all[at + 1]));
      EXPECT_TRUE(merged) << merged.error().message();
      all[at] = *state_file(left);
      all.erase(all.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    }
    return read(all.front());
  }
  static std::string bytes_of(Result<format::DatasetProfile> profile) {
    if (!profile) return profile.error().message();
    ByteWriter to;
    profile->save_rest(to);
    profile->take_figures().save(to);
    return to.take();
  }
  std::string by_workers() { return bytes_of(profile_of(together(), memory.url(""))); }
  std::string alone() {
    return bytes_of(
        profile_all_rows(memory, dataset(), options, [](std::uint64_t) { return Status(); }));
  }
  static std::string text(const Result<std::vector<PlannedSplit>>& splits) {
    if (!splits) return splits.error().message();
    std::string lines;
    for (const PlannedSplit& split : *splits) lines += *split_line(split) + "\n";
    return lines;
  }

  SimulatedClock clock;
  store::MemoryFileStore memory{clock};
  registry::DatasetFolder folder{memory, "/dataset", clock};
  std::string path = "/dataset/a.csv";
  TrainingOptions options;
  std::mt19937 random{7};
};

std::string number(std::mt19937& random) {
  return format_double(static_cast<double>(random() % 1000) / 7);
}

// With gaps, categories of all that may stand in quotes, and moments.
std::string table(std::mt19937& random, std::size_t rows) {
  static constexpr std::string_view kNames[] = {
      "plain", "\"a,b\"", "\"two\nlines\"", "", "\"\"\"\n\r\n\"\"\"", "\"\n\n\n\""};
  std::string csv = "x,name,when,y\n";
  for (std::size_t i = 0; i < rows; ++i) {
    csv += random() % 9 == 0 ? "NA" : number(random);
    csv += "," + std::string(kNames[random() % 6]) + ",2026-11-";
    csv += std::to_string(10 + random() % 20) + "," + number(random);
    csv += random() % 4 == 0 ? "\r\n" : "\n";
  }
  if (random() % 2 == 0) csv.pop_back();
  return csv;
}

TEST_F(ProfileState, has_the_bits_of_one_machine_wherever_a_quoted_table_is_cut) {
  const std::string csv = table(random, 60);
  put(csv);
  for (std::uint64_t bytes = 1; bytes <= csv.size() + 1; bytes += bytes < 60 ? 1 : 61) {
    options.split_bytes = bytes;
    const std::string expected = alone();
    ASSERT_EQ(expected.find("while"), std::string::npos) << expected;
    ASSERT_EQ(by_workers(), expected) << bytes;
  }
}

TEST_F(ProfileState, has_the_bits_of_one_machine_of_folders_of_tables) {
  for (int round = 0; round < 40; ++round) {
    path = "/dataset/run" + std::to_string(round);
    memory.put(path + "/_SUCCESS", "");
    const int parts = 1 + static_cast<int>(random() % 3);
    for (int part = 0; part < parts; ++part) {
      memory.put(path + "/part-" + std::to_string(part), table(random, 10 + random() % 40));
    }
    options.split_bytes = 1 + random() % 600;
    options.features.missing = round % 2 == 0 ? "mean" : "median";
    ASSERT_EQ(by_workers(), alone()) << round;
  }
}

TEST_F(ProfileState, comes_to_the_verdict_of_one_machine_on_bytes_that_are_no_table) {
  static constexpr std::string_view kAlphabet = "12,,,,\n\n\n\r\"\"\"\"a";
  int refused = 0;
  for (int round = 0; round < 300; ++round) {
    std::string csv = "x,name,y\n";
    for (int i = 0; i < round % 10; ++i) csv += number(random) + ",a," + number(random) + "\n";
    for (std::size_t left = random() % 300; left > 0; --left) {
      csv += kAlphabet[random() % kAlphabet.size()];
    }
    put(csv);
    options.split_bytes = 1 + random() % 100;
    options.record_bytes_max = round % 3 == 0 ? 20 : 1000;
    const std::string expected = alone();
    if (expected.find("while looking through") != std::string::npos) ++refused;
    // Whether a quote was open when a record grew too long depends on how many bytes came at once.
    const auto without_quote = [](const std::string& message) {
      return message.substr(0, message.find("; a quote in line"));
    };
    ASSERT_EQ(without_quote(by_workers()), without_quote(expected)) << round << ":\n" << csv;
  }
  EXPECT_GT(refused, 50);
  EXPECT_LT(refused, 250);
}

TEST_F(ProfileState, makes_the_plan_of_one_machine_without_reading_the_rows) {
  put(table(random, 30'000));
  options.split_bytes = 100'000;
  const std::string expected = text(plan_splits(memory, "memory:///", dataset(), options));
  ASSERT_NE(expected.find("\"from_all_rows\":true"), std::string::npos) << expected.substr(0, 999);
  SplitState profile = together();
  CountingStore counting(memory);
  const auto made = plan_by_profile(counting, "memory:///", dataset(), options, std::move(profile));
  EXPECT_EQ(text(made), expected);
  EXPECT_LT(counting.bytes, 200'000u) << "the header, twice";
}

TEST_F(ProfileState, is_taken_for_no_other_data_set_and_no_other_settings) {
  put(table(random, 50));
  const auto refusal = [&](SplitState profile) {
    return text(plan_by_profile(memory, "memory:///", dataset(), options, std::move(profile)));
  };
  SplitState profile = together();
  options.features.missing = "mean";
  EXPECT_NE(refusal(std::move(profile))
                .find("of other settings: options.features.missing: \"mean\" and \"median\""),
            std::string::npos);
  profile = together();
  clock.advance(Millis{5});
  put(table(random, 50));
  EXPECT_NE(refusal(std::move(profile)).find("of another data set"), std::string::npos);
  const auto model = plan_splits(memory, "memory:///", dataset(), options);
  EXPECT_NE(refusal(*read_split(memory, model->front())).find("'weir fit'"), std::string::npos);
}

TEST_F(ProfileState, is_no_model_and_merges_with_none) {
  put(table(random, 50));
  options.split_bytes = 300;
  const auto fitted = fit_state(together(), "", [] { return Status(); });
  ASSERT_FALSE(fitted);
  EXPECT_EQ(fitted.error().code(), Code::kBadData);
  EXPECT_NE(fitted.error().message().find("--with-profile"), std::string::npos);
  const auto model = plan_splits(memory, "memory:///", dataset(), options);
  std::vector<SplitState> mixed;
  mixed.push_back(*read_split(memory, plan()[0]));
  mixed.push_back(*read_split(memory, (*model)[1]));
  const auto merged = merge_states(std::move(mixed), Duplicates::kRefuse);
  ASSERT_FALSE(merged);
  EXPECT_NE(merged.error().message().find("makes: \"profile\" and \"model\""), std::string::npos)
      << merged.error().message();
}

TEST_F(ProfileState, is_not_of_the_whole_where_splits_are_missing_or_come_twice) {
  put(table(random, 50));
  options.split_bytes = 300;
  const auto splits = plan();
  ASSERT_GT(splits.size(), 3u);
  std::vector<SplitState> some;
  for (const std::size_t at : {std::size_t{2}, std::size_t{0}, std::size_t{1}}) {
    some.push_back(read(file(splits[at])));
  }
  some = *merge_states(std::move(some), Duplicates::kRefuse);
  ASSERT_EQ(some.size(), 1u) << "in order";
  const auto profile = profile_of(read(*state_file(some.front())), "");
  ASSERT_FALSE(profile);
  EXPECT_EQ(profile.error().code(), Code::kInvalidArgument);
  some.push_back(read(file(splits[2])));
  const auto twice = merge_states(std::move(some), Duplicates::kRefuse);
  ASSERT_FALSE(twice);
  EXPECT_NE(twice.error().message().find("split 2 came in two states"), std::string::npos);
}

TEST_F(ProfileState, is_refused_with_any_bit_flipped_or_any_end_missing) {
  put(table(random, 20));
  options.split_bytes = 200;
  const std::string bytes = file(plan()[1]);
  EXPECT_EQ(bytes, file(plan()[1])) << "the same bytes each time it is made";
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string_view cut = std::string_view(bytes).substr(0, at);
    ASSERT_FALSE(take_state(cut)) << at;
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 1 << at % 8);
    std::string_view rest = flipped;
    ASSERT_FALSE(take_state(rest)) << at;
  }
}

TEST_F(ProfileState, with_a_seal_that_fits_is_refused_or_what_some_rows_may_come_to) {
  put(table(random, 20));
  options.split_bytes = 100'000;
  const std::string bytes = file(plan()[0]);
  const auto taken = [](std::string body) -> std::optional<SplitState> {
    const std::string sealed = body + *from_hex(sha256_hex(body));
    std::string_view rest = sealed;
    auto state = take_state(rest);
    if (!state) return std::nullopt;
    EXPECT_EQ(*state_file(*state), sealed);
    return std::move(*state);
  };
  int harmless = 0;
  for (std::size_t at = kStateMagic.size() + 12; at + 32 < bytes.size(); ++at) {
    for (const int mask : {0x01, 0x80, 0xff}) {
      std::string body = bytes.substr(0, bytes.size() - 32);
      body[at] = static_cast<char>(body[at] ^ mask);
      auto state = taken(std::move(body));
      if (!state) continue;
      ++harmless;
      const auto profile = profile_of(std::move(*state), "");
      if (profile) static_cast<void>(plan_columns(*profile, options));
    }
  }
  EXPECT_GT(harmless, 0) << "some numbers may be any number";
}

}  // namespace
}  // namespace weir::train
