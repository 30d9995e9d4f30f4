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
  for (auto kernel : LeafMasks<Number>::all_kernels()) {
    kernel.cuts_a_step = 1000;  // whatever it takes
    LeafMasks<Number> masks(kernel);
    std::mt19937 random(3);
    std::size_t words_max = 0;
    for (int round = 0; round < 3000; ++round) {
      const RandomTree<Number> tree(random, random() % (round % 20 == 0 ? 400 : 70), random() % 200,
                                    kFeatures);
      const auto place = masks.add(tree.nodes, tree.missing_left, tree.depth());
      ASSERT_TRUE(place);
      words_max = std::max(words_max, place->word_count);
      std::vector<Number> rows(kFeatures * kStride);
      for (Number& value : rows) value = random_value<Number>(random);
      std::vector<Number> columns;
      for (const std::uint32_t feature : masks.features()) {
        const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(feature * kStride);
        columns.insert(columns.end(), begin, begin + kStride);
      }
      std::vector<Number> sums(kRows, 1000);
      masks.add_leaves(*place, columns.data(), kStride, kRows, sums.data());
      for (std::size_t row = 0; row < kRows; ++row) {
        ASSERT_EQ(sums[row], 1000 + tree.leaf(rows.data() + row, kStride))
            << kernel.name << ", round " << round << ", row " << row;
      }
    }
    EXPECT_GT(words_max, 5U) << kernel.name;
  }
}

TYPED_TEST(LeafMasksOf, are_kept_of_trees_that_have_few_nodes_for_the_steps_down_to_most_leaves) {
  using Number = TypeParam;
  for (const auto& kernel : LeafMasks<Number>::all_kernels()) {
    LeafMasks<Number> masks(kernel);
    std::mt19937 random(4);
    const RandomTree<Number> small(random, 15, 0, 3);
    EXPECT_TRUE(masks.add(small.nodes, small.missing_left, small.depth())) << kernel.name;
    const RandomTree<Number> large(random, 511, 0, 3);
    EXPECT_FALSE(masks.add(large.nodes, large.missing_left, large.depth())) << kernel.name;
    // Deep in one place, and large in another: to say that all rows go so deep does not help it.
    EXPECT_FALSE(masks.add(large.nodes, large.missing_left, 64)) << kernel.name;
    EXPECT_TRUE(masks.add(small.nodes, small.missing_left, small.depth())) << kernel.name;
  }
}

}  // namespace
}  // namespace weir::model
