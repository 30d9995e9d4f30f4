// The documents in which XGBoost keeps a model, JSON or UBJSON.
//
// The model that comes out predicts what XGBoost itself predicts for the same row, bit for bit,
// where all values are below what a float holds. Taken are boosters of trees (gbtree) with one
// number to predict and an objective whose prediction is the sum itself, such as reg:squarederror.
// Covers (sum_hessian) of a tree that are not all finite and at least 0 are left out: predictions
// do not need them.
//
// Documents are not trusted: depth and number of values are counted before anything is kept.
//
// Threads: pure functions. Errors: as read_foreign_model; kBadData where the schema has not as many
// features.
#pragma once

#include <string_view>

#include "base/error.h"
#include "model/boosted_model.h"
#include "model/foreign_model.h"
#include "record/schema.h"

namespace weir::model {

inline constexpr std::size_t kXgboostBytesMax = kForeignBytesMax;

bool begins_as_xgboost(std::string_view document);

Result<ForeignModel> read_xgboost(std::string_view document);

// Both in one. The schema names the features in the document's order.
Result<BoostedModel> model_from_xgboost(std::string_view document, record::Schema schema);

}  // namespace weir::model
