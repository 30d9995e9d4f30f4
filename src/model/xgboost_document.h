// The documents in which XGBoost keeps a model, JSON or UBJSON, turned into a BoostedModel.
//
// The model that comes out predicts what XGBoost itself predicts for the same row, bit for bit,
// where all values are below what a float holds. Taken are boosters of trees (gbtree) with one
// number to predict and an objective whose prediction is the sum itself, such as reg:squarederror.
//
// Threads: pure functions. Errors: kCorrupt (not such a document, cut short, trees that are none),
// kUnsupported, by name (another booster or objective, several classes or targets, splits on
// categories), kBadData (as many features as the schema has are needed; BoostedModel::make's).
#pragma once

#include <string_view>

#include "base/error.h"
#include "model/boosted_model.h"
#include "record/schema.h"

namespace weir::model {

inline constexpr std::size_t kXgboostBytesMax = 64 * 1024 * 1024;

// The schema names the features in the document's order.
Result<BoostedModel> model_from_xgboost(std::string_view document, record::Schema schema);

}  // namespace weir::model
