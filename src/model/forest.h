// Decision trees, and how a row goes down them: the arithmetic of BoostedModel.
//
// Number is what it is done in: float (IEEE 754 binary32) or double (binary64).
//
// Owner: a BoostedModel. Threads: const calls from any. Errors: add() gives kBadData for a tree
// that is not as Tree says. Limits: those below.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "model/leaf_masks.h"

namespace weir::model {

inline constexpr std::size_t kTreesMax = 10'000;
inline constexpr std::size_t kTreeNodesMax = 500'000;  // of all trees of a model
inline constexpr int kTreeDepthMax = 64;               // steps from the root to a leaf

// A tree as the file has it: see boosted_model.h.
struct Tree {
  static constexpr std::int32_t kLeaf = -1;

  std::vector<std::int32_t> feature;
  std::vector<double> value;
  std::vector<std::uint8_t> missing_left;
  std::vector<double> cover = {};  // or one for each node

  bool operator==(const Tree&) const = default;
};

template <typename Number>
class Forest {
 public:
  // Values that Number does not hold are rounded.
  Status add(const Tree& tree, std::size_t features);
  // As Model::predict, with NaN for what is missing.
  void predict(std::span<const double> rows, std::size_t features, Number base,
               std::span<double> out) const;
  // Down all trees together, at most.
  std::size_t steps() const { return steps_; }

 private:
  // A leaf leads back to itself: every row goes right, to left + 1.
  using Node = TreeNode<Number>;
  struct Root {
    std::size_t first;  // in nodes_, and in missing_left_
    int depth;
    std::optional<typename LeafMasks<Number>::Place> masks = std::nullopt;
  };
  struct Kernel;
  struct Block;
  void add_leaves(const Block& block, bool by_masks, std::span<Number> sums) const;

  std::size_t steps_ = 0;
  std::size_t masked_trees_ = 0;
  std::vector<Root> roots_;
  std::vector<Node> nodes_;
  std::vector<std::uint8_t> missing_left_;  // of each node
  LeafMasks<Number> masks_;
};

extern template class Forest<float>;
extern template class Forest<double>;

}  // namespace weir::model
