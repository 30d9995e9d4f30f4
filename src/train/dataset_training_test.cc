#include "train/dataset_training.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>
#include <sstream>

#include "base/sha256.h"
#include "base/simulated_clock.h"
#include "base/text.h"
#include "model/linear_model.h"
#include "model/split.h"
#include "store/forwarding_file_store.h"
#include "store/memory_file_store.h"
#include "train/model_choice.h"

namespace weir::train {
namespace {

// Hands out files in pieces of a given size, as a network does; may fail in the middle of one.
class PieceStore final : public store::ForwardingFileStore {
 public:
  using ForwardingFileStore::ForwardingFileStore;
  Status read(const std::string& path, std::uint64_t offset, std::uint64_t length,
              const store::ByteSink& sink) override {
    std::uint64_t handed_out = 0;
    return ForwardingFileStore::read(path, offset, length, [&](std::string_view bytes) -> Status {
      while (!bytes.empty()) {
        if (handed_out >= fail_after) return fail(Code::kUnavailable, "the DataNode went away");
        const std::string_view piece = bytes.substr(0, piece_bytes);
        WEIR_TRY(sink(piece));
        handed_out += piece.size();
        bytes.remove_prefix(piece.size());
      }
      return {};
    });
  }
  std::size_t piece_bytes = store::kReadPieceBytesMax;
  std::uint64_t fail_after = store::kToEnd;
};

struct Row {
  double a = 0;
  double b = 0;
  double y = 0;
};

// y = 3 + 2 a - b, and some noise.
Row row_at(std::uint64_t i) {
  const double a = static_cast<double>(i % 97) / 7;
  const double b = static_cast<double>(i * 31 % 101) / 11;
  return {a, b, 3 + 2 * a - b + std::sin(static_cast<double>(i)) / 8};
}

std::string line_of(const Row& row) {
  return format_double(row.a) + "," + format_double(row.b) + "," + format_double(row.y) + "\n";
}

std::string table(std::uint64_t first, std::uint64_t count) {
  std::string csv = "a,b,y\n";
  for (std::uint64_t i = first; i < first + count; ++i) csv += line_of(row_at(i));
  return csv;
}

class DatasetTraining : public ::testing::Test {
 protected:
  DatasetTraining() {
    options.target = "y";
    options.threads = 1;
  }

  Result<TrainedModel> train(const std::string& path = "/dataset/a.csv") {
    const registry::Dataset dataset = WEIR_TRY(folder.open(path));
    return train_on_dataset(store, dataset, options, progress);
  }
  Result<TrainedModel> train_on(std::string csv) {
    memory.put("/dataset/a.csv", std::move(csv));
    return train();
  }
  void expect_refused(std::string csv, const std::vector<std::string>& words) {
    const auto trained = train_on(csv);
    ASSERT_FALSE(trained) << csv;
    const std::string message = trained.error().message();
    EXPECT_EQ(trained.error().code(), Code::kBadData) << message;
    EXPECT_NE(message.find("/dataset/a.csv"), std::string::npos) << message;
    for (const std::string& word : words)
      EXPECT_NE(message.find(word), std::string::npos) << message;
  }
  static void expect_equal(const TrainedModel& a, const TrainedModel& b) {
    EXPECT_EQ(a.model_json, b.model_json);
    EXPECT_EQ(a.test_csv, b.test_csv);
    EXPECT_EQ(a.manifest.to_json(), b.manifest.to_json());
  }

