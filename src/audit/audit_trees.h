// What trees predict, by code of the audit's own: the formula that model/boosted_model.h promises.
//
// Everything is in one format of IEEE 754, each operation rounded to nearest: binary32, or binary64
// where the model says so. A value x of a row becomes the nearest number of that format, and
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
#include <optional>
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
    double number = 0;  // the threshold, or what the leaf adds
    std::size_t left = 0;
    std::size_t right = 0;
  };
  using Tree = std::vector<Node>;

  Result<Tree> parse_tree(const nlohmann::json& tree, std::size_t features) const;
  std::optional<double> number_of(const nlohmann::json& number) const;
  double rounded(double value) const;

  bool wide_ = false;  // binary64
  double base_ = 0;
  std::vector<Tree> trees_;
};

}  // namespace weir::audit
