// Batch prediction by trees: model::BoostedModel beside libxgboost itself, on one thread each.
//
// The same model and the same rows; both predictions have to be equal in every bit before a time
// counts. XGBoost predicts from a matrix that was made before (its making is not counted, and a new
// one is made for each round, as it remembers what it has predicted for one), and from the rows as
// they lie in memory. Contestants take turns; the ratio is taken within each round.
#include <xgboost/c_api.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "model/xgboost_document.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Shape {
  int trees;
  int depth;
  std::size_t columns;
};

void check(int result) {
  if (result == 0) return;
  std::fprintf(stderr, "libxgboost: %s\n", XGBGetLastError());
  std::exit(1);
}

struct Rows {
  std::vector<float> values;  // row-major
  std::vector<float> target;
};

Rows make_rows(std::size_t count, std::size_t columns, unsigned seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<float> normal;
  Rows rows{std::vector<float>(count * columns), std::vector<float>(count)};
  for (float& value : rows.values) value = normal(generator);
  for (std::size_t i = 0; i < count; ++i) {
    const float* const row = rows.values.data() + i * columns;
    for (std::size_t j = 0; j + 1 < columns; ++j) {
      rows.target[i] += row[j] * row[j + 1] + std::sin(3 * row[j]);
    }
    rows.target[i] += normal(generator);
  }
  return rows;
}

DMatrixHandle matrix_of(const std::vector<float>& values, std::size_t columns) {
  DMatrixHandle matrix = nullptr;
  check(XGDMatrixCreateFromMat(values.data(), values.size() / columns, columns, std::nanf(""),
                               &matrix));
  return matrix;
}

BoosterHandle grow(const Shape& shape) {
  const Rows rows = make_rows(20'000, shape.columns, 1);
  DMatrixHandle matrix = matrix_of(rows.values, shape.columns);
  check(XGDMatrixSetFloatInfo(matrix, "label", rows.target.data(), rows.target.size()));
  BoosterHandle booster = nullptr;
  check(XGBoosterCreate(&matrix, 1, &booster));
  const std::string depth = std::to_string(shape.depth);
  check(XGBoosterSetParam(booster, "max_depth", depth.c_str()));
  for (const auto& [name, value] :
       {std::pair("nthread", "1"), std::pair("tree_method", "hist"),
        std::pair("learning_rate", "0.1"), std::pair("objective", "reg:squarederror")}) {
    check(XGBoosterSetParam(booster, name, value));
  }
  for (int i = 0; i < shape.trees; ++i) check(XGBoosterUpdateOneIter(booster, i, matrix));
  check(XGDMatrixFree(matrix));
  return booster;
}

weir::model::BoostedModel our_model(BoosterHandle booster, std::size_t columns) {
  const char* bytes = nullptr;
  bst_ulong length = 0;
  check(XGBoosterSaveModelToBuffer(booster, R"({"format":"ubj"})", &length, &bytes));
  weir::record::Schema schema{{}, "y"};
  for (std::size_t j = 0; j < columns; ++j) {
    schema.features.push_back(std::string("x").append(std::to_string(j)));
  }
  auto model = weir::model::model_from_xgboost({bytes, length}, schema);
  if (!model) {
    std::fprintf(stderr, "%s\n", model.error().message().c_str());
    std::exit(1);
  }
  return std::move(*model);
}

constexpr const char* kPredict =
    R"({"type":0,"training":false,"iteration_begin":0,"iteration_end":0,"strict_shape":false,)"
    R"("missing":NaN,"cache_id":0})";

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double time_matrix(BoosterHandle booster, const Rows& rows, std::size_t columns,
                   std::vector<float>& out) {
  DMatrixHandle matrix = matrix_of(rows.values, columns);
  const bst_ulong* shape = nullptr;
  bst_ulong dimensions = 0;
  const float* values = nullptr;
  const auto start = Clock::now();
  check(XGBoosterPredictFromDMatrix(booster, matrix, kPredict, &shape, &dimensions, &values));
  const double seconds = seconds_since(start);
  out.assign(values, values + shape[0]);
  check(XGDMatrixFree(matrix));
  return seconds;
}

double time_in_place(BoosterHandle booster, const Rows& rows, std::size_t columns,
                     std::vector<float>& out) {
  const std::string lies = "{\"data\": [" +
                           std::to_string(reinterpret_cast<std::uintptr_t>(rows.values.data())) +
                           ", true], \"shape\": [" + std::to_string(rows.target.size()) + ", " +
                           std::to_string(columns) + "], \"typestr\": \"<f4\", \"version\": 3}";
  const bst_ulong* shape = nullptr;
  bst_ulong dimensions = 0;
  const float* values = nullptr;
  const auto start = Clock::now();
  check(XGBoosterPredictFromDense(booster, lies.c_str(), kPredict, nullptr, &shape, &dimensions,
                                  &values));
  const double seconds = seconds_since(start);
  out.assign(values, values + shape[0]);
  return seconds;
}

void expect_equal(const std::vector<float>& theirs, const std::vector<double>& ours) {
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (static_cast<double>(theirs[i]) == ours[i]) continue;
    std::fprintf(stderr, "row %zu: %.9g by libxgboost, %.17g by weir\n", i,
                 static_cast<double>(theirs[i]), ours[i]);
    std::exit(1);
  }
}

