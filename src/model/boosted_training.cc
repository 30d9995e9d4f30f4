#include "model/boosted_training.h"

#include <xgboost/c_api.h>

#include <algorithm>
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

namespace weir::model {
namespace {

// At how large the model has become is looked after so many trees, and then each time when there
// are a quarter more, as each look writes them all.
constexpr std::size_t kFirstLookTrees = 16;

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

// libxgboost makes no split that gains less than 1e-6 in the target's unit squared, and none whose
// gain is no binary32: what it is given is the target about its mean, scaled to magnitudes below 1.
// The scale is a power of two, so that leaves are scaled back without rounding.
struct TargetScale {
  double mean = 0;
  int exponent = 0;  // scaled = (target - mean) / 2^exponent
};

TargetScale scale_of_target(const record::RowBlock& rows) {
  const std::size_t target = rows.columns - 1;
  AccurateSum sum;
  for (std::size_t i = 0; i < rows.rows; ++i) sum.add(rows.value(i, target));
  TargetScale scale;
  scale.mean = sum.value() / static_cast<double>(rows.rows);
  double largest = 0;
  for (std::size_t i = 0; i < rows.rows; ++i) {
    largest = std::max(largest, std::abs(rows.value(i, target) - scale.mean));
  }
  if (largest > 0) scale.exponent = std::ilogb(largest) + 1;
  return scale;
}

Result<Matrix> make_matrix(const record::RowBlock& rows, const TargetScale& scale) {
  DMatrixHandle handle = nullptr;
  WEIR_TRY(done(XGDMatrixCreateFromDense(array_interface(rows).c_str(),
                                         R"({"missing": NaN, "nthread": 1})", &handle),
                "handing rows to libxgboost"));
  Matrix matrix(handle);
  std::vector<float> target(rows.rows);
  for (std::size_t i = 0; i < rows.rows; ++i) {
    const double about_mean = rows.value(i, rows.columns - 1) - scale.mean;
    target[i] = static_cast<float>(std::ldexp(about_mean, -scale.exponent));
  }
  WEIR_TRY(done(XGDMatrixSetFloatInfo(handle, "label", target.data(), target.size()),
                "handing the target to libxgboost"));
  return matrix;
}

Result<Booster> make_booster(const Matrix& matrix, const BoostedOptions& options) {
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
      {"base_score", "0"},
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

Error too_large(const std::string& reason) {
  return Error(Code::kExhausted, reason +
                                     "; fewer or shallower trees would do (model.boosted.trees, "
                                     "model.boosted.depth)");
}

Result<std::string> grow(const Booster& booster, const Matrix& matrix,
                         const BoostedOptions& options,
                         const std::function<Status()>& still_wanted) {
  std::size_t next_look = kFirstLookTrees;
  for (std::size_t i = 0; i < options.trees; ++i) {
    WEIR_TRY(still_wanted());
    WEIR_TRY(done(XGBoosterUpdateOneIter(booster.get(), static_cast<int>(i), matrix.get()),
                  "growing a tree"));
    if (i + 1 < next_look && i + 1 < options.trees) continue;
    next_look += next_look / 4;
    std::string document = WEIR_TRY(document_of(booster));
    if (document.size() > options.document_bytes_max) {
      return fail(too_large("the first " + std::to_string(i + 1) + " trees take " +
                            format_bytes(document.size()) + ", more than a model may hold"));
    }
    if (i + 1 == options.trees) return document;
  }
  return document_of(booster);  // of no trees
}

// The trees in the target's own unit, and what they are added to.
Result<BoostedModel> in_unit_of_target(const BoostedModel& scaled, const TargetScale& scale) {
  std::vector<Tree> trees(scaled.trees().begin(), scaled.trees().end());
  for (Tree& tree : trees) {
    for (std::size_t node = 0; node < tree.feature.size(); ++node) {
      if (tree.feature[node] != Tree::kLeaf) continue;
      tree.value[node] = std::ldexp(tree.value[node], scale.exponent);
    }
  }
  return BoostedModel::make(scaled.schema(), static_cast<float>(scale.mean), std::move(trees));
}

}  // namespace

Result<BoostedModel> grow_boosted(const record::RowBlock& rows, const record::Schema& schema,
                                  const BoostedOptions& options,
                                  const std::function<Status()>& still_wanted) {
  WEIR_TRY(check_rows(rows, schema));
  const TargetScale scale = scale_of_target(rows);
  const Matrix matrix = WEIR_TRY(make_matrix(rows, scale));
  const Booster booster = WEIR_TRY(make_booster(matrix, options));
  const std::string document = WEIR_TRY(grow(booster, matrix, options, still_wanted));
  auto model = model_from_xgboost(document, schema);
  // Names were checked before; what is left is a model that no file holds.
  if (!model && model.error().code() == Code::kBadData) {
    return fail(too_large(model.error().reason()));
  }
  if (!model) return model;
  return in_unit_of_target(*model, scale);
}

}  // namespace weir::model
