#include "format/dead_letter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::format {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

constexpr DeadLetterPlace kPlace{"boston.features", 3, 41, "boston", "scorer-host-0"};

TEST(DeadLetter, has_the_headers_of_kafka_connect) {
  EXPECT_THAT(
      dead_letter_headers(kPlace, {FeatureRefusalKind::kMissingFeature, "feature 'zn' is missing"}),
      ElementsAre(Pair("__connect.errors.topic", "boston.features"),
                  Pair("__connect.errors.partition", "3"), Pair("__connect.errors.offset", "41"),
                  Pair("__connect.errors.connector.name", "boston"),
                  Pair("__connect.errors.task.id", "scorer-host-0"),
                  Pair("__connect.errors.stage", "VALUE_CONVERTER"),
                  Pair("__connect.errors.class.name", "weir.format.FeatureParser"),
                  Pair("__connect.errors.exception.class.name", "weir.refusal.missing_feature"),
                  Pair("__connect.errors.exception.message", "feature 'zn' is missing")));
}

TEST(DeadLetter, says_so_where_the_prediction_is_not_finite) {
  EXPECT_THAT(dead_letter_headers_not_finite(kPlace),
              ::testing::IsSupersetOf({Pair("__connect.errors.stage", "TRANSFORMATION"),
                                       Pair("__connect.errors.exception.class.name",
                                            "weir.refusal.prediction_not_finite")}));
}

TEST(DeadLetter, says_so_where_the_prediction_is_too_large) {
  EXPECT_THAT(dead_letter_headers_too_large(kPlace),
              ::testing::IsSupersetOf({Pair("__connect.errors.stage", "TRANSFORMATION"),
                                       Pair("__connect.errors.exception.class.name",
                                            "weir.refusal.prediction_too_large")}));
}

TEST(DeadLetter, keeps_a_hostile_name_on_one_line) {
  const auto headers = dead_letter_headers(kPlace, {FeatureRefusalKind::kNotJson, "a\nb\x1b[2J"});
  EXPECT_EQ(headers.back().second, "a\\nb\\x1b[2J");
}

}  // namespace
}  // namespace weir::format
