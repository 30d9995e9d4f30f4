#include "model/preparation_json.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "model/model_file.h"

namespace weir::model {
namespace {

using Json = nlohmann::json;

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

}  // namespace

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

std::string preparation_members(const Preparation& preparation) {
  const auto& inputs = preparation.inputs();
  std::string list = "[";
  for (std::size_t i = 0; i < inputs.columns.size(); ++i) {
    list += (i > 0 ? ",\n    " : "\n    ") + input_json(inputs.columns[i], preparation.fills()[i]);
  }
  return ",\n  \"inputs\": " + list +
         "],\n  \"missing_words\": " + json_array(inputs.missing_words, quoted) +
         ",\n  \"terms\": " + json_array(preparation.terms(), term_json);
}

}  // namespace weir::model
