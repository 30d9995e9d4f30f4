#include "serve/inference.h"

#include <gtest/gtest.h>

#include "model/boosted_model.h"

namespace weir::serve {
namespace {

// So many trees, each a step deep.
LiveModel stumps(std::size_t count) {
  const model::Tree stump{{0, -1, -1}, {0.5, 1, 2}, {1}};
  auto made = model::BoostedModel::make({{"a", "b"}, "y"}, 0, {count, stump});
  EXPECT_TRUE(made);
  return {1, {std::make_shared<model::BoostedModel>(std::move(*made)), {}}};
}

std::vector<double> rows(std::size_t count) { return std::vector<double>(2 * count); }

TEST(Inference, takes_for_little_work_what_few_rows_of_a_small_model_are) {
  const LiveModel small = stumps(100);
  EXPECT_TRUE(Inference::little_work(small, rows(1)));
  EXPECT_TRUE(Inference::little_work(small, rows(Inference::kRowsAtOnceMax)));
  EXPECT_FALSE(Inference::little_work(small, rows(Inference::kRowsAtOnceMax + 1)));
}

TEST(Inference, takes_no_request_for_little_work_that_a_huge_model_makes_long) {
  const LiveModel large = stumps(1'000);
  EXPECT_EQ(large.model().steps_of_row(), 2'000U);
  EXPECT_TRUE(Inference::little_work(large, rows(16)));
  EXPECT_FALSE(Inference::little_work(large, rows(17)));
}

}  // namespace
}  // namespace weir::serve
