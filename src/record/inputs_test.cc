#include "record/inputs.h"

#include <gtest/gtest.h>

#include <cmath>

namespace weir::record {
namespace {

TEST(Inputs, say_which_numbers_a_row_can_have) {
  Input number;
  EXPECT_TRUE(may_be_value(number, -1e300));
  EXPECT_FALSE(may_be_value(number, INFINITY));
  EXPECT_FALSE(may_be_value(number, NAN));
  number.may_be_missing = true;
  EXPECT_TRUE(may_be_value(number, NAN));
  number.positive = true;
  EXPECT_FALSE(may_be_value(number, 0));
  Input category;
  category.kind = InputKind::kCategory;
  category.categories = {"a", "b"};
  EXPECT_TRUE(may_be_value(category, 2)) << "one that was not known";
  EXPECT_FALSE(may_be_value(category, 3));
  EXPECT_FALSE(may_be_value(category, 0.5));
  Input moment;
  moment.kind = InputKind::kDateTime;
  EXPECT_TRUE(may_be_value(moment, 978'307'200));
  EXPECT_TRUE(may_be_value(moment, -62'135'596'800.0)) << "the year 1";
  EXPECT_FALSE(may_be_value(moment, 1e277)) << "no text says it";
  EXPECT_FALSE(may_be_value(moment, -1e12));
}

}  // namespace
}  // namespace weir::record
