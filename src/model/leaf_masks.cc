#include "model/leaf_masks.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace weir::model {
namespace {

#define WEIR_ALWAYS __attribute__((always_inline))
#define WEIR_INLINE inline WEIR_ALWAYS

// The leaves of the left subtree of a node are [begin, end).
struct LeftLeaves {
  std::size_t node;
  std::size_t begin;
  std::size_t end;
};

// Of each node that is no leaf. What the tree's leaves add is appended to `leaves`, from left to
// right.
template <typename Number>
std::vector<LeftLeaves> left_leaves_of(std::span<const TreeNode<Number>> nodes,
                                       std::vector<Number>& leaves) {
  const std::size_t first_leaf = leaves.size();
  std::vector<LeftLeaves> found;
  // A node to go down to, or one whose left subtree is done.
  struct Visit {
    std::size_t node;
    std::optional<std::size_t> begin;
  };
  std::vector<Visit> ahead{{0, std::nullopt}};
  while (!ahead.empty()) {
    const Visit visit = ahead.back();
    ahead.pop_back();
    const TreeNode<Number>& node = nodes[visit.node];
    const auto left = static_cast<std::size_t>(node.left);
    if (std::isnan(node.threshold)) {
      leaves.push_back(node.leaf);
    } else if (visit.begin) {
      found.push_back({visit.node, *visit.begin, leaves.size() - first_leaf});
      ahead.push_back({left + 1, std::nullopt});
    } else {
      ahead.push_back({visit.node, leaves.size() - first_leaf});
      ahead.push_back({left, std::nullopt});
    }
  }
  return found;
}

// Those of a word, which begins at leaf `first`.
template <typename Word>
Word bits_of(const LeftLeaves& leaves, std::size_t first) {
  Word bits = 0;
  const std::size_t end = std::min(leaves.end, first + 8 * sizeof(Word));
  for (std::size_t leaf = std::max(leaves.begin, first); leaf < end; ++leaf) {
    bits |= Word{1} << (leaf - first);
  }
  return bits;
}

template <typename Number>
struct Vectors {
  using Word = typename LeafMasks<Number>::Word;
  static constexpr std::size_t kBytes = 32;
  static constexpr std::size_t kLanes = kBytes / sizeof(Number);
  typedef Number Numbers __attribute__((vector_size(kBytes)));
  typedef Word Words __attribute__((vector_size(kBytes)));
};

// Of words that are not zero: the number of the lowest bit.
WEIR_INLINE void number_lowest_bits(Vectors<float>::Words& words) {
  typedef std::int32_t Ints __attribute__((vector_size(Vectors<float>::kBytes)));
  // 2^k as a float has k + 127 for its exponent. (2^31 is negative as an integer, no more than
  // that.)
  const auto powers = __builtin_convertvector(Ints(words & -words), Vectors<float>::Numbers);
  words = ((Vectors<float>::Words(powers) >> 23) & 0xff) - 127;
}
WEIR_INLINE void number_lowest_bits(Vectors<double>::Words& words) {
  for (std::size_t i = 0; i < Vectors<double>::kLanes; ++i) {
    words[i] = static_cast<std::uint64_t>(std::countr_zero(words[i]));
  }
}

// Of kCount vectors of rows, from row `from` on.
template <typename Number, std::size_t kCount>
WEIR_INLINE void descend(const typename LeafMasks<Number>::Descent& descent, std::size_t from) {
  using Masks = LeafMasks<Number>;
  using Cut = typename Masks::Cut;
  using Word = typename Masks::Word;
  using Numbers = typename Vectors<Number>::Numbers;
  using Words = typename Vectors<Number>::Words;
  constexpr std::size_t kLanes = Vectors<Number>::kLanes;

  const Cut* cut = descent.cuts;
  Words leaves[kCount] = {};
  auto first = static_cast<Word>(descent.word_count * Masks::kWordBits);  // leaf of the word
  for (std::size_t word = 0; word < descent.word_count; ++word) {
    Words bits[kCount];
    for (Words& each : bits) each = ~Words{};
    const auto go_through = [&]<bool kMissingLeft>(std::uint32_t count) WEIR_ALWAYS {
      for (const Cut* const end = cut + count; cut != end; ++cut) {
        const Number* const values = descent.columns + cut->column * descent.stride + from;
        const Numbers threshold = cut->threshold - Numbers{};
        const Words others = cut->others - Words{};
        for (std::size_t i = 0; i < kCount; ++i) {
          Numbers value;
          std::memcpy(&value, values + i * kLanes, sizeof value);
          bits[i] &=
              others | (kMissingLeft ? ~Words(value >= threshold) : Words(value < threshold));
        }
      }
    };
    go_through.template operator()<false>(descent.words[word].missing_right);
    go_through.template operator()<true>(descent.words[word].missing_left);
    first -= static_cast<Word>(Masks::kWordBits);
    for (std::size_t i = 0; i < kCount; ++i) {
      const Words none = Words(bits[i] == Words{});
      number_lowest_bits(bits[i]);
      leaves[i] = (leaves[i] & none) | ((bits[i] + first) & ~none);
    }
  }
  Word leaf[kCount * kLanes];
  std::memcpy(leaf, leaves, sizeof leaf);
  Number* const sums = descent.sums + from;
  for (std::size_t row = 0; row < kCount * kLanes; ++row) sums[row] += descent.leaves[leaf[row]];
}

// As many vectors at once as there are registers for, and what is left in groups.
template <typename Number>
WEIR_INLINE void descend_all(const typename LeafMasks<Number>::Descent& descent) {
  constexpr std::size_t kLanes = Vectors<Number>::kLanes;
  constexpr std::size_t kWide = 8;
  std::size_t row = 0;
  for (; row + kWide * kLanes <= descent.count; row += kWide * kLanes) {
    descend<Number, kWide>(descent, row);
  }
  for (; row < descent.count; row += kMaskRows) descend<Number, kMaskRows / kLanes>(descent, row);
}

template <typename Number>
void add_leaves_baseline(const typename LeafMasks<Number>::Descent& descent) {
  descend_all<Number>(descent);
}

// Chosen by hand, as the kernels of block_fold.cc are.
#if defined(__x86_64__)
template <typename Number>
__attribute__((target("avx2,bmi"))) void add_leaves_avx2(
    const typename LeafMasks<Number>::Descent& descent) {
  descend_all<Number>(descent);
}
// Vectors are as long, but both logical operations are one there (vpternlog).
template <typename Number>
__attribute__((target("avx2,bmi,avx512f,avx512vl"))) void add_leaves_avx512(
    const typename LeafMasks<Number>::Descent& descent) {
  descend_all<Number>(descent);
}
#endif

}  // namespace

