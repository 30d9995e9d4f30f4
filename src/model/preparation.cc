#include "model/preparation.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "model/model.h"
#include "model/model_file.h"
#include "model/natural_log.h"

namespace weir::model {
namespace {

constexpr std::size_t kFactorsMax = 2;

bool of_categories(Factor::Kind kind) {
  return kind == Factor::Kind::kCategory || kind == Factor::Kind::kBeyond;
}

Error bad(std::string reason) { return {Code::kBadData, std::move(reason)}; }

}  // namespace

Result<Preparation> Preparation::make(record::Schema schema, record::Inputs inputs,
                                      std::vector<double> fills, std::vector<Term> terms) {
  Preparation made;
  made.schema_ = std::move(schema);
  made.inputs_ = std::move(inputs);
  made.fills_ = std::move(fills);
  made.terms_ = std::move(terms);
  for (double& fill : made.fills_) fill += 0.0;  // -0, which JSON readers lose, becomes 0
  for (Term& term : made.terms_) term.shift += 0.0;
  made.term_schema_.target = made.schema_.target;
  for (const Term& term : made.terms_) made.term_schema_.features.push_back(term.name);
  WEIR_TRY(made.check());
  return made;
}

Status Preparation::check() const {
  WEIR_TRY(check_names(schema_));
  if (terms_.empty()) return fail(bad("no feature is left to make a model of"));
  WEIR_TRY(during(check_names(term_schema_), "naming the terms of the model"));
  const std::size_t count = schema_.features.size();
  if (inputs_.columns.size() != count || fills_.size() != count) {
    return fail(bad("there are " + std::to_string(inputs_.columns.size()) + " inputs and " +
                    std::to_string(fills_.size()) + " values to fill in for " +
                    std::to_string(count) + " features"));
  }
  if (inputs_.missing_words.size() > kMissingWordsMax) {
    return fail(bad("there are more than " + std::to_string(kMissingWordsMax) + " missing words"));
  }
  for (const std::string& word : inputs_.missing_words) {
    if (!is_utf8(word)) return fail(bad("a missing word is not UTF-8: '" + one_line(word) + "'"));
  }
  for (std::size_t i = 0; i < count; ++i) {
    const record::Input& input = inputs_.columns[i];
    const auto& categories = input.categories;
    const std::string name = "column '" + schema_.features[i] + "'";
    if (!std::isfinite(fills_[i])) return fail(bad("what fills " + name + " is not finite"));
    if (input.positive && fills_[i] <= 0 && input.may_be_missing) {
      return fail(bad("what fills " + name + " is not above 0, and its logarithm is taken"));
    }
    const bool category = input.kind == record::InputKind::kCategory;
    if (categories.empty() == category || categories.size() > kCategoriesMax) {
      return fail(bad(name + " has " + std::to_string(categories.size()) + " categories"));
    }
    auto sorted = categories;
    std::sort(sorted.begin(), sorted.end());
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
      return fail(bad(name + " has a category twice"));
    }
    for (const std::string& text : categories) {
      if (text.empty() || text.size() > kCategoryBytesMax) {
        return fail(bad("a category of " + name + " is empty or too long"));
      }
      if (!is_utf8(text)) {
        return fail(bad(name + " holds text that is not UTF-8: '" + one_line(text) + "'"));
      }
    }
  }
  for (const Term& term : terms_) WEIR_TRY(check_term(term));
  return {};
}

Status Preparation::check_term(const Term& term) const {
  const std::string name = "term '" + term.name + "'";
  if (term.factors.empty() || term.factors.size() > kFactorsMax) {
    return fail(bad(name + " has " + std::to_string(term.factors.size()) + " factors"));
  }
  if (!std::isfinite(term.shift) || !std::isfinite(term.scale) || term.scale == 0) {
    return fail(bad(name + " has a shift or a scale that no row can have"));
  }
  for (const Factor& factor : term.factors) {
    if (factor.input >= inputs_.columns.size()) return fail(bad(name + " is of no input"));
    const record::Input& input = inputs_.columns[factor.input];
    const bool category = input.kind == record::InputKind::kCategory;
    if (of_categories(factor.kind) && (!category || factor.category >= input.categories.size())) {
      return fail(bad(name + " is of a category that is not there"));
    }
    if (!of_categories(factor.kind) && factor.category != 0) {
      return fail(bad(name + " names a category, and takes none"));
    }
    if (category && (factor.kind == Factor::Kind::kValue || factor.kind == Factor::Kind::kLog)) {
      return fail(bad(name + " takes a category for a number"));
    }
    if (factor.kind == Factor::Kind::kLog && !input.positive) {
      return fail(bad(name + " takes the logarithm of what need not be above 0"));
    }
  }
  return {};
}

double Preparation::factor_of(const Factor& factor, double x) const {
  switch (factor.kind) {
    case Factor::Kind::kValue: return std::isnan(x) ? fills_[factor.input] : x;
    case Factor::Kind::kLog: return natural_log(std::isnan(x) ? fills_[factor.input] : x);
    case Factor::Kind::kMissing: return std::isnan(x) ? 1 : 0;
    case Factor::Kind::kCategory: return x == static_cast<double>(factor.category) ? 1 : 0;
    case Factor::Kind::kBeyond: return x >= static_cast<double>(factor.category) ? 1 : 0;
  }
  return 0;
}

void Preparation::write_term(const Term& term, const double* inputs, std::size_t row_stride,
                             std::size_t input_stride, std::size_t rows, double* out,
                             std::size_t out_stride) const {
  const Factor& first = term.factors.front();
  const double* x = inputs + first.input * input_stride;
  for (std::size_t i = 0; i < rows; ++i) out[i * out_stride] = factor_of(first, x[i * row_stride]);
  if (term.factors.size() > 1) {
    const Factor& second = term.factors.back();
    x = inputs + second.input * input_stride;
    for (std::size_t i = 0; i < rows; ++i) {
      out[i * out_stride] = out[i * out_stride] * factor_of(second, x[i * row_stride]);
    }
  }
  if (term.shift == 0 && term.scale == 1) return;
  for (std::size_t i = 0; i < rows; ++i) {
    const double shifted = out[i * out_stride] - term.shift;
    out[i * out_stride] = shifted / term.scale;
  }
}

std::vector<double> Preparation::expand(std::span<const double> rows) const {
  const std::size_t features = schema_.features.size();
  WEIR_CHECK(rows.size() % features == 0);
  const std::size_t count = rows.size() / features;
  std::vector<double> out(count * terms_.size());
  for (std::size_t t = 0; t < terms_.size(); ++t) {
    write_term(terms_[t], rows.data(), features, 1, count, out.data() + t, terms_.size());
  }
  return out;
}

record::RowBlock Preparation::expand(const record::RowBlock& rows) const {
  WEIR_CHECK(rows.columns == schema_.features.size() + 1);
  record::RowBlock out;
  out.rows = rows.rows;
  out.columns = terms_.size() + 1;
  out.row_numbers = rows.row_numbers;
  out.values.resize(out.rows * out.columns);
  for (std::size_t t = 0; t < terms_.size(); ++t) {
    write_term(terms_[t], rows.values.data(), 1, rows.rows, rows.rows,
               out.values.data() + t * rows.rows, 1);
  }
  std::copy_n(rows.values.data() + (rows.columns - 1) * rows.rows, rows.rows,
              out.values.data() + terms_.size() * rows.rows);
  return out;
}

}  // namespace weir::model
