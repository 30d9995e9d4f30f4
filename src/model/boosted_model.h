// A sum of decision trees over a base value, as gradient boosting makes them.
//
// The arithmetic is a promise, so that anyone can check a prediction. All of it is in one format of
// IEEE 754: binary32, as in XGBoost, or binary64, as in LightGBM. x is the row with each value
// rounded to nearest (what is too large for binary32 becomes infinite), and
//
//   p = base;  for each tree in its order:  p = p + leaf(tree, x)
//
// each addition rounded; the prediction is p, as a double. leaf() begins at node 0 and goes, at a
// node with a feature, to its left child where x[feature] < threshold, and to the right one
// otherwise. (Where x is NaN, which no row of the pipeline holds, "missing_left" says which way.)
//
// File format (to_json), version 1, as model_file.h has it, with
//
//   "arithmetic": "binary64",   absent: binary32
//   "base": 22.5,
//   "trees": [
//     {"feature": [12,5,-1,-1,-1], "value": [9.7,6.9,2.5,0.1,-1.5], "missing_left": [0,1]},
//     …
//   ],
//
// A tree lists its nodes breadth first: the children of the n-th node that has a feature, counted
// from 0, are the nodes 2n + 1 (left) and 2n + 2 (right). "feature" is -1 at a leaf; "value" is a
// threshold or a leaf's term; "missing_left" has one entry for each node with a feature. A number
// is the shortest decimal that gives the very binary32, or binary64, when it is read as a binary64
// and rounded. A tree may have "cover" too, one number for each node: how much of the data that it
// was grown on came by, for contributions; predictions do not depend on it.
//
// Owner: as Model. Threads: const calls from any.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/forest.h"
#include "model/model.h"

namespace weir::model {

enum class Arithmetic { kBinary32, kBinary64 };

class BoostedModel final : public Model {
 public:
  // The base and the values of trees are rounded to what the arithmetic holds. kBadData: a number
  // that is not finite then, a tree whose nodes are not as described above, a feature
  // that the schema lacks, names as in LinearModel::make, or more than a model file may hold.
  static Result<BoostedModel> make(record::Schema schema, double base, std::vector<Tree> trees,
                                   Arithmetic arithmetic = Arithmetic::kBinary32);

  std::string_view algorithm() const override { return kBoosted; }
  const record::Schema& schema() const override { return schema_; }
  // NaN counts as missing; see above.
  void predict(std::span<const double> rows, std::span<double> out) const override;
  std::size_t steps_of_row() const override { return forest32_.steps() + forest64_.steps(); }
  std::string to_json() const override;

  Arithmetic arithmetic() const { return arithmetic_; }
  double base() const { return base_; }
  std::span<const Tree> trees() const { return trees_; }

 private:
  BoostedModel(record::Schema schema, double base, std::vector<Tree> trees, Arithmetic arithmetic)
      : schema_(std::move(schema)),
        base_(base),
        trees_(std::move(trees)),
        arithmetic_(arithmetic) {}

  record::Schema schema_;
  double base_;
  std::vector<Tree> trees_;
  Arithmetic arithmetic_;
  Forest<float> forest32_;  // one of the two is in use
  Forest<double> forest64_;
};

// The inverse of BoostedModel::to_json; errors as parse_model.
Result<BoostedModel> parse_boosted_model(std::string_view json);

}  // namespace weir::model