template <typename Number>
std::vector<typename LeafMasks<Number>::Kernel> LeafMasks<Number>::all_kernels() {
  std::vector<Kernel> kernels{{"baseline", 32 / sizeof(Number), add_leaves_baseline<Number>}};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi")) {
    kernels.push_back({"avx2", 64 / sizeof(Number), add_leaves_avx2<Number>});
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) {
      kernels.push_back({"avx512", 80 / sizeof(Number), add_leaves_avx512<Number>});
    }
  }
#endif
  return kernels;
}

template <typename Number>
const typename LeafMasks<Number>::Kernel& LeafMasks<Number>::kernel() {
  static const Kernel fastest = all_kernels().back();
  return fastest;
}

template <typename Number>
std::uint32_t LeafMasks<Number>::column_of(std::uint32_t feature) {
  if (feature >= columns_.size()) columns_.resize(std::size_t{feature} + 1);
  if (columns_[feature] == 0) {
    features_.push_back(feature);
    columns_[feature] = static_cast<std::uint32_t>(features_.size());
  }
  return columns_[feature] - 1;
}

template <typename Number>
std::optional<typename LeafMasks<Number>::Place> LeafMasks<Number>::add(
    std::span<const TreeNode<Number>> nodes, std::span<const std::uint8_t> missing_left,
    int depth) {
  const std::size_t inner = nodes.size() / 2;
  const Place place{cuts_.size(), leaves_.size(), words_.size(), inner / kWordBits + 1};
  const std::vector<LeftLeaves> lefts = left_leaves_of(nodes, leaves_);
  std::size_t cuts = 0;
  for (const LeftLeaves& left : lefts) {
    cuts += (left.end - 1) / kWordBits - left.begin / kWordBits + 1;
  }
  // Few rows go down to the deepest leaves of a tree that is deep in one place only.
  const auto steps =
      std::min(static_cast<std::size_t>(depth), std::size_t{std::bit_width(inner)} + 4);
  if (cuts > kernel_.cuts_a_step * steps) {
    leaves_.resize(place.leaves);
    return std::nullopt;
  }
  for (std::size_t word = place.word_count; word-- > 0;) {
    const std::size_t first = word * kWordBits;
    WordCuts& counts = words_.emplace_back();
    for (const bool goes_left : {false, true}) {
      for (const LeftLeaves& left : lefts) {
        const Word leaves = bits_of<Word>(left, first);
        if (leaves == 0 || (missing_left[left.node] != 0) != goes_left) continue;
        const TreeNode<Number>& node = nodes[left.node];
        cuts_.push_back({node.threshold, column_of(node.feature), static_cast<Word>(~leaves)});
        ++(goes_left ? counts.missing_left : counts.missing_right);
      }
    }
  }
  return place;
}

template class LeafMasks<float>;
template class LeafMasks<double>;

}  // namespace weir::model
