#include "format/tensor_rows.h"

#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "format/feature_message.h"
#include "format/json_row.h"

namespace weir::format {
namespace {

using record::InputKind;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Tensor numbers(std::string name, std::vector<double> values, std::vector<std::int64_t> shape = {}) {
  if (shape.empty()) shape = {static_cast<std::int64_t>(values.size())};
  return {std::move(name), "FP64", std::move(shape), std::move(values), {}};
}

Tensor texts(std::string name, std::vector<std::string_view> values) {
  return {std::move(name), "BYTES", {static_cast<std::int64_t>(values.size())}, {}, values};
}

const record::Schema kNumbers{{"a", "b"}, "y"};

std::string refusal(const std::vector<Tensor>& tensors, const record::Schema& schema = kNumbers,
                    const CellEncoder* encoder = nullptr) {
  const auto rows = rows_of_tensors(tensors, schema, encoder);
  return rows ? "nothing was refused" : rows.error().message();
}

TEST(TensorRows, takes_all_features_in_one_or_one_each_in_any_order) {
  EXPECT_THAT(
      *rows_of_tensors(std::vector{numbers("features", {1, 2, 3, 4}, {2, 2})}, kNumbers, nullptr),
      ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(*rows_of_tensors(std::vector{numbers("b", {2, 4}), numbers("a", {1, 3}, {2, 1})},
                               kNumbers, nullptr),
              ElementsAre(1, 2, 3, 4));
  EXPECT_TRUE(
      rows_of_tensors(std::vector{numbers("features", {}, {0, 2})}, kNumbers, nullptr)->empty());
}

TEST(TensorRows, says_which_input_does_not_fit) {
  EXPECT_THAT(refusal({numbers("features", {1, 2}, {1, 2}), numbers("a", {1})}),
              HasSubstr("no feature 'features'"));
  EXPECT_THAT(refusal({numbers("features", {1, 2, 3}, {1, 3})}), HasSubstr("[rows, 2]"));
  EXPECT_THAT(refusal({numbers("a", {1})}), HasSubstr("no input 'b'"));
  EXPECT_THAT(refusal({numbers("a", {1}), numbers("a", {1})}), HasSubstr("'a' came twice"));
  EXPECT_THAT(refusal({numbers("a", {1}), numbers("b", {1, 2})}), HasSubstr("numbers of rows"));
  EXPECT_THAT(refusal({numbers("a", {1, 2}, {1, 2}), numbers("b", {1})}), HasSubstr("[rows, 1]"));
  EXPECT_THAT(refusal({texts("a", {"1"}), numbers("b", {1})}), HasSubstr("'a' is text"));
  for (const double odd : {kNaN, kInfinity}) {
    EXPECT_THAT(refusal({numbers("a", {odd}), numbers("b", {1})}), HasSubstr("not finite"));
    EXPECT_THAT(refusal({numbers("features", {odd, 1}, {1, 2})}), HasSubstr("not finite"));
  }
}

const record::Schema kMixed{{"size", "zone", "built", "tax"}, "price"};

record::Inputs mixed_inputs() {
  record::Inputs inputs;
  inputs.columns = {{InputKind::kNumber, true, false, {}},
                    {InputKind::kCategory, true, false, {"north", "7", "0.1"}},
                    {InputKind::kDateTime, true, false, {}},
                    {InputKind::kNumber, false, true, {}}};
  inputs.missing_words = {"NA", "-999"};
  return inputs;
}

// What a message of the same values becomes, or nothing where it is refused.
std::vector<double> of_message(const std::vector<Tensor>& tensors) {
  std::string message = "{";
  for (const Tensor& tensor : tensors) {
    if (message.size() > 1) message += ',';
    append_json_string(message, tensor.name);
    message += ':';
    if (tensor.is_text()) append_json_string(message, tensor.texts[0]);
    else if (std::isnan(tensor.numbers[0])) message += "null";
    else message += format_double(tensor.numbers[0]);
  }
  FeatureParser parser(kMixed, mixed_inputs());
  std::vector<double> row;
  parser.parse(message + "}", row);
  return row;
}

TEST(TensorRows, has_the_bits_that_the_same_values_have_as_a_message) {
  const CellEncoder encoder(mixed_inputs());
  std::vector<Tensor> sizes;
  std::vector<Tensor> zones;
  std::vector<Tensor> builts;
  std::vector<Tensor> taxes;
  for (const double number : {1.5, -999.0, -0.0, kNaN, kInfinity, 1e300, 0.1, 7.0}) {
    sizes.push_back(numbers("size", {number}));
    zones.push_back(numbers("zone", {number}));
    taxes.push_back(numbers("tax", {number}));
  }
  for (const char* text : {"north", " 7", "NA", "", "elsewhere", "2020-01-31", "\xff"}) {
    zones.push_back(texts("zone", {text}));
    builts.push_back(texts("built", {text}));
  }
  builts.push_back(numbers("built", {1}));
  sizes.push_back(texts("size", {"1.5"}));
  std::size_t taken = 0;
  for (const Tensor& size : sizes) {
    for (const Tensor& zone : zones) {
      for (const Tensor& built : builts) {
        for (const Tensor& tax : taxes) {
          const std::vector<Tensor> row = {size, zone, built, tax};
          const auto rows = rows_of_tensors(row, kMixed, &encoder);
          const std::vector<double> expected = of_message(row);
          ASSERT_EQ(rows.has_value(), !expected.empty()) << refusal(row, kMixed, &encoder);
          if (!rows) continue;
          ++taken;
          for (std::size_t i = 0; i < expected.size(); ++i) {
            ASSERT_EQ(std::bit_cast<std::uint64_t>((*rows)[i]),
                      std::bit_cast<std::uint64_t>(expected[i]));
          }
        }
      }
    }
  }
  EXPECT_GT(taken, 200u);
  EXPECT_THAT(refusal({numbers("size", {1}), texts("zone", {"\xff"}), texts("built", {""}),
                       numbers("tax", {1})},
                      kMixed, &encoder),
              HasSubstr("row 0: input 'zone' is not UTF-8"));
}

}  // namespace
}  // namespace weir::format
