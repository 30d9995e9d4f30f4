// Trees as masks over their leaves: many rows go down a tree at once, without a step that waits for
// the one before it.
//
// Leaves are numbered from left to right, a bit for each. A row that goes right at a node is in
// none of the leaves of the node's left subtree: those bits are cleared. What is left, after all
// nodes in any order, has the row's own leaf for its lowest bit (QuickScorer: Lucchese et al.,
// SIGIR 2015; with vectors of rows: SIGIR 2016). Each node costs a comparison and two logical
// operations on a vector of rows. Where a value is missing (NaN) no comparison holds: nodes that
// send such a row left ask whether it is at the threshold or above, the others whether it is below.
//
// Number is what the trees reckon in, float or double. A word has as many bits, and a tree as many
// words as its leaves need. Three builds of the same loop exist, without AVX2, with it and with
// AVX-512; they give the same bits, as nothing is added but the leaf. A test holds them to that.
//
// Owner: a Forest. Threads: const calls from any. Errors: none; nodes are as Forest checked them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

namespace weir::model {

inline constexpr std::size_t kMaskRows = 16;  // rows come in groups of so many

// A node of a tree that is listed breadth first.
template <typename Number>
struct TreeNode {
  Number threshold;   // NaN: a leaf
  std::int32_t left;  // in its tree; the right child follows it
  std::uint32_t feature;
  Number leaf;  // of a leaf: what it adds
};

template <typename Number>
class LeafMasks {
 public:
  using Word = std::conditional_t<sizeof(Number) == 4, std::uint32_t, std::uint64_t>;
  static constexpr std::size_t kWordBits = 8 * sizeof(Word);

  // A node, for one word of leaves.
  struct Cut {
    Number threshold;
    std::uint32_t column;  // its feature, as a place in features()
    Word others;           // the leaves that are not in its left subtree
  };
  // Where a tree lies in the lists below.
  struct Place {
    std::size_t cuts;
    std::size_t leaves;
    std::size_t words;  // where they begin
    std::size_t word_count;
  };
  // How many of a word's cuts send a row without a value to the right, and how many to the left.
  struct WordCuts {
    std::uint32_t missing_right;
    std::uint32_t missing_left;
  };
  // A tree, and rows in groups of kMaskRows: the values of one feature follow each other, and those
  // of the next begin `stride` behind them.
  struct Descent {
    const Cut* cuts;
    const Number* leaves;
    const WordCuts* words;
    std::size_t word_count;
    const Number* columns;
    std::size_t stride;
    std::size_t count;  // of rows: full groups
    Number* sums;       // of each row: its leaf is added
  };
  struct Kernel {
    const char* name;
    // A step down costs a row as much as so many cuts, or more: measured by bench/trees/run for
    // floats, in vectors that hold half as many doubles.
    std::size_t cuts_a_step;
    void (*add_leaves)(const Descent& descent);
  };
  // The fastest that this processor can run, and all that it can run.
  static const Kernel& kernel();
  static std::vector<Kernel> all_kernels();

  LeafMasks() : LeafMasks(kernel()) {}
  explicit LeafMasks(const Kernel& by) : kernel_(by) {}

  // Nothing, where it would take longer than going down step by step.
  // `missing_left`: of each node, 1 where a row without a value goes left.
  std::optional<Place> add(std::span<const TreeNode<Number>> nodes,
                           std::span<const std::uint8_t> missing_left, int depth);
  // What has to stand in the columns, in their order.
  std::span<const std::uint32_t> features() const { return features_; }
  void add_leaves(const Place& place, const Number* columns, std::size_t stride, std::size_t count,
                  Number* sums) const {
    kernel_.add_leaves({cuts_.data() + place.cuts, leaves_.data() + place.leaves,
                        words_.data() + place.words, place.word_count, columns, stride, count,
                        sums});
  }

 private:
  std::uint32_t column_of(std::uint32_t feature);

  Kernel kernel_;
  std::vector<std::uint32_t> features_;  // that some cut asks for
  std::vector<std::uint32_t> columns_;   // of each feature: one more than its place there, or 0
  // Of all trees, one after the other:
  std::vector<Cut> cuts_;        // word by word, as WordCuts has them
  std::vector<WordCuts> words_;  // that of the last leaves first
  std::vector<Number> leaves_;   // from left to right
};

extern template class LeafMasks<float>;
extern template class LeafMasks<double>;

}  // namespace weir::model
