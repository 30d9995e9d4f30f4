// Prediction goes tree by tree over a block of rows, so that both stay in the near caches. Many
// rows go down a tree of few leaves as leaf_masks.h has it. In a larger tree they go step by step.
// A step is a load that waits for the one before it; so a group of lanes goes down side by side,
// without a branch that could be mispredicted: a leaf leads to itself, and all lanes take as many
// steps as the tree is deep. The lanes are several rows in one tree, or, where few rows are asked
// for, one row in several trees. Whichever way, a row's leaves are added in the trees' order.
#include "model/forest.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "base/check.h"

namespace weir::model {
namespace {

constexpr std::size_t kLanes = 8;
constexpr std::size_t kBlockRowsMax = 64;
static_assert(kBlockRowsMax % kMaskRows == 0 && kMaskRows % kLanes == 0);
// So few rows go down one after the other.
constexpr std::size_t kFewRows = 2;
constexpr std::size_t kBlockBytesMax = 1 << 16;
// After so many steps it is asked whether all lanes have come to a leaf, again and again.
constexpr int kStepsBetweenLooks = 8;

std::size_t full_groups(std::size_t rows) { return (rows + kMaskRows - 1) / kMaskRows * kMaskRows; }

}  // namespace

template <typename Number>
Status Forest<Number>::add(const Tree& tree, std::size_t features) {
  const std::size_t count = tree.feature.size();
  const auto bad = [&](const std::string& what) {
    return fail(Code::kBadData, "tree " + std::to_string(roots_.size()) + ": " + what);
  };
  if (count == 0 || tree.value.size() != count) return bad("no value for each node, or no nodes");
  if (nodes_.size() + count > kTreeNodesMax) {
    return bad("with it there are more than " + std::to_string(kTreeNodesMax) + " nodes");
  }
  if (!tree.cover.empty() && tree.cover.size() != count) return bad("no cover for each node");
  for (const double cover : tree.cover) {
    if (!std::isfinite(cover) || cover < 0) return bad("a cover is negative, or not finite");
  }
  Root root{nodes_.size(), 0};
  std::vector<int> depth(count, 0);
  std::size_t inner = 0;
  for (std::size_t i = 0; i < count; ++i) {
    // Node i is there only if a node before it has it for a child.
    if (i > 2 * inner) return bad("node " + std::to_string(i) + " is nobody's child");
    const auto value = static_cast<Number>(tree.value[i]);
    if (!std::isfinite(value)) {
      return bad("the value of node " + std::to_string(i) + " is not finite");
    }
    root.depth = std::max(root.depth, depth[i]);
    const std::int32_t feature = tree.feature[i];
    if (feature == Tree::kLeaf) {
      nodes_.push_back(
          {std::numeric_limits<Number>::quiet_NaN(), static_cast<std::int32_t>(i) - 1, 0, value});
      missing_left_.push_back(0);
      continue;
    }
    const std::size_t left = 2 * inner + 1;
    if (feature < 0 || static_cast<std::size_t>(feature) >= features) {
      return bad("node " + std::to_string(i) + " asks for a feature that there is not");
    }
    if (left + 1 >= count) return bad("node " + std::to_string(i) + " has no children");
    if (inner >= tree.missing_left.size() || tree.missing_left[inner] > 1) {
      return bad("it is not said where a row without a value goes");
    }
    depth[left] = depth[left + 1] = depth[i] + 1;
    if (depth[left] > kTreeDepthMax) {
      return bad("it is deeper than " + std::to_string(kTreeDepthMax));
    }
    nodes_.push_back(
        {value, static_cast<std::int32_t>(left), static_cast<std::uint32_t>(feature), 0});
    missing_left_.push_back(tree.missing_left[inner]);
    ++inner;
  }
  if (tree.missing_left.size() != inner) return bad("flags for more nodes than there are");
  root.masks = masks_.add(std::span(nodes_).subspan(root.first),
                          std::span(missing_left_).subspan(root.first), root.depth);
  masked_trees_ += root.masks ? 1 : 0;
  roots_.push_back(root);
  steps_ += static_cast<std::size_t>(root.depth) + 1;
  return {};
}

template <typename Number>
struct Forest<Number>::Kernel {
  // One lane: where it stands in which tree, and for which row.
  struct Lanes {
    std::array<const Node*, kLanes> root;
    std::array<const Number*, kLanes> row;
    std::array<std::int32_t, kLanes> at{};
  };

  static void step(Lanes& lanes) {
    [&]<std::size_t... lane>(std::index_sequence<lane...>) {
      ((step_one(lanes.at[lane], lanes.root[lane], lanes.row[lane])), ...);
    }
    (std::make_index_sequence<kLanes>());
  }

  static void step_one(std::int32_t& at, const Node* root, const Number* row) {
    const Node& node = root[at];
    at = node.left + (row[node.feature] < node.threshold ? 0 : 1);
  }

  static void descend(Lanes& lanes, int depth) {
    while (depth > 0) {
      const int steps = std::min(depth, kStepsBetweenLooks);
      for (int i = 0; i < steps; ++i) step(lanes);
      depth -= steps;
      if (depth > 0 && all_at_leaves(lanes)) return;
    }
  }

  static bool all_at_leaves(const Lanes& lanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      if (!std::isnan(lanes.root[lane][lanes.at[lane]].threshold)) return false;
    }
    return true;
  }