  SimulatedClock clock;
  store::MemoryFileStore memory{clock};
  PieceStore store{memory};
  registry::DatasetFolder folder{store, "/dataset", clock};
  TrainingOptions options;
  ProgressFunction progress = [](const TrainingProgress&) { return Status{}; };
};

class DatasetTrainingThreads : public DatasetTraining {};

TEST_F(DatasetTraining, finds_the_line_that_the_rows_lie_on) {
  const auto trained = train_on(table(0, 400));
  ASSERT_TRUE(trained) << trained.error().message();
  const auto model = model::parse_linear_model(trained->model_json);
  ASSERT_TRUE(model);
  EXPECT_NEAR(model->intercept(), 3, 0.05);
  EXPECT_NEAR(model->coefficients()[0], 2, 0.01);
  EXPECT_NEAR(model->coefficients()[1], -1, 0.01);
  const registry::Manifest& manifest = trained->manifest;
  EXPECT_EQ(manifest.algorithm, "linear");
  EXPECT_EQ(manifest.schema, (record::Schema{{"a", "b"}, "y"}));
  EXPECT_EQ(manifest.rows, 400u);
  EXPECT_EQ(manifest.rows_trained + manifest.rows_held_out, 400u);
  EXPECT_EQ(manifest.dataset_sha256, sha256_hex(table(0, 400)));
  EXPECT_NEAR(static_cast<double>(manifest.rows_held_out), 100, 30);
}

TEST_F(DatasetTraining, reports_how_sure_the_coefficients_are) {
  const auto trained = train_on(table(0, 400));
  ASSERT_TRUE(trained) << trained.error().message();
  const auto model = model::parse_linear_model(trained->model_json);
  ASSERT_TRUE(trained->manifest.fit);
  const model::FitReport& fit = *trained->manifest.fit;
  EXPECT_EQ(fit.rows, trained->manifest.rows_trained);
  EXPECT_EQ(fit.degrees_of_freedom, fit.rows - 3);
  EXPECT_NEAR(*fit.residual_standard_deviation, 1 / 8.0 / std::sqrt(2.0), 0.01);
  EXPECT_GT(*fit.r_squared, 0.99);
  EXPECT_EQ(fit.features[1].value, model->coefficients()[1]);
  EXPECT_LT(std::abs(fit.features[1].value + 1), 4 * *fit.features[1].standard_error);
  EXPECT_FALSE(fit.ridge);
}

TEST_F(DatasetTraining, takes_a_penalty_that_is_given_or_found_to_the_same_bits_on_any_threads) {
  const double plain = train_on(table(0, 400))->manifest.fit->features[0].value;
  options.ridge = 1.0;
  const auto given = train_on(table(0, 400));
  EXPECT_EQ(given->manifest.fit->ridge->penalty, 1.0);
  EXPECT_LT(given->manifest.fit->features[0].value, 0.7 * plain);
  const auto model = model::parse_linear_model(given->model_json);
  EXPECT_EQ(model->coefficients()[0], given->manifest.fit->features[0].value);

  options.ridge = std::nullopt;
  const std::string csv = table(0, 60'000);
  const auto found = train_on(csv);
  EXPECT_GT(found->manifest.fit->ridge->curve.size(), 30u);
  EXPECT_TRUE(found->manifest.fit->ridge->automatic);
  options.threads = 3;
  expect_equal(*found, *train_on(csv));
}

std::string boston() {
  std::ifstream file(std::string(WEIR_SOURCE_DIR) + "/data/boston.csv");
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

TEST_F(DatasetTraining, learns_the_boston_table) {
  options.target = "medv";
  const auto trained = train_on(boston());
  ASSERT_TRUE(trained) << trained.error().message();
  const registry::Manifest& manifest = trained->manifest;
  EXPECT_EQ(manifest.rows, 506u);
  EXPECT_EQ(manifest.schema.features.size(), 13u);
  EXPECT_GT(manifest.held_out.rmse, 3);
  EXPECT_LT(manifest.held_out.rmse, 7);
  EXPECT_GT(manifest.held_out.r2, 0.5);
  EXPECT_LT(manifest.held_out.mae, manifest.held_out.rmse);
  const auto model = model::parse_linear_model(trained->model_json);
  ASSERT_TRUE(model);
  const auto coefficient = [&](const char* name) {
    return model->coefficients()[*model->schema().feature_index(name)];
  };
  EXPECT_GT(coefficient("rm"), 2) << "rooms make a house dear";
  EXPECT_LT(coefficient("lstat"), -0.3);
  EXPECT_LT(coefficient("nox"), -10);
}

TEST_F(DatasetTraining, keeps_trees_for_the_boston_table_if_it_may_choose) {
  options.target = "medv";
  const auto linear = train_on(boston());
  ASSERT_TRUE(linear);
  options.algorithm = kAuto;
  const auto best = train();
  ASSERT_TRUE(best) << best.error().message();
  const registry::Manifest& manifest = best->manifest;
  EXPECT_EQ(manifest.algorithm, "boosted");
  EXPECT_EQ(manifest.wanted_algorithm, "auto");
  EXPECT_LT(manifest.held_out.rmse, 0.8 * linear->manifest.held_out.rmse);
  ASSERT_EQ(manifest.candidates.size(), 2u);
  EXPECT_NEAR(manifest.candidates[0].held_out.rmse, linear->manifest.held_out.rmse, 1e-9);
  EXPECT_EQ(manifest.candidates[1].held_out.rmse, manifest.held_out.rmse);
  EXPECT_EQ(manifest.candidates[1].rows, manifest.rows_trained);
  EXPECT_EQ(best->test_csv, linear->test_csv);
  EXPECT_TRUE(model::parse_model(best->model_json));
}

TEST_F(DatasetTrainingThreads, grows_the_same_trees_on_any_number_of_threads) {
  options.algorithm = model::kBoosted;
  options.boosted = {10, 3, 0.3, 1000};  // of 45,000: a sample
  const auto one = train_on(table(0, 60'000));
  ASSERT_TRUE(one) << one.error().message();
  EXPECT_EQ(one->manifest.candidates.at(0).rows, 1000u);
  EXPECT_NE(one->manifest.notes.at(0).find("1000 of the "), std::string::npos);
  for (const unsigned threads : {2U, 5U}) {
    options.threads = threads;
    store.piece_bytes = 100'000 / threads;
    const auto many = train();
    ASSERT_TRUE(many) << many.error().message();
    expect_equal(*one, *many);
  }
  options.seed = 2;  // another sample
  const auto other = train();
  ASSERT_TRUE(other);
  EXPECT_NE(other->model_json, one->model_json);
}

TEST_F(DatasetTraining, gives_the_same_bits_however_the_bytes_come) {
  const std::string csv = table(0, 500);
  const auto whole = train_on(csv);
  ASSERT_TRUE(whole);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{4096}}) {
    store.piece_bytes = piece;
    const auto cut = train();
    ASSERT_TRUE(cut) << cut.error().message();
    expect_equal(*whole, *cut);
  }
}

TEST_F(DatasetTrainingThreads, gives_the_same_bits_on_any_number_of_threads) {
  std::string csv = table(0, 60'000);  // some chunks of 1 MiB
  csv.insert(csv.find('\n', csv.size() / 2) + 1, "bad row\n");
  ASSERT_GT(csv.size(), std::size_t{2} << 20);
  options.bad_rows_max = 1;
  const auto one = train_on(csv);
  ASSERT_TRUE(one) << one.error().message();
  EXPECT_EQ(one->manifest.rows_refused, 1u);
  for (const unsigned threads : {2U, 5U}) {
    options.threads = threads;
    store.piece_bytes = 100'000 / threads;
    const auto many = train();
    ASSERT_TRUE(many) << many.error().message();
    expect_equal(*one, *many);
  }
}

TEST_F(DatasetTrainingThreads, stops_all_threads_when_the_store_fails_in_the_middle) {
  options.threads = 4;
  memory.put("/dataset/a.csv", table(0, 60'000));
  store.piece_bytes = 10'000;
  store.fail_after = 2'000'000;
  const auto trained = train();
  ASSERT_FALSE(trained);
  EXPECT_EQ(trained.error().code(), Code::kUnavailable);
  EXPECT_NE(trained.error().message().find("/dataset/a.csv"), std::string::npos);
}

TEST_F(DatasetTrainingThreads, stops_early_with_too_many_bad_rows) {
  options.threads = 4;
  std::string csv = "a,b,y\n";
  for (int i = 0; i < 400'000; ++i) csv += "1,2,z\n";
  store.piece_bytes = 10'000;
  expect_refused(csv, {"0 allowed", "line 2, column 3 'y'"});
}

TEST_F(DatasetTraining, ends_when_it_is_no_longer_wanted) {
  progress = [](const TrainingProgress&) -> Status { return fail(Code::kCancelled, "stop"); };
  const auto trained = train_on(table(0, 100));
  ASSERT_FALSE(trained);
  EXPECT_EQ(trained.error().code(), Code::kCancelled);
}

TEST_F(DatasetTraining, tells_how_far_it_is) {
  std::vector<TrainingProgress> seen;
  progress = [&](const TrainingProgress& now) -> Status {
    seen.push_back(now);
    return {};
  };
  const std::string csv = table(0, 100);
  ASSERT_TRUE(train_on(csv));
  ASSERT_FALSE(seen.empty());
  EXPECT_EQ(seen.front().bytes_total, csv.size());
  EXPECT_EQ(seen.front().rows, 0U);
  EXPECT_EQ(seen.back().bytes, csv.size());
  EXPECT_EQ(seen.back().rows, 100U);
}

// ---- bad rows ----

TEST_F(DatasetTraining, refuses_a_bad_row_with_line_column_and_cause) {
  expect_refused("a,b,y\n1,2,3\n1,abc,3\n", {"line 3", "column 2 'b'", "not a number", "abc"});
  expect_refused("a,b,y\n1,2,3\n1,,3\n", {"line 3", "column 2 'b'", "empty"});
  expect_refused("a,b,y\n1,2,nan\n", {"line 2", "column 3 'y'"});
  expect_refused("a,b,y\n1,2\n", {"line 2", "2 fields", "3"});
  expect_refused("a,b,y\n1,1e999,3\n", {"line 2", "column 2 'b'"});
}

TEST_F(DatasetTraining, counts_bad_rows_up_to_the_number_allowed) {
  std::string csv = table(0, 200);
  csv += "1,,3\n1,2\n1,x,3\n2,x,3\n\n";
  options.bad_rows_max = 4;
  const auto trained = train_on(csv);
  ASSERT_TRUE(trained) << trained.error().message();
  const registry::Manifest& manifest = trained->manifest;
  EXPECT_EQ(manifest.rows, 204u) << "blank lines are no rows";
  EXPECT_EQ(manifest.rows_refused, 4u);
  EXPECT_EQ(manifest.rows, manifest.rows_trained + manifest.rows_held_out + manifest.rows_refused);
  EXPECT_EQ(manifest.refused_by_reason,
            (std::map<std::string, std::uint64_t>{
                {"empty_cell b", 1}, {"field_count", 1}, {"not_a_number b", 2}}));
  options.bad_rows_max = 3;
  expect_refused(csv, {"4 bad rows", "3 allowed", "line 202"});
}

TEST_F(DatasetTraining, is_not_changed_by_the_bad_rows_in_between) {
  const auto clean = train_on(table(0, 100) + line_of(row_at(100)));
  ASSERT_TRUE(clean);
  options.bad_rows_max = 1;
  const auto dirty = train_on(table(0, 100) + "x,1,1\n" + line_of(row_at(100)));
  ASSERT_TRUE(dirty);
  EXPECT_EQ(clean->manifest.rows_trained + clean->manifest.rows_held_out,
            dirty->manifest.rows_trained + dirty->manifest.rows_held_out);
}

TEST_F(DatasetTraining, drops_columns_that_hold_no_numbers) {
  std::string csv = "name,a,b,y\n";
  for (std::uint64_t i = 0; i < 100; ++i)
    csv += "\"x, " + std::to_string(i) + "\"," + line_of(row_at(i));
  options.drop_columns = {"name"};
  const auto trained = train_on(csv);
  ASSERT_TRUE(trained) << trained.error().message();
  EXPECT_EQ(trained->manifest.schema.features, (std::vector<std::string>{"a", "b"}));
}

// ---- headers, and what is too little ----

TEST_F(DatasetTraining, refuses_a_header_without_the_target) {
  expect_refused("a,b,z\n1,2,3\n", {"line 1", "'y'", "a, b, z"});
}

TEST_F(DatasetTraining, refuses_files_that_hold_no_table) {
  expect_refused("", {});
  expect_refused("\n\n", {});
  expect_refused("a,b,y\n", {"0 rows"});
  expect_refused("a,b,y\n\n\n", {"0 rows"});
  expect_refused("a,b,y", {});
  expect_refused("y\n1\n2\n", {});
  expect_refused("a,b,y\n\"1,2,3\n", {"line 2"});
}

TEST_F(DatasetTraining, refuses_fewer_rows_than_columns) {
  options.test_fraction = 0;
  expect_refused(table(0, 2), {"2 rows"});
}

TEST_F(DatasetTraining, has_no_metrics_where_nothing_is_held_out) {
  options.test_fraction = 0;
  const auto trained = train_on(table(0, 50));
  ASSERT_TRUE(trained) << trained.error().message();
  EXPECT_FALSE(trained->manifest.has_held_out);
  EXPECT_EQ(trained->manifest.rows_held_out, 0u);
  EXPECT_EQ(trained->test_csv, "weir_row,a,b,y\n");
}

// ---- folders of parts ----

TEST_F(DatasetTraining, reads_the_parts_of_a_folder_as_one_table) {
  memory.put("/dataset/run/_SUCCESS", "");
  memory.put("/dataset/run/part-0.csv", table(0, 150));
  memory.put("/dataset/run/part-1.csv", "");
  memory.put("/dataset/run/part-2.csv", table(150, 50));
  const auto parts = train("/dataset/run");
  ASSERT_TRUE(parts) << parts.error().message();
  EXPECT_EQ(parts->manifest.rows, 200u);
  EXPECT_EQ(parts->manifest.dataset_sha256, sha256_hex(table(0, 150) + table(150, 50)));
  const auto whole = train_on(table(0, 200));
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->test_csv.find("\n4294967"), std::string::npos);
  EXPECT_NE(parts->test_csv.find("\n4294967"), std::string::npos)
      << "each part begins a split, whose rows are numbered from 2^32 on";
  const auto again = train("/dataset/run");
  ASSERT_TRUE(again);
  expect_equal(*parts, *again);
}

TEST_F(DatasetTraining, hashes_every_byte_of_every_part_in_order) {
  const std::string header = "\xef\xbb\xbf\"a\",b,y\r\n";
  const std::vector<std::string> parts = {header, header + table(0, 100'000).substr(6),
                                          header + "\n\r\n",
                                          header + table(100'000, 100).substr(6) + "1,2,3", header};
  std::string all;
  memory.put("/dataset/run/_SUCCESS", "");
  for (std::size_t i = 0; i < parts.size(); ++i) {
    memory.put("/dataset/run/part-" + std::to_string(i) + ".csv", parts[i]);
    all += parts[i];
  }
  for (const unsigned threads : {1U, 3U}) {
    options.threads = threads;
    const auto trained = train("/dataset/run");
    ASSERT_TRUE(trained) << trained.error().message();
    EXPECT_EQ(trained->manifest.dataset_sha256, sha256_hex(all));
    EXPECT_EQ(trained->manifest.rows, 100'101U);
  }
}

TEST_F(DatasetTraining, refuses_a_folder_whose_parts_have_different_headers) {
  memory.put("/dataset/run/_SUCCESS", "");
  memory.put("/dataset/run/part-0.csv", table(0, 50));
  memory.put("/dataset/run/part-1.csv", "b,a,y\n1,2,3\n");
  const auto trained = train("/dataset/run");
  ASSERT_FALSE(trained);
  EXPECT_EQ(trained.error().code(), Code::kBadData);
  EXPECT_NE(trained.error().message().find("part-1.csv"), std::string::npos);
  EXPECT_NE(trained.error().message().find("header"), std::string::npos);
}

TEST_F(DatasetTraining, names_the_part_of_a_bad_row) {
  memory.put("/dataset/run/_SUCCESS", "");
  memory.put("/dataset/run/part-0.csv", table(0, 50));
  memory.put("/dataset/run/part-1.csv", "a,b,y\n1,2,3\n1,x,3\n");
  const auto trained = train("/dataset/run");
  ASSERT_FALSE(trained);
  EXPECT_NE(trained.error().message().find("part-1.csv line 3, column 2 'b'"), std::string::npos)
      << trained.error().message();
}

// ---- the held-out rows ----

TEST_F(DatasetTraining, measures_what_a_direct_computation_over_the_split_gives) {
  const std::uint64_t rows = 2000;
  const auto trained = train_on(table(0, rows));
  ASSERT_TRUE(trained);
  const auto model = model::parse_linear_model(trained->model_json);
  ASSERT_TRUE(model);
  long double squared = 0, absolute = 0, mean = 0;
  std::vector<Row> held_out;
  for (std::uint64_t i = 0; i < rows; ++i) {
    if (!model::is_held_out(options.seed, i, options.test_fraction)) continue;
    held_out.push_back(row_at(i));
    mean += held_out.back().y;
  }
  const auto count = static_cast<long double>(held_out.size());
  mean /= count;
  long double variation = 0;
  for (const Row& row : held_out) {
    const double p =
        model->intercept() + model->coefficients()[0] * row.a + model->coefficients()[1] * row.b;
    squared += (p - row.y) * (p - row.y);
    absolute += std::abs(p - row.y);
    variation += (row.y - mean) * (row.y - mean);
  }
  const registry::Manifest& manifest = trained->manifest;
  ASSERT_TRUE(manifest.has_held_out);
  EXPECT_EQ(manifest.rows_held_out, held_out.size());
  const auto near = [](double found, long double expected) {
    EXPECT_NEAR(found, static_cast<double>(expected),
                std::abs(static_cast<double>(expected)) * 1e-10);
  };
  near(manifest.held_out.rmse, std::sqrt(squared / count));
  near(manifest.held_out.mae, absolute / count);
  near(manifest.held_out.r2, 1 - squared / variation);
  EXPECT_EQ(manifest.held_out.mae_rows, held_out.size());
}

TEST_F(DatasetTraining, keeps_the_held_out_rows_bit_for_bit_in_test_csv) {
  const std::uint64_t rows = 300;
  const auto trained = train_on(table(0, rows));
  ASSERT_TRUE(trained);
  std::istringstream lines(trained->test_csv);
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "weir_row,a,b,y");
  std::set<std::uint64_t> seen;
  while (std::getline(lines, line)) {
    const auto number = static_cast<std::uint64_t>(*parse_int64(line.substr(0, line.find(','))));
    EXPECT_TRUE(model::is_held_out(options.seed, number, options.test_fraction));
    EXPECT_EQ(line.substr(line.find(',') + 1) + "\n", line_of(row_at(number)));
    seen.insert(number);
  }
  EXPECT_EQ(seen.size(), trained->manifest.rows_held_out);
}

TEST_F(DatasetTraining, bounds_the_sample_of_held_out_rows) {
  options.sample_rows_max = 10;
  const auto trained = train_on(table(0, 1000));
  ASSERT_TRUE(trained);
  EXPECT_EQ(std::count(trained->test_csv.begin(), trained->test_csv.end(), '\n'), 11);
  EXPECT_EQ(trained->manifest.held_out.mae_rows, 10u);
  EXPECT_GT(trained->manifest.rows_held_out, 100u);
}

}  // namespace
}  // namespace weir::train
