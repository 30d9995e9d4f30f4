#include "train/models_of_log.h"

#include <gtest/gtest.h>

namespace weir::train {
namespace {

TEST(ModelsOfLog, are_none_or_of_epochs_that_have_begun) {
  EXPECT_TRUE(check_models_are_of_log({}, "p.control", 0));
  EXPECT_TRUE(check_models_are_of_log({1, 3}, "p.control", 3));
  EXPECT_TRUE(check_models_are_of_log({3, 1}, "p.control", 7));
}

TEST(ModelsOfLog, are_refused_where_the_log_cannot_have_made_them) {
  for (const std::uint64_t epoch : {0, 2}) {
    const Status refused = check_models_are_of_log({3, 1}, "p.control", epoch);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::kBadConfig);
    for (const char* part : {"version 3", "p.control", "model.path", "control.unsigned_epochs"}) {
      EXPECT_NE(refused.error().message().find(part), std::string::npos) << part;
    }
  }
}

}  // namespace
}  // namespace weir::train
