// A sum of decision trees over a base value, as gradient boosting makes them.
//
// The arithmetic is a promise, so that anyone can check a prediction. All of it is in IEEE 754
// binary32, as in XGBoost: x is the row with each value rounded to nearest (what is too large
// becomes infinite), and
//
//   p = base;  for each tree in its order:  p = p + leaf(tree, x)
//
// each addition rounded; the prediction is p, as a double. leaf() begins at node 0 and goes, at a
// node with a feature, to its left child where x[feature] < threshold, and to the right one
// otherwise. (Where x is NaN, which no row of the pipeline holds, "missing_left" says which way.)
//
// File format (to_json), version 1, as model_file.h has it, with
//
//   "base": 22.5,
//   "trees": [
//     {"feature": [12,5,-1,-1,-1], "value": [9.7,6.9,2.5,0.1,-1.5], "missing_left": [0,1]},
//     …
//   ],
//
// A tree lists its nodes breadth first: the children of the n-th node that has a feature, counted
// from 0, are the nodes 2n + 1 (left) and 2n + 2 (right). "feature" is -1 at a leaf; "value" is a
// threshold or a leaf's term; "missing_left" has one entry for each node with a feature. A number
// is the shortest decimal that gives the very binary32 when it is read as a binary64 and rounded.
//
// Owner: as Model. Threads: const calls from any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/model.h"

namespace weir::model {

inline constexpr std::size_t kTreesMax = 10'000;
inline constexpr std::size_t kTreeNodesMax = 500'000;  // of all trees of a model
inline constexpr int kTreeDepthMax = 64;               // steps from the root to a leaf

// A tree as the file has it.
struct Tree {
  static constexpr std::int32_t kLeaf = -1;

  std::vector<std::int32_t> feature;
  std::vector<float> value;
  std::vector<std::uint8_t> missing_left;

  bool operator==(const Tree&) const = default;
};

class BoostedModel final : public Model {
 public:
  // kBadData: a number that is not finite, a tree whose nodes are not as described above, a feature
  // that the schema lacks, names as in LinearModel::make, or more than a model file may hold.
  static Result<BoostedModel> make(record::Schema schema, float base, std::vector<Tree> trees);

  std::string_view algorithm() const override { return kBoosted; }
  const record::Schema& schema() const override { return schema_; }
  // NaN counts as missing; see above.
  void predict(std::span<const double> rows, std::span<double> out) const override;
  std::string to_json() const override;

  float base() const { return base_; }
  std::span<const Tree> trees() const { return trees_; }

 private:
  // A leaf leads back to itself: its threshold is NaN, so every row goes right, to left + 1.
  struct Node {
    float threshold;
    std::int32_t left;  // in its tree
    std::uint32_t feature;
    float leaf;
  };
  struct Root {
    std::size_t first;  // in nodes_, and in missing_left_
    int depth;
  };
  struct Kernel;

  BoostedModel(record::Schema schema, float base, std::vector<Tree> trees)
      : schema_(std::move(schema)), base_(base), trees_(std::move(trees)) {}
  Status add_nodes(const Tree& tree);

  record::Schema schema_;
  float base_;
  std::vector<Tree> trees_;
  std::vector<Root> roots_;
  std::vector<Node> nodes_;
  std::vector<std::uint8_t> missing_left_;  // of each node
};

// The inverse of BoostedModel::to_json; errors as parse_model.
Result<BoostedModel> parse_boosted_model(std::string_view json);

}  // namespace weir::model
