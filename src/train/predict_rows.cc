#include "train/predict_rows.h"

#include <algorithm>
#include <cmath>

namespace weir::train {

std::vector<double> predict_rows(const model::Model& model, const record::RowBlock& rows) {
  const std::size_t features = model.schema().features.size();
  std::vector<double> values(rows.rows * features);
  for (std::size_t i = 0; i < rows.rows; ++i) {
    for (std::size_t j = 0; j < features; ++j) values[i * features + j] = rows.value(i, j);
  }
  std::vector<double> predictions(rows.rows);
  model.predict(values, predictions);
  return predictions;
}

tl::expected<std::vector<double>, std::string> predict_foreign_rows(
    const model::Model& model, const record::RowBlock& rows, const record::Inputs& inputs,
    std::span<const std::size_t> columns) {
  static const record::Input number;
  record::RowBlock own;
  own.rows = rows.rows;
  own.columns = columns.size() + 1;
  own.values.resize(own.rows * own.columns);
  for (std::size_t j = 0; j < columns.size(); ++j) {
    const record::Input& theirs = inputs.plain() ? number : inputs.columns[columns[j]];
    const record::Input& wanted = model.inputs().plain() ? number : model.inputs().columns[j];
    const std::string name = "column '" + model.schema().features[j] + "'";
    if (theirs.kind != wanted.kind) {
      return tl::unexpected(name + " is a " + std::string(record::input_kind_name(theirs.kind)) +
                            " now, and a " + std::string(record::input_kind_name(wanted.kind)) +
                            " for that model");
    }
    std::vector<double> place(theirs.categories.size() + 1,
                              static_cast<double>(wanted.categories.size()));
    for (std::size_t k = 0; k < theirs.categories.size(); ++k) {
      const auto found =
          std::find(wanted.categories.begin(), wanted.categories.end(), theirs.categories[k]);
      place[k] = static_cast<double>(found - wanted.categories.begin());
    }
    for (std::size_t i = 0; i < rows.rows; ++i) {
      double value = rows.value(i, columns[j]);
      if (std::isnan(value) && !wanted.may_be_missing) {
        return tl::unexpected(name + " is missing in some rows, which that model does not take");
      }
      if (theirs.kind == record::InputKind::kCategory && !std::isnan(value)) {
        value = place[static_cast<std::size_t>(value)];
      }
      own.values[j * own.rows + i] = value;
    }
  }
  return predict_rows(model, own);
}

}  // namespace weir::train
