#include "model/leaf_masks.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace weir::model {
namespace {

template <typename Number>
struct RandomTree {
  std::vector<TreeNode<Number>> nodes;
  std::vector<std::uint8_t> missing_left;
  std::vector<int> depths{0};

  // Of so many nodes that are no leaves; `chance` in 256 that a node is one while there are others.
  RandomTree(std::mt19937& random, std::size_t inner, std::size_t chance, std::uint32_t features) {
    for (std::size_t i = 0, seen = 0; i < 2 * inner + 1; ++i) {
      const bool last_of_open = i == 2 * seen;
      const bool leaf = seen == inner || (!last_of_open && random() % 256 < chance);
      const auto number = static_cast<Number>(static_cast<int>(random() % 9) - 4);
      if (leaf) {
        nodes.push_back({std::numeric_limits<Number>::quiet_NaN(), static_cast<std::int32_t>(i) - 1,
                         0, static_cast<Number>(i) + Number{0.25}});
        missing_left.push_back(0);
        continue;
      }
      nodes.push_back({random() % 20 == 0 ? std::numeric_limits<Number>::infinity() : number,
                       static_cast<std::int32_t>(2 * seen + 1),
                       static_cast<std::uint32_t>(random() % features), 0});
      missing_left.push_back(random() % 2);
      depths.push_back(depths[i] + 1);
      depths.push_back(depths[i] + 1);
      ++seen;
    }
  }

  int depth() const { return depths.back(); }

  Number leaf(const Number* rows, std::size_t stride) const {
    std::size_t at = 0;
    while (!std::isnan(nodes[at].threshold)) {
      const Number x = rows[nodes[at].feature * stride];
      const bool left = std::isnan(x) ? missing_left[at] != 0 : x < nodes[at].threshold;
      at = static_cast<std::size_t>(nodes[at].left) + (left ? 0 : 1);
    }
    return nodes[at].leaf;
  }
};

template <typename Number>
Number random_value(std::mt19937& random) {
  switch (random() % 12) {
    case 0: return std::numeric_limits<Number>::quiet_NaN();
    case 1: return -std::numeric_limits<Number>::infinity();
    case 2: return std::numeric_limits<Number>::infinity();
    case 3: return Number{-0.0};
    default: return static_cast<Number>(static_cast<int>(random() % 19) - 9) / 2;
  }
}

template <typename Number>
class LeafMasksOf : public ::testing::Test {};
using Numbers = ::testing::Types<float, double>;
TYPED_TEST_SUITE(LeafMasksOf, Numbers);

TYPED_TEST(LeafMasksOf, add_the_leaf_that_each_row_comes_to_step_by_step) {
  using Number = TypeParam;
  constexpr std::uint32_t kFeatures = 5;
  constexpr std::size_t kRows = 7 * kMaskRows;
  constexpr std::size_t kStride = kRows + 3;
  for (const auto& kernel : LeafMasks<Number>::all_kernels()) {
    LeafMasks<Number> masks(kernel);
    std::mt19937 random(3);
    std::size_t words_max = 0;
    std::size_t taken = 0;
    for (int round = 0; round < 3000; ++round) {
      const RandomTree<Number> tree(random, random() % (round % 20 == 0 ? 400 : 70), random() % 200,
                                    kFeatures);
      const auto place = masks.add(tree.nodes, tree.missing_left, tree.depth());
      if (!place) continue;
      ++taken;
      words_max = std::max(words_max, place->word_count);
      std::vector<Number> rows(kFeatures * kStride);
      for (Number& value : rows) value = random_value<Number>(random);
      std::vector<Number> sums(kRows, 1000);
      masks.add_leaves(*place, rows.data(), kStride, kRows, sums.data());
      for (std::size_t row = 0; row < kRows; ++row) {
        ASSERT_EQ(sums[row], 1000 + tree.leaf(rows.data() + row, kStride))
            << kernel.name << ", round " << round << ", row " << row;
      }
    }
    EXPECT_GT(taken, 1000U) << kernel.name;
    EXPECT_GT(words_max, 1U) << kernel.name;
  }
}

}  // namespace
}  // namespace weir::model
