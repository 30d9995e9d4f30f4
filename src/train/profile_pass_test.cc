#include "train/profile_pass.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/simulated_clock.h"
#include "base/text.h"
#include "store/forwarding_file_store.h"
#include "store/memory_file_store.h"

namespace weir::train {
namespace {

// Fails in the middle of a file, and reads some bytes at a time.
class BreakingStore final : public store::ForwardingFileStore {
 public:
  using ForwardingFileStore::ForwardingFileStore;
  Status read(const std::string& path, std::uint64_t offset, std::uint64_t length,
              const store::ByteSink& sink) override {
    std::uint64_t given = 0;
    return ForwardingFileStore::read(path, offset, length, [&](std::string_view bytes) -> Status {
      while (!bytes.empty()) {
        if (given >= fail_after) return fail(Code::kUnavailable, "the DataNode went away");
        const std::string_view piece = bytes.substr(0, 10'000);
        WEIR_TRY(sink(piece));
        given += piece.size();
        bytes.remove_prefix(piece.size());
      }
      return {};
    });
  }
  std::uint64_t fail_after = store::kToEnd;
};

class ProfilePass : public ::testing::Test {
 protected:
  ProfilePass() {
    options.target = "y";
    options.threads = 1;
    options.features.missing = "median";
  }

  Result<format::DatasetProfile> look(const std::string& path = "/dataset/a.csv") {
    return profile_all_rows(store, *folder.open(path), options, still_wanted);
  }
  Result<format::DatasetProfile> look_at(const std::string& csv) {
    memory.put("/dataset/a.csv", csv);
    return look();
  }
  std::string reason(const std::string& path = "/dataset/a.csv") {
    const auto profile = look(path);
    return profile ? "" : profile.error().message();
  }

