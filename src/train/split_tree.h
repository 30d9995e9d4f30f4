// The order in which the sums of splits are merged, so that the result has the same bits however
// splits were grouped over threads and workers.
//
// Node (level L, index i) stands for the splits [i * 2^L, (i + 1) * 2^L) and is the merge of the
// two nodes below it, the left one first. Only such siblings are merged; a run of splits that
// follow each other is held as the few nodes that cover it, at most two of each level. What covers
// a whole data set is merged from left to right in the end.
//
// T has `void merge(const T& following)`, and `T clone() const` for clone(). Owner: the caller.
// Threads: as T. Errors: none; nodes that do not follow each other are a bug of the caller.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/check.h"

namespace weir::train {

// Of the nodes that cover a run up to `end`, the level of the one that begins at `at`: the largest
// that is aligned.
inline unsigned level_at(std::uint64_t at, std::uint64_t end) {
  const auto fits = static_cast<unsigned>(std::bit_width(end - at)) - 1;
  return at == 0 ? fits : std::min(fits, static_cast<unsigned>(std::countr_zero(at)));
}

template <typename T>
class SplitTree {
 public:
  struct Node {
    unsigned level = 0;
    std::uint64_t index = 0;
    T value;

    std::uint64_t first() const { return index << level; }
    std::uint64_t end() const { return (index + 1) << level; }
  };

  const std::vector<Node>& nodes() const { return nodes_; }

  void append(Node node) {
    WEIR_CHECK(nodes_.empty() || nodes_.back().end() == node.first());
    nodes_.push_back(std::move(node));
    while (nodes_.size() > 1) {
      Node& left = nodes_[nodes_.size() - 2];
      const Node& right = nodes_.back();
      if (left.level != right.level || left.index % 2 != 0) break;
      left.value.merge(right.value);
      ++left.level;
      left.index /= 2;
      nodes_.pop_back();
    }
  }
  void append(SplitTree following) {
    for (Node& node : following.nodes_) append(std::move(node));
  }

  SplitTree clone() const {
    SplitTree copy;
    for (const Node& node : nodes_)
      copy.nodes_.push_back({node.level, node.index, node.value.clone()});
    return copy;
  }

  // All nodes in one, from left to right. There is at least one.
  T collapse() && {
    WEIR_CHECK(!nodes_.empty());
    T total = std::move(nodes_.front().value);
    for (std::size_t i = 1; i < nodes_.size(); ++i) total.merge(nodes_[i].value);
    nodes_.clear();
    return total;
  }

 private:
  std::vector<Node> nodes_;
};

}  // namespace weir::train
