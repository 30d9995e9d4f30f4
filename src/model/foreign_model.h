// Models that other programs have trained: what their documents come to, before they have names.
//
// A document is recognised by how it begins. What cannot be reproduced is refused by name, never
// approximated: the model that comes out predicts what the program that wrote it would.
//
// Threads: pure functions. Errors: kCorrupt (not such a document, cut short, trees that are none),
// kUnsupported, by name, with what to do (another booster or objective, several numbers to predict,
// splits on categories), kBadData (names that do not fit; BoostedModel::make's and
// LinearModel::make's). Limits: kForeignBytesMax, and those of a model.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "model/boosted_model.h"
#include "model/model.h"
#include "record/schema.h"

namespace weir::model {

inline constexpr std::size_t kForeignBytesMax = 64 * 1024 * 1024;

struct ForeignTrees {
  double base = 0;
  std::vector<Tree> trees;
  Arithmetic arithmetic = Arithmetic::kBinary32;
};

struct ForeignLine {
  double intercept = 0;
  std::vector<double> coefficients;
};

struct ForeignModel {
  std::string tool;  // "XGBoost 2.1.4"
  std::size_t feature_count = 0;
  std::vector<std::string> features;  // their names; empty where the document has none
  std::vector<std::string> notes;     // for people, beside a model that was taken
  std::variant<ForeignTrees, ForeignLine> body;
};

Result<ForeignModel> read_foreign_model(std::string_view document);

// kBadData where the schema has not as many features as the model.
Status check_feature_count(const ForeignModel& foreign, const record::Schema& schema);

// The schema names the features in the document's order.
Result<std::unique_ptr<Model>> model_from_foreign(ForeignModel foreign, record::Schema schema);

}  // namespace weir::model
