#include "model/boosted_model.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "model/model_file.h"

namespace weir::model {
namespace {

using Json = nlohmann::json;

// The document, the list of trees, a tree, its lists; a node has three values and half a flag.
constexpr FileLimits kLimits{4, 4 * kTreeNodesMax + 5 * kTreesMax + kColumnsMax + 16};
constexpr std::string_view kBinary64Name = "binary64";

std::string format_float(float value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  std::string text(digits.data(), end);
  const auto read = parse_finite_double(text);
  if (read && static_cast<float>(*read) == value) return text;
  return format_double(value);  // rounding twice would have led elsewhere
}

// As XGBoost does it: to nearest, and what is too large becomes infinite.
float to_float(double value) { return static_cast<float>(value); }

}  // namespace

Result<BoostedModel> BoostedModel::make(record::Schema schema, double base, std::vector<Tree> trees,
                                        Arithmetic arithmetic) {
  if (auto status = check_names(schema); !status) return fail(std::move(status.error()));
  const auto rounded = [&](double value) {
    return arithmetic == Arithmetic::kBinary32 ? static_cast<double>(to_float(value)) : value;
  };
  if (!std::isfinite(rounded(base))) return fail(Code::kBadData, "the base value is not finite");
  if (trees.size() > kTreesMax) {
    return fail(Code::kBadData, "there are " + std::to_string(trees.size()) +
                                    " trees; a model has " + std::to_string(kTreesMax) +
                                    " at most");
  }
  // -0, which JSON readers lose, becomes 0.
  for (Tree& tree : trees) {
    for (double& value : tree.value) value = rounded(value) + 0.0;
    for (double& cover : tree.cover) cover += 0.0;
  }
  BoostedModel model(std::move(schema), rounded(base) + 0.0, std::move(trees), arithmetic);
  for (const Tree& tree : model.trees_) {
    const std::size_t features = model.schema_.features.size();
    WEIR_TRY(arithmetic == Arithmetic::kBinary32 ? model.forest32_.add(tree, features)
                                                 : model.forest64_.add(tree, features));
  }
  if (model.to_json().size() > kModelBytesMax) {
    return fail(Code::kBadData, "the model is larger than " + format_bytes(kModelBytesMax) +
                                    ", which is what a model file may hold");
  }
  return model;
}

void BoostedModel::predict(std::span<const double> rows, std::span<double> out) const {
  const std::size_t features = schema_.features.size();
  if (arithmetic_ == Arithmetic::kBinary32) {
    forest32_.predict(rows, features, to_float(base_), out);
  } else {
    forest64_.predict(rows, features, base_, out);
  }
}

// ---- the file ----

std::string BoostedModel::to_json() const {
  std::string text = file_head(algorithm(), schema_);
  const bool wide = arithmetic_ == Arithmetic::kBinary64;
  const auto number = [&](double value) {
    return wide ? format_double(value) : format_float(to_float(value));
  };
  if (wide) text += ",\n  \"arithmetic\": " + quoted(std::string(kBinary64Name));
  text += ",\n  \"base\": " + number(base_);
  text += ",\n  \"trees\": [";
  const auto whole = [](auto value) { return std::to_string(value); };
  for (std::size_t i = 0; i < trees_.size(); ++i) {
    const Tree& tree = trees_[i];
    text += i == 0 ? "\n" : ",\n";
    text += "    {\"feature\": " + json_array(tree.feature, whole);
    text += ", \"value\": " + json_array(tree.value, number);
    text += ", \"missing_left\": " + json_array(tree.missing_left, whole);
    if (!tree.cover.empty()) text += ", \"cover\": " + json_array(tree.cover, format_double);
    text += '}';
  }
  text += trees_.empty() ? "]" : "\n  ]";
  return sealed_file(std::move(text));
}

namespace {

template <typename Number>
std::vector<Number> numbers(const Json& list) {
  std::vector<Number> values;
  values.reserve(list.size());
  for (const Json& value : list.get_ref<const Json::array_t&>()) {
    if constexpr (std::is_same_v<Number, double>) {
      if (!value.is_number()) return {};  // too few for the tree, which is then refused
      values.push_back(value.get<double>());
    } else {
      if (!value.is_number_integer()) return {};
      const auto number = value.get<std::int64_t>();
      if (number < std::numeric_limits<Number>::min() ||
          number > std::numeric_limits<Number>::max()) {
        return {};
      }
      values.push_back(static_cast<Number>(number));
    }
  }
  return values;
}

}  // namespace

Result<BoostedModel> parse_boosted_model(std::string_view text) {
  const Json json = WEIR_TRY(parse_envelope(text, kLimits));
  try {
    if (json.at("algorithm") != kBoosted) {
      return fail(Code::kUnsupported, "the model is not a boosted one but of the algorithm " +
                                          json.at("algorithm").dump());
    }
    Arithmetic arithmetic = Arithmetic::kBinary32;
    if (const auto named = json.find("arithmetic"); named != json.end()) {
      if (*named != kBinary64Name) {
        return fail(Code::kUnsupported,
                    "the arithmetic " + named->dump() + " is not known to this program");
      }
      arithmetic = Arithmetic::kBinary64;
    }
    std::vector<Tree> trees;
    for (const Json& tree : json.at("trees").get_ref<const Json::array_t&>()) {
      trees.push_back(
          {numbers<std::int32_t>(tree.at("feature")), numbers<double>(tree.at("value")),
           numbers<std::uint8_t>(tree.at("missing_left")),
           tree.contains("cover") ? numbers<double>(tree.at("cover")) : std::vector<double>()});
    }
    if (!json.at("base").is_number()) return fail(Code::kCorrupt, "the base value is no number");
    auto model = BoostedModel::make(schema_of_file(json), json.at("base").get<double>(),
                                    std::move(trees), arithmetic);
    if (!model) return fail(Code::kCorrupt, model.error().reason());
    WEIR_TRY(check_as_written(*model, json, text));
    return std::move(*model);
  } catch (const Json::exception& e) {
    return fail(Code::kCorrupt, std::string("the model is not as it should be: ") + e.what());
  }
}

}  // namespace weir::model
