#include "format/prediction_message.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

namespace weir::format {
namespace {

std::string written(const record::Prediction& prediction) {
  std::string out;
  EXPECT_TRUE(append_prediction(out, prediction));
  return out;
}

TEST(PredictionMessage, is_written_as_the_readers_expect) {
  EXPECT_EQ(written({{30.003}, false, 7, 9, 0, 41}),
            R"({"prediction": 30.003, "model": 7, "epoch": 9, "partition": 0, "offset": 41})");
  EXPECT_EQ(written({{30, 1.5}, true, 7, 9, 3, 41}),
            R"({"prediction": [30, 1.5], "model": 7, "epoch": 9, "partition": 3, "offset": 41})");
  EXPECT_EQ(written({{-1e300}, true, 18446744073709551615U, 0, 0, 9223372036854775807}),
            R"({"prediction": [-1e+300], "model": 18446744073709551615, "epoch": 0, )"
            R"("partition": 0, "offset": 9223372036854775807})");
}

TEST(PredictionMessage, is_appended_and_nothing_is_where_a_value_is_not_finite) {
  std::string out = "before ";
  EXPECT_FALSE(append_prediction(out, {{1, std::numeric_limits<double>::infinity()}, true}));
  EXPECT_FALSE(append_prediction(out, {{std::nan("")}}));
  EXPECT_EQ(out, "before ");
  EXPECT_TRUE(append_prediction(out, {{1}}));
  EXPECT_TRUE(out.starts_with("before {\"prediction\": 1, "));
}

TEST(PredictionMessage, reads_back_to_the_same_bits) {
  std::mt19937_64 random(9);
  for (int i = 0; i < 20'000; ++i) {
    record::Prediction prediction{{}, i % 3 == 0, random(), random()};
    prediction.partition = static_cast<std::int32_t>(random() % 1000);
    prediction.offset = static_cast<std::int64_t>(random() >> 1);
    for (std::uint64_t n = prediction.many ? random() % 4 : 1; n > 0; --n) {
      const double value = std::bit_cast<double>(random());
      prediction.values.push_back(std::isfinite(value) ? value : -0.0);
    }
    const std::string json = written(prediction);
    ASSERT_TRUE(nlohmann::json::accept(json)) << json;
    const auto back = parse_prediction(json);
    ASSERT_TRUE(back) << back.error().message();
    ASSERT_EQ(written(*back), json);
    ASSERT_EQ(back->many, prediction.many);
    ASSERT_EQ(back->values.size(), prediction.values.size());
    for (std::size_t k = 0; k < back->values.size(); ++k) {
      ASSERT_EQ(std::bit_cast<std::uint64_t>(back->values[k]),
                std::bit_cast<std::uint64_t>(prediction.values[k]));
    }
  }
}

TEST(PredictionMessage, of_another_hand_is_refused) {
  const std::string good = written({{30.5}, false, 7, 9, 0, 41});
  ASSERT_TRUE(parse_prediction(good));
  for (const std::string_view other :
       {R"({"prediction": 30.50, "model": 7, "epoch": 9, "partition": 0, "offset": 41})",
        R"({"prediction":30.5,"model":7,"epoch":9,"partition":0,"offset":41})",
        R"({"model": 7, "prediction": 30.5, "epoch": 9, "partition": 0, "offset": 41})",
        R"({"prediction": 30.5, "model": -7, "epoch": 9, "partition": 0, "offset": 41})",
        R"({"prediction": 30.5, "model": 07, "epoch": 9, "partition": 0, "offset": 41})",
        R"({"prediction": "x", "model": 7, "epoch": 9, "partition": 0, "offset": 41})",
        R"({"prediction": 1e999, "model": 7, "epoch": 9, "partition": 0, "offset": 41})",
        R"({"prediction": 30.5, "model": 7, "epoch": 9, "partition": 0, "offset": 41} )",
        R"({"prediction": 30.5, "model": 7, "epoch": 9, "partition": 0, "offset": 41, "x": 1})", "",
        "{}"}) {
    const auto parsed = parse_prediction(other);
    ASSERT_FALSE(parsed) << other;
    EXPECT_EQ(parsed.error().code(), Code::kBadData);
  }
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(parse_prediction(std::string_view(good).substr(0, length)));
  }
}

}  // namespace
}  // namespace weir::format