struct Spread {
  explicit Spread(std::vector<double> of) : values(std::move(of)) {
    std::sort(values.begin(), values.end());
  }
  double median() const { return values[values.size() / 2]; }
  std::vector<double> values;
};

void compare(const Shape& shape, std::size_t count, int rounds) {
  BoosterHandle booster = grow(shape);
  const weir::model::BoostedModel model = our_model(booster, shape.columns);
  const Rows rows = make_rows(count, shape.columns, 2);
  const std::vector<double> doubles(rows.values.begin(), rows.values.end());
  std::vector<float> theirs;
  std::vector<double> ours(count);
  std::vector<double> matrix, in_place, weir, ratio_matrix, ratio_in_place;
  for (int round = 0; round < rounds; ++round) {
    matrix.push_back(time_matrix(booster, rows, shape.columns, theirs));
    in_place.push_back(time_in_place(booster, rows, shape.columns, theirs));
    const auto start = Clock::now();
    model.predict(doubles, ours);
    weir.push_back(seconds_since(start));
    expect_equal(theirs, ours);
    ratio_matrix.push_back(matrix.back() / weir.back());
    ratio_in_place.push_back(in_place.back() / weir.back());
  }
  const auto start = Clock::now();
  const std::size_t singles = std::min<std::size_t>(count, 20'000);
  for (std::size_t i = 0; i < singles; ++i) {
    model.predict(std::span(doubles).subspan(i * shape.columns, shape.columns), {&ours[i], 1});
  }
  const double single = seconds_since(start) / static_cast<double>(singles);
  const auto rate = [&](const std::vector<double>& seconds) {
    return static_cast<double>(count) / Spread(seconds).median() / 1e6;
  };
  const Spread by_matrix(ratio_matrix);
  const Spread by_place(ratio_in_place);
  std::printf(
      "%5d %5d %7zu %10.2f %10.2f %10.2f   %5.2f (%.2f to %.2f)   %5.2f (%.2f to %.2f) %9.1f\n",
      shape.trees, shape.depth, shape.columns, rate(matrix), rate(in_place), rate(weir),
      by_matrix.median(), by_matrix.values.front(), by_matrix.values.back(), by_place.median(),
      by_place.values.front(), by_place.values.back(), single * 1e6);
  std::fflush(stdout);
  check(XGBoosterFree(booster));
}

}  // namespace

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::strcmp(argv[1], "--quick") == 0;
  if (argc > 2 || (argc == 2 && !quick)) {
    std::fprintf(stderr, "usage: bench_trees [--quick]\n");
    return 2;
  }
  const std::size_t count = quick ? 2'000 : 100'000;
  const int rounds = quick ? 2 : 9;
  std::printf(
      "%zu rows, %d rounds, one thread; million rows/s (medians), and weir's speed by XGBoost's\n"
      "trees depth columns   (matrix) (in place)       weir   weir/matrix            weir/in place"
      "    one row, us\n",
      count, rounds);
  for (const Shape& shape : {Shape{200, 5, 13}, Shape{100, 6, 13}, Shape{100, 6, 28},
                             Shape{100, 7, 13}, Shape{500, 8, 28}}) {
    compare(shape, count, rounds);
  }
  return 0;
}
