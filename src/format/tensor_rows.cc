#include "format/tensor_rows.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/text.h"

namespace weir::format {
namespace {

constexpr std::size_t kShownMax = 100;

std::string quoted_name(std::string_view name) {
  return "'" + one_line(name.substr(0, kShownMax)) + "'";
}

Status refuse(std::string why) { return fail(Code::kInvalidArgument, std::move(why)); }

// The tensor of each feature, and how many rows they have.
struct Columns {
  std::vector<const Tensor*> of_feature;
  std::size_t rows = 0;
};

Result<Columns> place(std::span<const Tensor> tensors, const record::Schema& schema) {
  Columns columns;
  columns.of_feature.assign(schema.features.size(), nullptr);
  for (const Tensor& tensor : tensors) {
    // Most requests have them in the order of the schema.
    const auto next = static_cast<std::size_t>(&tensor - tensors.data());
    const auto feature = next < schema.features.size() && schema.features[next] == tensor.name
                             ? std::optional(next)
                             : schema.feature_index(tensor.name);
    if (!feature) {
      return fail(Code::kInvalidArgument, "the model has no feature " + quoted_name(tensor.name));
    }
    if (columns.of_feature[*feature] != nullptr) {
      return fail(Code::kInvalidArgument, "input " + quoted_name(tensor.name) + " came twice");
    }
    const bool column =
        tensor.shape.size() == 1 || (tensor.shape.size() == 2 && tensor.shape[1] == 1);
    if (!column) {
      return fail(Code::kInvalidArgument,
                  "input " + quoted_name(tensor.name) + " has the shape [rows] or [rows, 1]");
    }
    if (&tensor != tensors.data() && tensor.size() != columns.rows) {
      return fail(Code::kInvalidArgument, "the inputs have different numbers of rows");
    }
    columns.rows = tensor.size();
    columns.of_feature[*feature] = &tensor;
  }
  for (std::size_t i = 0; i < schema.features.size(); ++i) {
    if (columns.of_feature[i] != nullptr) continue;
    return fail(Code::kInvalidArgument, "there is no input " + quoted_name(schema.features[i]));
  }
  return columns;
}

Status check_finite(std::span<const double> values) {
  const bool all =
      std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
  return all ? Status() : refuse("an input is not finite");
}

Result<std::vector<double>> numbers_of_columns(const Columns& columns) {
  const std::size_t features = columns.of_feature.size();
  std::vector<double> values(columns.rows * features);
  for (std::size_t i = 0; i < features; ++i) {
    const Tensor& tensor = *columns.of_feature[i];
    if (tensor.is_text()) {
      return fail(Code::kInvalidArgument,
                  "input " + quoted_name(tensor.name) + " is text, the feature a number");
    }
    for (std::size_t row = 0; row < columns.rows; ++row) {
      values[row * features + i] = tensor.numbers[row];
    }
  }
  WEIR_TRY(check_finite(values));
  return values;
}

Status encode_column(const Tensor& tensor, std::size_t feature, const CellEncoder& encoder,
                     std::vector<double>& values, std::size_t features) {
  if (tensor.is_text() && encoder.kind(feature) == record::InputKind::kNumber) {
    return refuse("input " + quoted_name(tensor.name) + " is text, the feature a number");
  }
  for (std::size_t row = 0; row < tensor.size(); ++row) {
    double& value = values[row * features + feature];
    const auto fault_at = [&](std::string_view fault) {
      return refuse("row " + std::to_string(row) + ": input " + quoted_name(tensor.name) + " is " +
                    std::string(fault));
    };
    if (tensor.is_text()) {
      const std::string_view text = tensor.texts[row];
      // As in messages, which are UTF-8 or refused.
      if (!simdjson::validate_utf8(text)) return fault_at("not UTF-8");
      if (const auto fault = encoder.encode(feature, text, value)) {
        return fault_at(row_fault_text(*fault));
      }
    } else if (const auto fault = encoder.encode_number(feature, tensor.numbers[row], value)) {
      return fault_at(row_fault_text(*fault));
    }
  }
  return {};
}

}  // namespace

bool takes_all_features(const record::Schema& schema, const CellEncoder* encoder) {
  return encoder == nullptr && !schema.feature_index(kAllFeatures);
}

Result<std::vector<double>> rows_of_tensors(std::span<const Tensor> tensors,
                                            const record::Schema& schema,
                                            const CellEncoder* encoder) {
  const std::size_t features = schema.features.size();
  if (tensors.size() == 1 && tensors[0].name == kAllFeatures &&
      !schema.feature_index(kAllFeatures)) {
    const Tensor& all = tensors[0];
    if (all.is_text() || encoder != nullptr) {
      return fail(Code::kInvalidArgument,
                  "features that are not all numbers come as a tensor each, by their names");
    }
    if (all.shape.size() != 2 || all.shape[1] != static_cast<std::int64_t>(features)) {
      return fail(Code::kInvalidArgument,
                  "input 'features' has the shape [rows, " + std::to_string(features) + "]");
    }
    WEIR_TRY(check_finite(all.numbers));
    return all.numbers;
  }
  const Columns columns = WEIR_TRY(place(tensors, schema));
  if (encoder == nullptr) return numbers_of_columns(columns);
  std::vector<double> values(columns.rows * features);
  for (std::size_t i = 0; i < features; ++i) {
    WEIR_TRY(encode_column(*columns.of_feature[i], i, *encoder, values, features));
  }
  return values;
}

}  // namespace weir::format
