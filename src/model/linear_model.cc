#include "model/linear_model.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "model/model_file.h"

namespace weir::model {
namespace {

using Json = nlohmann::json;

// An object with arrays in it, of two values per feature.
constexpr FileLimits kLimits{2, 2 * kColumnsMax + 16};

}  // namespace

LinearModel::LinearModel(record::Schema schema, double intercept, std::vector<double> coefficients)
    : schema_(std::move(schema)), intercept_(intercept), coefficients_(std::move(coefficients)) {}

Result<LinearModel> LinearModel::make(record::Schema schema, double intercept,
                                      std::vector<double> coefficients) {
  if (auto status = check_names(schema); !status) return fail(std::move(status.error()));
  if (coefficients.size() != schema.features.size()) {
    return fail(Code::kBadData, "there are " + std::to_string(coefficients.size()) +
                                    " coefficients for " + std::to_string(schema.features.size()) +
                                    " features");
  }
  if (!std::isfinite(intercept)) return fail(Code::kBadData, "the intercept is not finite");
  intercept += 0.0;  // -0, which JSON readers lose, becomes 0
  for (std::size_t j = 0; j < coefficients.size(); ++j) {
    if (!std::isfinite(coefficients[j])) {
      return fail(Code::kBadData,
                  "the coefficient of column '" + schema.features[j] + "' is not finite");
    }
    coefficients[j] += 0.0;
  }
  LinearModel model(std::move(schema), intercept, std::move(coefficients));
  if (model.to_json().size() > kModelBytesMax) {
    return fail(Code::kBadData, "the names of the columns are longer than a model file may be");
  }
  return model;
}

void LinearModel::predict(std::span<const double> rows, std::span<double> out) const {
  const std::size_t features = coefficients_.size();
  WEIR_CHECK(rows.size() == out.size() * features);
  const double* const b = coefficients_.data();
  const double* x = rows.data();
  // Four rows side by side, as each row's sum is one long chain of additions.
  std::size_t i = 0;
  for (; i + 4 <= out.size(); i += 4, x += 4 * features) {
    double p0 = intercept_, p1 = intercept_, p2 = intercept_, p3 = intercept_;
    for (std::size_t j = 0; j < features; ++j) {
      p0 += b[j] * x[j];
      p1 += b[j] * x[features + j];
      p2 += b[j] * x[2 * features + j];
      p3 += b[j] * x[3 * features + j];
    }
    out[i] = p0;
    out[i + 1] = p1;
    out[i + 2] = p2;
    out[i + 3] = p3;
  }
  for (; i < out.size(); ++i, x += features) {
    double p = intercept_;
    for (std::size_t j = 0; j < features; ++j) p += b[j] * x[j];
    out[i] = p;
  }
}

std::string LinearModel::to_json() const {
  std::string text = file_head(algorithm(), schema_);
  text += ",\n  \"intercept\": " + format_double(intercept_);
  text += ",\n  \"coefficients\": " + json_array(coefficients_, format_double);
  return sealed_file(std::move(text));
}

Result<LinearModel> parse_linear_model(std::string_view text) {
  const Json json = WEIR_TRY(parse_envelope(text, kLimits));
  try {
    if (json.at("algorithm") != kLinear) {
      return fail(Code::kUnsupported,
                  "the algorithm " + json.at("algorithm").dump() + " is not known to this program");
    }
    record::Schema schema = schema_of_file(json);
    std::vector<double> coefficients;
    for (const Json& coefficient : json.at("coefficients")) {
      if (!coefficient.is_number()) return fail(Code::kCorrupt, "a coefficient is no number");
      coefficients.push_back(coefficient.get<double>());
    }
    if (!json.at("intercept").is_number()) {
      return fail(Code::kCorrupt, "the intercept is no number");
    }
    auto model = LinearModel::make(std::move(schema), json.at("intercept").get<double>(),
                                   std::move(coefficients));
    if (!model) return fail(Code::kCorrupt, model.error().reason());
    WEIR_TRY(check_as_written(*model, json, text));
    return std::move(*model);
  } catch (const Json::exception& e) {
    return fail(Code::kCorrupt, std::string("the model is not as it should be: ") + e.what());
  }
}

}  // namespace weir::model
