// What a graph does to one feature before the model proper: steps that are each monotone.
//
// Threads: plain values and pure functions. Errors: as read_foreign_model.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "base/error.h"

namespace weir::model {

struct OnnxStep {
  enum class Kind { kRound, kAdd, kSubtract, kMultiply, kDivide };
  Kind kind = Kind::kRound;  // to binary32
  double by = 0;
};

struct OnnxColumn {
  std::size_t feature = 0;
  bool in_float = false;  // what the steps so far have come to is of binary32
  std::vector<OnnxStep> steps;

  void then(OnnxStep step);  // rounded, where the column is in floats
  void cast(bool to_float);
  double apply(double x) const;
  // As slope * x + offset, roundings left out.
  double slope() const;
  double offset() const;
};

// Where the answer of a question to a feature changes, as x rises.
struct OnnxTurn {
  double threshold = 0;      // the first x with another answer than those below it have
  bool holds_below = false;  // the answer below
};

// kUnsupported where it never changes between the least and the largest double.
Result<OnnxTurn> find_turn(const OnnxColumn& column, const std::function<bool(double)>& holds);

}  // namespace weir::model
