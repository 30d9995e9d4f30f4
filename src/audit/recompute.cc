#include "audit/recompute.h"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>

namespace weir::audit {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;
using simdjson::dom::object;

constexpr std::size_t kCellsMax = 262'144;  // of a table that lacks columns

bool is_number(element value) {
  const element_type type = value.type();
  return type == element_type::DOUBLE || type == element_type::INT64 ||
         type == element_type::UINT64;
}

// A whole number that fits 64 bits is converted once, to nearest: the double that its text names.
double number_of(element value) {
  switch (value.type()) {
    case element_type::INT64: return static_cast<double>(value.get_int64().value_unsafe());
    case element_type::UINT64: return static_cast<double>(value.get_uint64().value_unsafe());
    default: return value.get_double().value_unsafe();
  }
}

AuditValue audit_value_of(element value, std::string& spelt) {
  switch (value.type()) {
    case element_type::NULL_VALUE: return {AuditValue::Kind::kNull, {}, 0};
    case element_type::BOOL:
      return {AuditValue::Kind::kTruth, value.get_bool().value_unsafe() ? "true" : "false", 0};
    case element_type::STRING:
      return {AuditValue::Kind::kText, value.get_string().value_unsafe(), 0};
    case element_type::INT64: spelt = std::to_string(value.get_int64().value_unsafe()); break;
    case element_type::UINT64: spelt = std::to_string(value.get_uint64().value_unsafe()); break;
    case element_type::DOUBLE: return {AuditValue::Kind::kFraction, {}, number_of(value)};
    default: return {};
  }
  return {AuditValue::Kind::kWhole, spelt, number_of(value)};
}

}  // namespace

