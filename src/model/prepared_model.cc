#include "model/prepared_model.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "model/model_file.h"

namespace weir::model {
namespace {

using Json = nlohmann::json;

// Terms are objects in an array, with arrays of factors, which are arrays. Of values there are the
// categories of each input, and some for each term.
constexpr FileLimits kLimits{5, kColumnsMax * 16 + 500'000};
constexpr std::string_view kModelMember = ",\n  \"model\": ";
constexpr std::string_view kSealMember = ",\n  \"sha256\": ";

constexpr std::array<std::string_view, 5> kFactorNames = {"value", "log", "missing", "category",
                                                          "beyond"};
constexpr std::array kInputKinds = {record::InputKind::kNumber, record::InputKind::kCategory,
                                    record::InputKind::kDateTime};

std::string input_json(const record::Input& input, double fill) {
  std::string text = "{\"kind\":" + quoted(std::string(record::input_kind_name(input.kind)));
  if (input.may_be_missing) text += ",\"fill\":" + format_double(fill);
  if (input.positive) text += ",\"positive\":true";
  if (!input.categories.empty()) text += ",\"categories\":" + json_array(input.categories, quoted);
  return text + '}';
}

std::string factor_json(const Factor& factor) {
  const std::string_view name = kFactorNames[static_cast<std::size_t>(factor.kind)];
  std::string text = "[" + quoted(std::string(name)) + ',' + std::to_string(factor.input);
  if (factor.kind == Factor::Kind::kCategory || factor.kind == Factor::Kind::kBeyond) {
    text += ',' + std::to_string(factor.category);
  }
  return text + ']';
}

std::string term_json(const Term& term) {
  std::string text = "\n    {\"name\":" + quoted(term.name) +
                     ",\"factors\":" + json_array(term.factors, factor_json);
  if (term.shift != 0) text += ",\"shift\":" + format_double(term.shift);
  if (term.scale != 1) text += ",\"scale\":" + format_double(term.scale);
  return text + '}';
}

Result<record::Input> input_of(const Json& json, double& fill) {
  record::Input input;
  const std::string kind = json.at("kind");
  bool known = false;
  for (const record::InputKind each : kInputKinds) {
    if (record::input_kind_name(each) != kind) continue;
    input.kind = each;
    known = true;
  }
  if (!known) {
    return fail(Code::kUnsupported,
                "inputs of the kind '" + one_line(kind) + "' are not known to this program");
  }
  input.may_be_missing = json.contains("fill");
  fill = input.may_be_missing ? json["fill"].get<double>() : 0;
  input.positive = json.contains("positive") && json["positive"].get<bool>();
  if (json.contains("categories")) {
    input.categories = json["categories"].get<std::vector<std::string>>();
  }
  return input;
}

Result<Factor> factor_of(const Json& json) {
  Factor factor;
  const std::string name = json.at(0);
  std::size_t kind = 0;
  while (kind < kFactorNames.size() && kFactorNames[kind] != name) ++kind;
  if (kind == kFactorNames.size()) {
    return fail(Code::kUnsupported,
                "factors of the kind '" + one_line(name) + "' are not known to this program");
  }
  factor.kind = static_cast<Factor::Kind>(kind);
  factor.input = json.at(1).get<std::size_t>();
  if (json.size() > 2) factor.category = json.at(2).get<std::size_t>();
  return factor;
}

Result<Preparation> preparation_of(const Json& json) {
  record::Inputs inputs;
  std::vector<double> fills;
  for (const Json& each : json.at("inputs")) {
    double fill = 0;
    inputs.columns.push_back(WEIR_TRY(input_of(each, fill)));
    fills.push_back(fill);
  }
  inputs.missing_words = json.at("missing_words").get<std::vector<std::string>>();
  std::vector<Term> terms;
  for (const Json& each : json.at("terms")) {
    Term term;
    term.name = each.at("name");
    for (const Json& factor : each.at("factors")) {
      term.factors.push_back(WEIR_TRY(factor_of(factor)));
    }
    if (each.contains("shift")) term.shift = each["shift"];
    if (each.contains("scale")) term.scale = each["scale"];
    terms.push_back(std::move(term));
  }
  return Preparation::make(schema_of_file(json), std::move(inputs), std::move(fills),
                           std::move(terms));
}

}  // namespace

Result<std::unique_ptr<PreparedModel>> PreparedModel::make(Preparation preparation,
                                                           std::unique_ptr<Model> model) {
  WEIR_CHECK(model != nullptr);
  if (model->schema() != preparation.term_schema() || !model->inputs().plain()) {
    return fail(Code::kBadData, "the model within is not one of the preparation's terms");
  }
  std::unique_ptr<PreparedModel> made(new PreparedModel(std::move(preparation), std::move(model)));
  if (made->to_json().size() > kModelBytesMax) {
    return fail(Code::kBadData, "the names and categories are longer than a model file may be");
  }
  return made;
}

void PreparedModel::predict(std::span<const double> rows, std::span<double> out) const {
  WEIR_CHECK(rows.size() == out.size() * schema().features.size());
  model_->predict(preparation_.expand(rows), out);
}

std::string PreparedModel::to_json() const {
  std::string text = file_head(kPrepared, schema());
  const auto& inputs = preparation_.inputs();
  std::string list = "[";
  for (std::size_t i = 0; i < inputs.columns.size(); ++i) {
    list += (i > 0 ? ",\n    " : "\n    ") + input_json(inputs.columns[i], preparation_.fills()[i]);
  }
  text += ",\n  \"inputs\": " + list + ']';
  text += ",\n  \"missing_words\": " + json_array(inputs.missing_words, quoted);
  text += ",\n  \"terms\": " + json_array(preparation_.terms(), term_json);
  std::string within = model_->to_json();
  if (within.ends_with('\n')) within.pop_back();
  return sealed_file(std::move(text) + std::string(kModelMember) + within);
}

// The file within is cut out first: each of the two is held to its own limits. (No JSON string has
// a line feed in it, so what is looked for stands in no name.)
Result<std::unique_ptr<PreparedModel>> parse_prepared_model(std::string_view text) {
  const auto member = text.find(kModelMember);
  const auto seal = text.rfind(kSealMember);
  if (member == text.npos || seal == text.npos || seal < member + kModelMember.size()) {
    return fail(Code::kCorrupt, "there is no model within");
  }
  if (text.size() > kModelBytesMax) return fail(Code::kCorrupt, "the model is too large");
  const std::size_t begin = member + kModelMember.size();
  const std::string within = std::string(text.substr(begin, seal - begin)) + "\n";
  const std::string around =
      std::string(text.substr(0, begin)) + "null" + std::string(text.substr(seal));
  const Json json = WEIR_TRY(parse_envelope(around, kLimits));
  if (begins_as_file_of(kPrepared, within)) {
    return fail(Code::kCorrupt, "a prepared model within another");
  }
  auto model = WEIR_TRY(during(parse_model(within), "reading the model within"));
  try {
    auto preparation = preparation_of(json);
    if (!preparation) {
      const Code code = preparation.error().code();
      return fail(code == Code::kUnsupported ? code : Code::kCorrupt, preparation.error().reason());
    }
    auto made = PreparedModel::make(std::move(*preparation), std::move(model));
    if (!made) return fail(Code::kCorrupt, made.error().reason());
    WEIR_TRY(check_as_written(**made, json, text));
    return made;
  } catch (const Json::exception& e) {
    return fail(Code::kCorrupt, std::string("the model is not as it should be: ") + e.what());
  }
}

}  // namespace weir::model
