// The text in which LightGBM 3 and 4 keep a model.
//
// LightGBM decides by x <= t in binary64; here that is x < the next double above t. It sums leaves
// in binary64 in the order of the trees, from 0, as BoostedModel does with Arithmetic::kBinary64:
// predictions are equal to its own in every bit.
//
// Threads: pure functions. Errors: as read_foreign_model.
#pragma once

#include <string_view>

#include "base/error.h"
#include "model/foreign_model.h"

namespace weir::model {

bool begins_as_lightgbm(std::string_view document);

Result<ForeignModel> read_lightgbm(std::string_view document);

}  // namespace weir::model
