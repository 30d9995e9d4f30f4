#include "record/row_block.h"

#include <gtest/gtest.h>

namespace weir::record {
namespace {

TEST(RowBlock, is_column_major) {
  const RowBlock block{2, 3, {1, 2, 10, 20, 100, 200}, {0, 1}};
  EXPECT_EQ(block.value(0, 0), 1);
  EXPECT_EQ(block.value(1, 0), 2);
  EXPECT_EQ(block.value(0, 2), 100);
  EXPECT_EQ(block.value(1, 2), 200);
}

}  // namespace
}  // namespace weir::record