  SimulatedClock clock;
  store::MemoryFileStore memory{clock};
  BreakingStore store{memory};
  registry::DatasetFolder folder{memory, "/dataset", clock};
  TrainingOptions options;
  StillWanted still_wanted = [](std::uint64_t) { return Status{}; };
};

class ProfilePassThreads : public ProfilePass {};

std::string exact(long double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%La", value);
  return text;
}

std::string exact(const format::NumberFigures& figures) {
  return std::to_string(figures.count) + " " + exact(figures.mean) + " " + exact(figures.m2) + " " +
         exact(figures.lowest) + " " + exact(figures.highest) + "\n";
}

// Everything but the figures, which depend on where a profile was merged.
std::string counted(const format::DatasetProfile& profile) {
  std::string text =
      std::to_string(profile.rows()) + " " + std::to_string(profile.malformed()) + "\n";
  for (const format::ColumnProfile& column : profile.columns()) {
    text += column.name + " " + std::to_string(column.missing) + " " +
            std::to_string(column.texts) + " " + std::to_string(column.odd_numbers) + " " +
            std::to_string(column.numbers.count) + " " + std::to_string(column.date_times.count) +
            " " + column.why_ignored() + "\n";
    for (const auto& [value, count] : column.values) {
      text += "  " + value + ": " + std::to_string(count) + "\n";
    }
    for (double fraction = 0; fraction <= 1; fraction += 0.05) {
      text += exact(column.number_quantiles.quantile(fraction)) + " " +
              exact(column.date_time_quantiles.quantile(fraction)) + "\n";
    }
  }
  return text;
}

std::string all_of(const format::DatasetProfile& profile) {
  std::string text = counted(profile);
  for (const auto& column : profile.columns()) {
    text += exact(column.numbers) + exact(column.date_times);
  }
  return text;
}

// As a single thread would, row after row.
format::DatasetProfile in_one_go(const std::string& csv, const TrainingOptions& options) {
  format::CsvChunker chunker({std::size_t{1} << 30});
  EXPECT_TRUE(chunker.feed(csv));
  EXPECT_TRUE(chunker.finish());
  format::DatasetProfile profile(*format::parse_csv_header(*chunker.header()),
                                 options.features.missing_words);
  while (const auto chunk = chunker.next()) profile.add(*chunk);
  return profile;
}

// Numbers, gaps, moments, categories with all that quotes may hold, and rows that are none.
std::string table(std::size_t rows) {
  static constexpr std::string_view kNames[] = {"plain", "\"a,b\"", "\"two\nlines\"",
                                                "\"\"\"\n\r\n\"\"\"", "\"\n\n\n\n\""};
  std::mt19937 random{7};
  std::string csv = "x,name,when,y\n";
  for (std::size_t i = 0; i < rows; ++i) {
    csv += random() % 9 == 0 ? "NA" : format_double(std::sin(i) * std::pow(10, i % 7));
    csv += "," + std::string(kNames[random() % 5]) + ",2026-11-";
    csv += std::to_string(10 + random() % 20) + "," + format_double(std::cos(i));
    csv += random() % 50 == 0 ? ",too,many\n" : "\n";
  }
  return csv;
}

TEST_F(ProfilePass, comes_to_what_one_thread_would_wherever_a_quoted_table_is_cut) {
  const std::string csv = table(60);
  const std::string expected = counted(in_one_go(csv, options));
  for (std::uint64_t bytes = 1; bytes <= csv.size() + 1; bytes += bytes < 150 ? 1 : 61) {
    options.split_bytes = bytes;
    const auto profile = look_at(csv);
    ASSERT_TRUE(profile) << profile.error().message();
    ASSERT_EQ(counted(*profile), expected) << bytes;
    const auto& x = profile->find("x")->numbers;
    const auto in_order = in_one_go(csv, options);
    ASSERT_EQ(x.lowest, in_order.find("x")->numbers.lowest);
    ASSERT_NEAR(x.deviation(), in_order.find("x")->numbers.deviation(), 1e-9);
  }
}

TEST_F(ProfilePass, has_the_very_figures_of_one_thread_where_there_is_one_chunk) {
  const std::string csv = table(1'000);
  EXPECT_EQ(all_of(*look_at(csv)), all_of(in_one_go(csv, options)));
}

TEST_F(ProfilePassThreads, has_the_same_bits_on_any_number_of_them) {
  const std::string csv = table(40'000);
  ASSERT_GT(csv.size(), std::size_t{3} << 19) << "some chunks of 1 MiB";
  for (const std::uint64_t bytes : {kSplitBytes, std::uint64_t{700'000}, std::uint64_t{10'007}}) {
    options.split_bytes = bytes;
    options.threads = 1;
    const std::string one = all_of(*look_at(csv));
    for (const unsigned threads : {2U, 3U, 5U}) {
      options.threads = threads;
      ASSERT_EQ(all_of(*look()), one) << bytes << " on " << threads;
    }
  }
}

TEST_F(ProfilePassThreads, has_the_same_bits_of_a_folder_of_parts) {
  memory.put("/dataset/run/_SUCCESS", "");
  memory.put("/dataset/run/part-0", table(3'000));
  memory.put("/dataset/run/part-1", "x,name,when,y\n");
  memory.put("/dataset/run/part-2", table(5'000));
  options.split_bytes = 5'000;
  const auto one = look("/dataset/run");
  ASSERT_TRUE(one) << one.error().message();
  EXPECT_EQ(one->rows(), 8'000u);
  options.threads = 3;
  EXPECT_EQ(all_of(*look("/dataset/run")), all_of(*one));
}

TEST_F(ProfilePassThreads, names_the_true_line_of_what_is_no_table) {
  std::string csv = "x,name,y\n";
  for (int i = 0; i < 2'000; ++i) csv += "1,\"two\nlines\",2\n";
  options.split_bytes = 1'000;
  options.record_bytes_max = 200;
  for (const unsigned threads : {1U, 3U}) {
    options.threads = threads;
    memory.put("/dataset/a.csv", csv + "3,\"a,2\n");
    EXPECT_NE(reason().find("looking through memory:///dataset/a.csv: line 4002: a quote that is "
                            "never closed"),
              std::string::npos)
        << reason();
    memory.put("/dataset/a.csv", csv + "3," + std::string(300, 'x') + ",2\n" + csv);
    EXPECT_NE(reason().find("line 4002: a record longer than 200 bytes"), std::string::npos)
        << reason();
  }
}

TEST_F(ProfilePassThreads, refuses_a_part_with_another_header_by_its_name) {
  memory.put("/dataset/run/_SUCCESS", "");
  memory.put("/dataset/run/part-0", "x,name,y\n1,a,2\n");
  memory.put("/dataset/run/part-1", "name,x,y\n1,a,2\n");
  options.threads = 3;
  EXPECT_NE(reason("/dataset/run").find("part-1: its header differs"), std::string::npos)
      << reason("/dataset/run");
}

TEST_F(ProfilePass, refuses_what_holds_no_row) {
  for (const char* csv : {"x,y\n", "x,y\n\n\r\n"}) {
    memory.put("/dataset/a.csv", csv);
    EXPECT_NE(reason().find("no whole row"), std::string::npos) << reason();
  }
}

TEST_F(ProfilePassThreads, ends_when_the_store_fails_in_the_middle) {
  options.threads = 3;
  memory.put("/dataset/a.csv", table(40'000));
  store.fail_after = 1'200'000;
  const auto profile = look();
  ASSERT_FALSE(profile);
  EXPECT_EQ(profile.error().code(), Code::kUnavailable);
}

TEST_F(ProfilePassThreads, ends_when_it_is_no_longer_wanted) {
  options.threads = 3;
  still_wanted = [](std::uint64_t) -> Status { return fail(Code::kCancelled, "stop"); };
  const auto profile = look_at(table(1'000));
  ASSERT_FALSE(profile);
  EXPECT_EQ(profile.error().code(), Code::kCancelled);
}

TEST_F(ProfilePass, tells_how_far_it_is) {
  std::uint64_t last = 0;
  still_wanted = [&](std::uint64_t bytes) -> Status {
    last = bytes;
    return {};
  };
  const std::string csv = table(1'000);  // some pieces, read within the time between two words
  ASSERT_TRUE(look_at(csv));
  EXPECT_EQ(last, csv.size());
}

TEST_F(ProfilePass, looks_at_no_more_than_a_megabyte_of_the_first_rows) {
  std::string csv = "x,y\n";
  while (csv.size() < 2 * kProfiledFirst) csv += "1,2\n";
  memory.put("/dataset/a.csv", csv);
  const auto first = profile_first_rows(store, *folder.open("/dataset/a.csv"), options);
  ASSERT_TRUE(first) << first.error().message();
  EXPECT_EQ(first->rows(), kProfiledFirst / 4 - 1);
}

}  // namespace
}  // namespace weir::train
