// Gradient-boosted trees from rows in memory, grown by libxgboost.
//
// The same rows and options give the same model on any machine of one kind and with any number of
// processors: trees are grown on one thread, as sums that several threads share would be rounded
// in an order of their own. The objective is the squared error; growth begins at the target's mean.
//
// Threads: pure functions; none is started. Errors: kBadData naming the column (a value that a
// float does not hold, no rows, names as in BoostedModel::make), still_wanted's, kExhausted (a
// model larger than a file may be: fewer or shallower trees are needed), kInternal (what libxgboost
// refuses).
#pragma once

#include <cstdint>
#include <functional>

#include "base/error.h"
#include "model/boosted_model.h"
#include "model/xgboost_document.h"
#include "record/row_block.h"
#include "record/schema.h"

namespace weir::model {

// Rows times columns at most; the caller takes a sample where there are more. Growing holds about
// 25 bytes for each: the value that it was given, and libxgboost's copies.
inline constexpr std::size_t kGrowingValuesMax = 20'000'000;

struct BoostedOptions {
  std::size_t trees = 200;
  int depth = 4;
  double learning_rate = 0.1;
  std::uint64_t seed = 1;
  std::size_t document_bytes_max = kXgboostBytesMax;  // of libxgboost's own form of the trees
};

// still_wanted is asked before each tree; its error ends the growing.
Result<BoostedModel> grow_boosted(const record::RowBlock& rows, const record::Schema& schema,
                                  const BoostedOptions& options,
                                  const std::function<Status()>& still_wanted);

}  // namespace weir::model
