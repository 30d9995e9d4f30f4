#include "train/predict_rows.h"

#include <numeric>

namespace weir::train {

std::vector<double> predict_rows(const model::Model& model, const record::RowBlock& rows,
                                 std::span<const std::size_t> columns) {
  std::vector<double> values(rows.rows * columns.size());
  for (std::size_t i = 0; i < rows.rows; ++i) {
    for (std::size_t j = 0; j < columns.size(); ++j) {
      values[i * columns.size() + j] = rows.value(i, columns[j]);
    }
  }
  std::vector<double> predictions(rows.rows);
  model.predict(values, predictions);
  return predictions;
}

std::vector<double> predict_rows(const model::Model& model, const record::RowBlock& rows) {
  std::vector<std::size_t> columns(model.schema().features.size());
  std::iota(columns.begin(), columns.end(), 0);
  return predict_rows(model, rows, columns);
}

}  // namespace weir::train
