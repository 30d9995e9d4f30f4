#include "serve/held_out_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::serve {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(HeldOutValues, are_those_of_the_target_by_row) {
  const auto values = held_out_values("weir_row,a,\"y,1\",b\n7,1,2.5,3\n12,x,\"9\",4\n", "y,1");
  ASSERT_TRUE(values) << values.error().message();
  EXPECT_THAT(*values, ElementsAre(Pair("12", "9"), Pair("7", "2.5")));
}

TEST(HeldOutValues, of_a_file_without_the_column_are_none) {
  EXPECT_EQ(held_out_values("weir_row,a\n1,2\n", "y").error().code(), Code::kCorrupt);
  EXPECT_FALSE(held_out_values("", "y"));
}

TEST(HeldOutValues, leave_out_rows_that_are_too_short) {
  EXPECT_THAT(*held_out_values("weir_row,a,y\n1,2,3\n2\n", "y"), ElementsAre(Pair("1", "3")));
}

}  // namespace
}  // namespace weir::serve
