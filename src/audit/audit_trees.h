// What trees predict, by code of the audit's own: the formula that model/boosted_model.h promises.
//
// Everything is in IEEE 754 binary32, each operation rounded to nearest: a value x of a row becomes
// the nearest float, and
//
//   p = base;  for each tree in its order:  p = p + leaf(tree, x);  a step goes left where
//   x[feature] < threshold
//
// Nodes are kept here as the pairs of children that they name, not as the file or the scorer has
// them. Threads: constant after parse(). Errors: kCorrupt with what is wrong; throws what
// nlohmann-json does where a member is of another kind.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "base/error.h"

namespace weir::audit {

class AuditTrees {
 public:
  static Result<AuditTrees> parse(const nlohmann::json& model, std::size_t features);

  double predict(const double* row) const;

 private:
  struct Node {
    bool is_leaf = true;
    std::size_t feature = 0;
    float number = 0;  // the threshold, or what the leaf adds
    std::size_t left = 0;
    std::size_t right = 0;
  };
  using Tree = std::vector<Node>;

  static Result<Tree> parse_tree(const nlohmann::json& tree, std::size_t features);

  float base_ = 0;
  std::vector<Tree> trees_;
};

}  // namespace weir::audit
