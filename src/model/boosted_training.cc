#include "model/boosted_training.h"

#include <xgboost/c_api.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "model/accurate_sum.h"
#include "model/model_file.h"
#include "model/xgboost_document.h"

namespace weir::model {
namespace {

struct MatrixDeleter {
  void operator()(void* handle) const { XGDMatrixFree(handle); }
};
struct BoosterDeleter {
  void operator()(void* handle) const { XGBoosterFree(handle); }
};
using Matrix = std::unique_ptr<void, MatrixDeleter>;
using Booster = std::unique_ptr<void, BoosterDeleter>;

Status done(int result, const char* what) {
  if (result == 0) return {};
  // Several lines, the first of which says what was wrong, and a trace of the stack.
  std::string reason = XGBGetLastError();
  reason = reason.substr(0, reason.find("\nStack trace"));
  return fail(Error(Code::kInternal, one_line(reason)).while_doing(what));
}

Status check_rows(const record::RowBlock& rows, const record::Schema& schema) {
  const std::size_t features = schema.features.size();
  WEIR_CHECK(rows.columns == features + 1);
  WEIR_TRY(check_names(schema));
  if (rows.rows == 0) return fail(Code::kBadData, "there are no rows to train on");
  for (std::size_t j = 0; j < rows.columns; ++j) {
    for (std::size_t i = 0; i < rows.rows; ++i) {
      if (std::isfinite(static_cast<float>(rows.value(i, j)))) continue;
      return fail(Code::kBadData, "column '" + (j < features ? schema.features[j] : schema.target) +
                                      "' has the value " + format_double(rows.value(i, j)) +
                                      ", which is too large for the trees' numbers (binary32)");
    }
  }
  return {};
}

// The features where they lie, column after column.
std::string array_interface(const record::RowBlock& rows) {
  nlohmann::json json;
  json["data"] = {reinterpret_cast<std::uintptr_t>(rows.values.data()), true};
  json["shape"] = {rows.rows, rows.columns - 1};
  json["strides"] = {sizeof(double), sizeof(double) * rows.rows};
  json["typestr"] = "<f8";
  json["version"] = 3;
  return json.dump();
}

Result<Matrix> make_matrix(const record::RowBlock& rows) {
  DMatrixHandle handle = nullptr;
  WEIR_TRY(done(XGDMatrixCreateFromDense(array_interface(rows).c_str(),
                                         R"({"missing": NaN, "nthread": 1})", &handle),
                "handing rows to libxgboost"));
  Matrix matrix(handle);
  std::vector<float> target(rows.rows);
  for (std::size_t i = 0; i < rows.rows; ++i) {
    target[i] = static_cast<float>(rows.value(i, rows.columns - 1));
  }
  WEIR_TRY(done(XGDMatrixSetFloatInfo(handle, "label", target.data(), target.size()),
                "handing the target to libxgboost"));
  return matrix;
}

double mean_of_target(const record::RowBlock& rows) {
  AccurateSum sum;
  for (std::size_t i = 0; i < rows.rows; ++i) sum.add(rows.value(i, rows.columns - 1));
  return sum.value() / static_cast<double>(rows.rows);
}

Result<Booster> make_booster(const Matrix& matrix, const BoostedOptions& options, double mean) {
  DMatrixHandle rows = matrix.get();
  BoosterHandle handle = nullptr;
  WEIR_TRY(done(XGBoosterCreate(&rows, 1, &handle), "making a booster"));
  Booster booster(handle);
  const std::vector<std::pair<const char*, std::string>> parameters = {
      {"verbosity", "0"},
      {"nthread", "1"},
      {"booster", "gbtree"},
      {"objective", "reg:squarederror"},
      {"tree_method", "hist"},
      {"max_depth", std::to_string(options.depth)},
      {"learning_rate", format_double(options.learning_rate)},
      {"base_score", format_double(mean)},
      {"seed", std::to_string(options.seed % (1U << 31))}};
  for (const auto& [name, value] : parameters) {
    WEIR_TRY(done(XGBoosterSetParam(handle, name, value.c_str()), name));
  }
  return booster;
}

Result<std::string> document_of(const Booster& booster) {
  const char* bytes = nullptr;
  bst_ulong length = 0;
  WEIR_TRY(done(XGBoosterSaveModelToBuffer(booster.get(), R"({"format": "ubj"})", &length, &bytes),
                "taking the trees from libxgboost"));
  return std::string(bytes, length);
}

}  // namespace

Result<BoostedModel> grow_boosted(const record::RowBlock& rows, const record::Schema& schema,
                                  const BoostedOptions& options,
                                  const std::function<Status()>& still_wanted) {
  WEIR_TRY(check_rows(rows, schema));
  const Matrix matrix = WEIR_TRY(make_matrix(rows));
  const Booster booster = WEIR_TRY(make_booster(matrix, options, mean_of_target(rows)));
  for (std::size_t i = 0; i < options.trees; ++i) {
    WEIR_TRY(still_wanted());
    WEIR_TRY(done(XGBoosterUpdateOneIter(booster.get(), static_cast<int>(i), matrix.get()),
                  "growing a tree"));
  }
  const std::string document = WEIR_TRY(document_of(booster));
  auto model = model_from_xgboost(document, schema);
  // Names were checked before; what is left is a model that no file holds.
  if (!model && model.error().code() == Code::kBadData) {
    return fail(Code::kExhausted, model.error().reason() +
                                      "; fewer or shallower trees would do (model.boosted.trees, "
                                      "model.boosted.depth)");
  }
  return model;
}

}  // namespace weir::model