bool same_number(double a, double b) {
  return a == b || std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

Result<AuditModel> AuditModel::parse(std::string_view model_json) {
  try {
    return parse_document(nlohmann::json::parse(model_json, nullptr, false));
  } catch (const nlohmann::json::exception& e) {
    return fail(Code::kCorrupt, std::string("the model is not as it should be: ") + e.what());
  }
}

Result<AuditModel> AuditModel::parse_document(const nlohmann::json& json) {
  AuditModel model;
  if (json.at("format") != "weirkeeper-model") {
    return fail(Code::kCorrupt, "not a model of this program");
  }
  std::size_t names = 0;
  for (const auto& name : json.at("features")) {
    model.index_.emplace(name.get<std::string>(), names++);
  }
  if (model.index_.size() != names || names == 0) {
    return fail(Code::kCorrupt, "features, all of different names, are needed");
  }
  const std::string algorithm = json.at("algorithm");
  if (algorithm == "linear") {
    WEIR_TRY(model.parse_linear(json));
  } else if (algorithm == "boosted") {
    model.trees_ = WEIR_TRY(AuditTrees::parse(json, names));
  } else if (algorithm == "prepared") {
    model.inputs_ = WEIR_TRY(AuditInputs::parse(json, names));
    auto within = WEIR_TRY(parse_document(json.at("model")));
    if (within.inputs_ || within.features() != model.inputs_->terms()) {
      return fail(Code::kCorrupt, "the model within is not one of the terms");
    }
    model.within_ = std::make_shared<const AuditModel>(std::move(within));
  } else {
    return fail(Code::kCorrupt, "neither a linear model nor one of trees");
  }
  return model;
}

Status AuditModel::parse_linear(const nlohmann::json& json) {
  intercept_ = json.at("intercept");
  coefficients_ = json.at("coefficients").get<std::vector<double>>();
  if (coefficients_.size() == features()) return {};
  return fail(Code::kCorrupt, "as many coefficients as features are needed");
}

std::optional<std::size_t> AuditModel::index_of(std::string_view name) const {
  const auto found = index_.find(name);
  if (found == index_.end()) return std::nullopt;
  return found->second;
}

double AuditModel::predict(const double* row) const {
  if (inputs_) {
    std::vector<double> terms;
    inputs_->make_terms(row, terms);
    return within_->predict(terms.data());
  }
  if (trees_) return trees_->predict(row);
  double value = intercept_;
  for (std::size_t i = 0; i < coefficients_.size(); ++i) {
    const double product = coefficients_[i] * row[i];
    value = value + product;
  }
  return value;
}

struct Recomputer::State {
  const Expectation& refuse(std::string_view why) {
    expectation.verdict = Expectation::Verdict::kRefused;
    expectation.why = why;
    return expectation;
  }

  // False: the expectation says why not.
  bool take(const AuditModel& model, std::size_t feature, element value, double& number) {
    if (model.inputs() == nullptr) {
      if (is_number(value)) {
        number = number_of(value);
        return true;
      }
      refuse("a feature that is no number");
      return false;
    }
    const auto verdict = model.inputs()->value_of(feature, audit_value_of(value, spelt), number);
    if (verdict == AuditInputs::Verdict::kRefused) refuse("a feature that is not of its kind");
    if (verdict == AuditInputs::Verdict::kUnknown) {
      expectation.verdict = Expectation::Verdict::kUnknown;
    }
    return verdict == AuditInputs::Verdict::kTaken;
  }
  bool take_nothing(const AuditModel& model, std::size_t feature, double& number) {
    if (model.inputs() != nullptr &&
        model.inputs()->value_of_nothing(feature, number) == AuditInputs::Verdict::kTaken) {
      return true;
    }
    refuse("a feature is missing");
    return false;
  }

  const Expectation& expect_flat(const AuditModel& model, object members) {
    row.assign(model.features(), 0);
    seen.assign(model.features(), false);
    for (const auto& member : members) {
      const auto at = model.index_of(member.key);
      if (!at) continue;
      if (seen[*at]) return refuse("a feature twice");
      if (!take(model, *at, member.value, row[*at])) return expectation;
      seen[*at] = true;
    }
    for (std::size_t i = 0; i < seen.size(); ++i) {
      if (!seen[i] && !take_nothing(model, i, row[i])) return expectation;
    }
    expectation.values.push_back(model.predict(row.data()));
    expectation.verdict = Expectation::Verdict::kScored;
    return expectation;
  }

  // {"crim": {"12": 0.1, "13": 0.2}, "zn": {"13": 0, "12": 1}}: rows by label, in the order of the
  // column of the model's first feature.
  const Expectation& expect_table(const AuditModel& model, object columns) {
    expectation.many = true;
    std::vector<std::optional<object>> column_of(model.features());
    for (const auto& column : columns) {
      const auto at = model.index_of(column.key);
      if (!at) continue;
      if (column_of[*at]) return refuse("a feature twice");
      object cells;
      if (column.value.get_object().get(cells)) return refuse("a column that is no object");
      column_of[*at] = cells;
    }
    // Where the first feature is missing, the message's first column of a feature has the order.
    std::optional<object> labelled = column_of[0];
    double nothing = 0;
    for (std::size_t i = 0; i < column_of.size(); ++i) {
      if (!column_of[i] && !take_nothing(model, i, nothing)) return expectation;
    }
    for (const auto& column : columns) {
      if (labelled) break;
      if (const auto at = model.index_of(column.key)) labelled = column_of[*at];
    }
    if (!labelled) return refuse("no rows");
    std::map<std::string_view, std::size_t> row_of;
    for (const auto& cell : *labelled) {
      const std::size_t at = row_of.size();
      if (!row_of.emplace(cell.key, at).second) return refuse("a row label twice");
    }
    if (row_of.empty()) return refuse("no rows");
    const bool all_there = std::all_of(column_of.begin(), column_of.end(),
                                       [](const auto& column) { return column.has_value(); });
    if (!all_there && row_of.size() > kCellsMax / model.features()) return refuse("too many gaps");
    row.assign(row_of.size() * model.features(), 0);
    for (std::size_t column = 0; column < column_of.size(); ++column) {
      seen.assign(row_of.size(), false);
      std::size_t cells = 0;
      if (!column_of[column]) {
        for (std::size_t i = 0; i < row_of.size(); ++i)
          row[i * model.features() + column] = nothing;
        continue;
      }
      for (const auto& cell : *column_of[column]) {
        const auto at = row_of.find(cell.key);
        if (at == row_of.end() || seen[at->second]) return refuse("columns of different rows");
        double& number = row[at->second * model.features() + column];
        if (!take(model, column, cell.value, number)) return expectation;
        seen[at->second] = true;
        ++cells;
      }
      if (cells != row_of.size()) return refuse("columns of different rows");
    }
    for (std::size_t i = 0; i < row_of.size(); ++i) {
      expectation.values.push_back(model.predict(row.data() + i * model.features()));
    }
    expectation.verdict = Expectation::Verdict::kScored;
    return expectation;
  }

  simdjson::dom::parser parser;
  Expectation expectation;
  std::vector<double> row;
  std::vector<char> seen;
  std::string spelt;  // a whole number's digits
};

Recomputer::Recomputer() : state_(std::make_unique<State>()) {}
Recomputer::~Recomputer() = default;

const Expectation& Recomputer::expect(const AuditModel& model, std::string_view message) {
  State& state = *state_;
  state.expectation.values.clear();
  state.expectation.many = false;
  state.expectation.why = {};
  if (message.empty()) return state.refuse("no value");
  element document;
  const auto error = state.parser.parse(message.data(), message.size(), true).get(document);
  if (error == simdjson::NUMBER_ERROR || error == simdjson::CAPACITY ||
      error == simdjson::DEPTH_ERROR || error == simdjson::MEMALLOC) {
    state.expectation.verdict = Expectation::Verdict::kUnknown;
    return state.expectation;
  }
  if (error) return state.refuse("not JSON");
  object members;
  if (document.get_object().get(members)) return state.refuse("not an object");
  const Expectation& expected = [&]() -> const Expectation& {
    object columns;
    if (members.size() == 1 && !(*members.begin()).value.get_object().get(columns)) {
      return state.expect_table(model, columns);
    }
    return state.expect_flat(model, members);
  }();
  if (expected.verdict != Expectation::Verdict::kScored) return expected;
  for (const double value : expected.values) {
    if (!std::isfinite(value)) return state.refuse("a prediction that is not finite");
  }
  return expected;
}

}  // namespace weir::audit
