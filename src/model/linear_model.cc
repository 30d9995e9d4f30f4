#include "model/linear_model.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/sha256.h"
#include "base/text.h"

namespace weir::model {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kFormat = "weirkeeper-model";
constexpr std::uint64_t kFormatVersion = 1;
constexpr int kDepthMax = 2;  // an object with arrays in it

std::string quoted(const std::string& text) { return Json(text).dump(); }

bool is_utf8(const std::string& text) {
  try {
    quoted(text);
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

Status check_names(const record::Schema& schema) {
  std::set<std::string_view> names;
  const auto check = [&](const std::string& name) -> Status {
    if (name.empty()) return fail(Code::kBadData, "a column has no name");
    if (!is_utf8(name)) return fail(Code::kBadData, "column '" + name + "' is not named in UTF-8");
    if (!names.insert(name).second) {
      return fail(Code::kBadData, "two columns have the name '" + name + "'");
    }
    return {};
  };
  if (schema.features.empty()) return fail(Code::kBadData, "there are no features");
  if (schema.features.size() >= kColumnsMax) {
    return fail(Code::kBadData, "there are " + std::to_string(schema.features.size()) +
                                    " features; a model has less than " +
                                    std::to_string(kColumnsMax));
  }
  for (const std::string& feature : schema.features) {
    if (auto status = check(feature); !status) return status;
  }
  return check(schema.target);
}

template <typename Range, typename Write>
std::string json_array(const Range& range, Write write) {
  std::string text = "[";
  for (const auto& element : range) {
    if (text.size() > 1) text += ',';
    text += write(element);
  }
  return text + ']';
}

// The parser would build any depth and any number of values in memory; a model has two levels, and
// two values per feature.
bool too_deep_or_wide(std::string_view json) {
  int depth = 0;
  std::size_t commas = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kDepthMax) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == ',') {
      if (++commas > 2 * kColumnsMax + 16) return true;
    }
  }
  return false;
}

// What is common to all algorithms and versions: the members "format", "format_version" and
// "algorithm".
Result<Json> parse_envelope(std::string_view text) {
  if (text.size() > kModelBytesMax) {
    return fail(Code::kCorrupt, "a model of " + format_bytes(text.size()) +
                                    " is over the limit of " + format_bytes(kModelBytesMax));
  }
  if (too_deep_or_wide(text)) {
    return fail(Code::kCorrupt, "the JSON is deeper or has more values than a model's");
  }
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return fail(Code::kCorrupt, "the model is no whole JSON object");
  if (json.value("format", Json()) != kFormat) {
    return fail(Code::kCorrupt, "the JSON is not that of a model: \"format\" is not \"" +
                                    std::string(kFormat) + '"');
  }
  const Json version = json.value("format_version", Json());
  if (!version.is_number_unsigned() || version == 0) {
    return fail(Code::kCorrupt, "\"format_version\" is no positive whole number");
  }
  if (version > kFormatVersion) {
    return fail(Code::kUnsupported, "the model has format version " + version.dump() +
                                        "; this program knows versions up to " +
                                        std::to_string(kFormatVersion));
  }
  if (!json.value("algorithm", Json()).is_string()) {
    return fail(Code::kCorrupt, "\"algorithm\" is no text");
  }
  return json;
}

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
  std::string text = "{\n  \"format\": " + quoted(std::string(kFormat));
  text += ",\n  \"format_version\": " + std::to_string(kFormatVersion);
  text += ",\n  \"algorithm\": \"linear\"";
  text += ",\n  \"target\": " + quoted(schema_.target);
  text += ",\n  \"features\": " + json_array(schema_.features, quoted);
  text += ",\n  \"schema_sha256\": " + quoted(schema_.hash());
  text += ",\n  \"intercept\": " + format_double(intercept_);
  text += ",\n  \"coefficients\": " + json_array(coefficients_, format_double);
  const std::string seal = sha256_hex(text);
  return text + ",\n  \"sha256\": " + quoted(seal) + "\n}\n";
}

Result<LinearModel> parse_linear_model(std::string_view text) {
  const Json json = WEIR_TRY(parse_envelope(text));
  try {
    if (json.at("algorithm") != "linear") {
      return fail(Code::kUnsupported,
                  "the algorithm " + json.at("algorithm").dump() + " is not known to this program");
    }
    record::Schema schema{json.at("features").get<std::vector<std::string>>(),
                          json.at("target").get<std::string>()};
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
    if (json.at("schema_sha256") != model->schema().hash()) {
      return fail(Code::kCorrupt, "\"schema_sha256\" does not fit the names of the columns");
    }
    // There is one way to write a model down. Whatever else is in the text, be it one byte, was not
    // written by this program.
    if (model->to_json() != text) {
      return fail(Code::kCorrupt, "the model is not as it was written: its sha256 does not fit");
    }
    return std::move(*model);
  } catch (const Json::exception& e) {
    return fail(Code::kCorrupt, std::string("the model is not as it should be: ") + e.what());
  }
}

Result<std::unique_ptr<Model>> parse_model(std::string_view text) {
  // One algorithm so far; parse_linear_model names any other as unsupported.
  LinearModel model = WEIR_TRY(parse_linear_model(text));
  return std::make_unique<LinearModel>(std::move(model));
}

}  // namespace weir::model
