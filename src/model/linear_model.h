// A linear model: an intercept, and one coefficient per feature in the schema's order.
//
// The arithmetic is a promise, so that anyone can check a prediction: in IEEE 754 binary64, each
// operation rounded to nearest, never fused,
//
//   p = intercept;  for each feature j in the schema's order:  p = p + (coefficient[j] * x[j])
//
// File format (to_json), version 1; "sha256" is of all bytes before the comma that precedes it, and
// only these very bytes, as to_json writes them, are accepted back:
//
//   {
//     "format": "weirkeeper-model",
//     "format_version": 1,
//     "algorithm": "linear",
//     "target": "medv",
//     "features": ["crim","zn"],
//     "schema_sha256": "…",
//     "intercept": 36.45948838509,
//     "coefficients": [-0.10801135783679,0.04642045836688],
//     "sha256": "…"
//   }
//
// Owner: as Model. Threads: const calls from any.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/model.h"

namespace weir::model {

class LinearModel final : public Model {
 public:
  // kBadData: a number that is not finite, names that are empty, repeated or no UTF-8, no features,
  // another number of coefficients than of features, or more than a model file may hold.
  static Result<LinearModel> make(record::Schema schema, double intercept,
                                  std::vector<double> coefficients);

  std::string_view algorithm() const override { return kLinear; }
  const record::Schema& schema() const override { return schema_; }
  void predict(std::span<const double> rows, std::span<double> out) const override;
  std::string to_json() const override;

  double intercept() const { return intercept_; }
  std::span<const double> coefficients() const { return coefficients_; }

 private:
  LinearModel(record::Schema schema, double intercept, std::vector<double> coefficients);

  record::Schema schema_;
  double intercept_;
  std::vector<double> coefficients_;
};

// The inverse of LinearModel::to_json; errors as parse_model.
Result<LinearModel> parse_linear_model(std::string_view json);

}  // namespace weir::model