  // Rows in groups of lanes; what is behind `count`, up to the next full group, is written too.
  static void add_by_rows(const Forest& forest, const Root& root, const Number* rows,
                          std::size_t stride, std::size_t count, Number* sums) {
    const Node* const nodes = forest.nodes_.data() + root.first;
    for (std::size_t i = 0; i < count; i += kLanes) {
      Lanes lanes;
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        lanes.root[lane] = nodes;
        lanes.row[lane] = rows + (i + lane) * stride;
      }
      descend(lanes, root.depth);
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        sums[i + lane] += nodes[lanes.at[lane]].leaf;
      }
    }
  }

  static Number sum_by_trees(const Forest& forest, Number sum, const Number* row) {
    const std::size_t trees = forest.roots_.size();
    for (std::size_t i = 0; i < trees; i += kLanes) {
      Lanes lanes;
      int depth = 0;
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const Root& root = forest.roots_[std::min(i + lane, trees - 1)];
        lanes.root[lane] = forest.nodes_.data() + root.first;
        lanes.row[lane] = row;
        depth = std::max(depth, root.depth);
      }
      descend(lanes, depth);
      for (std::size_t lane = 0; lane < kLanes && i + lane < trees; ++lane) {
        sum += lanes.root[lane][lanes.at[lane]].leaf;
      }
    }
    return sum;
  }

  // With values that are missing: step by step.
  static Number leaf_with_missing(const Forest& forest, const Root& root, const Number* row) {
    const Node* const nodes = forest.nodes_.data() + root.first;
    std::int32_t at = 0;
    while (!std::isnan(nodes[at].threshold)) {
      const Number x = row[nodes[at].feature];
      const bool goes_left =
          std::isnan(x) ? forest.missing_left_[root.first + static_cast<std::size_t>(at)] != 0
                        : x < nodes[at].threshold;
      at = nodes[at].left + (goes_left ? 0 : 1);
    }
    return nodes[at].leaf;
  }
};

// Some rows as Number, so many that they are near while the trees come by: one row after the other
// for steps, one feature after the other, but only those that are asked for, for masks.
template <typename Number>
struct Forest<Number>::Block {
  const std::size_t features;
  std::size_t count = 0;  // rows; what is behind them means nothing
  bool missing = false;   // some value; known of rows
  std::vector<Number> rows = {};
  std::vector<Number> columns = {};  // stride() to each

  std::size_t stride() const { return full_groups(count); }

  void take_rows(std::span<const double> from) {
    rows.resize((count + kLanes - 1) / kLanes * kLanes * features);
    missing = false;
    for (std::size_t i = 0; i < from.size(); ++i) {
      rows[i] = static_cast<Number>(from[i]);
      missing |= std::isnan(rows[i]);
    }
  }

  // A few columns at a time: their places are near until the last row has come.
  void take_columns(std::span<const double> from, std::span<const std::uint32_t> wanted) {
    constexpr std::size_t kAtOnce = 16;
    columns.resize(wanted.size() * stride());
    for (std::size_t first = 0; first < wanted.size(); first += kAtOnce) {
      const std::size_t end = std::min(first + kAtOnce, wanted.size());
      for (std::size_t row = 0; row < count; ++row) {
        const double* const values = from.data() + row * features;
        for (std::size_t column = first; column < end; ++column) {
          columns[column * stride() + row] = static_cast<Number>(values[wanted[column]]);
        }
      }
    }
  }
};

// Adds the leaves of all trees, by masks where a tree has them and they are wanted.
template <typename Number>
void Forest<Number>::add_leaves(const Block& block, bool by_masks, std::span<Number> sums) const {
  const auto row = [&](std::size_t i) { return block.rows.data() + i * block.features; };
  if (!by_masks && !block.missing && block.count <= kFewRows) {
    for (std::size_t i = 0; i < block.count; ++i) {
      sums[i] = Kernel::sum_by_trees(*this, sums[i], row(i));
    }
    return;
  }
  for (const Root& root : roots_) {
    if (by_masks && root.masks) {
      masks_.add_leaves(*root.masks, block.columns.data(), block.stride(), block.stride(),
                        sums.data());
    } else if (!block.missing) {
      Kernel::add_by_rows(*this, root, row(0), block.features, block.count, sums.data());
    } else {
      for (std::size_t i = 0; i < block.count; ++i) {
        sums[i] += Kernel::leaf_with_missing(*this, root, row(i));
      }
    }
  }
}

template <typename Number>
void Forest<Number>::predict(std::span<const double> rows, std::size_t features, Number base,
                             std::span<double> out) const {
  WEIR_CHECK(rows.size() == out.size() * features);
  const std::span<const std::uint32_t> wanted = masks_.features();
  const bool has_masks = masked_trees_ > 0;
  const std::size_t rows_max = std::clamp(kBlockBytesMax / sizeof(Number) / features,
                                          has_masks ? kMaskRows : kLanes, kBlockRowsMax);
  Block block{.features = features};
  std::array<Number, kBlockRowsMax> sums{};
  for (std::size_t first = 0; first < out.size(); first += block.count) {
    block.count = std::min(rows_max / kLanes * kLanes, out.size() - first);
    // What fills less than half of a group of masks goes down by itself.
    const std::size_t rest = block.count % kMaskRows;
    const bool by_masks = has_masks && block.count > kMaskRows / 2;
    if (by_masks && rest <= kMaskRows / 2) block.count -= rest;
    const auto from = rows.subspan(first * features, block.count * features);
    if (by_masks) block.take_columns(from, wanted);
    if (!by_masks || masked_trees_ < roots_.size()) block.take_rows(from);
    sums.fill(base);
    add_leaves(block, by_masks, sums);
    for (std::size_t i = 0; i < block.count; ++i) out[first + i] = static_cast<double>(sums[i]);
  }
}

template class Forest<float>;
template class Forest<double>;

}  // namespace weir::model
