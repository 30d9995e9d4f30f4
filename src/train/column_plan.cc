#include "train/column_plan.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/text.h"
#include "model/model.h"

namespace weir::train {
namespace {

using format::ColumnKind;
using format::ColumnProfile;
using model::Factor;
using model::Term;

constexpr double kDaySeconds = 86'400;

std::string shown(std::string_view name) { return "'" + one_line(name) + "'"; }

Error unknown_column(std::string_view setting, std::string_view name,
                     const std::vector<std::string>& columns) {
  std::string reason =
      std::string(setting) + " names a column " + shown(name) + ", which is not among the features";
  if (const auto near = nearest_name(name, columns)) reason += "; the nearest is " + shown(*near);
  return {Code::kBadData, std::move(reason)};
}

// "zip=category" at its last '='.
std::pair<std::string, std::string> split_type(const std::string& text) {
  const auto equals = text.rfind('=');
  if (equals == text.npos) return {text, ""};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

std::optional<ColumnKind> kind_named(std::string_view word) {
  for (const ColumnKind kind :
       {ColumnKind::kNumber, ColumnKind::kCategory, ColumnKind::kDateTime, ColumnKind::kIgnored}) {
    if (format::column_kind_name(kind) == word) return kind;
  }
  return std::nullopt;
}

bool is_listed(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

std::string percent(std::uint64_t part, std::uint64_t of) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%",
                100 * static_cast<double>(part) / static_cast<double>(of));
  return text;
}

// The columns that are neither the target nor dropped, in the data set's order.
std::vector<const ColumnProfile*> feature_columns(const format::DatasetProfile& profile,
                                                  const TrainingOptions& options) {
  std::vector<const ColumnProfile*> features;
  for (const ColumnProfile& column : profile.columns()) {
    if (column.name == options.target || is_listed(options.drop_columns, column.name)) continue;
    features.push_back(&column);
  }
  return features;
}

// What features.types says of a column, if it does.
std::optional<ColumnKind> named_kind(const ColumnProfile& column,
                                     const registry::FeatureSettings& settings) {
  std::optional<ColumnKind> kind;
  for (const std::string& type : settings.types) {
    const auto [name, word] = split_type(type);
    if (name == column.name) kind = kind_named(word);
  }
  return kind;
}

class Planner {
 public:
  Planner(const format::DatasetProfile& profile, const TrainingOptions& options)
      : profile_(profile), options_(options), settings_(options.features) {}

  Result<ColumnPlan> plan() {
    WEIR_TRY(find_kinds());
    for (const ColumnProfile* column : columns_) WEIR_TRY(add_input(*column));
    for (std::size_t i = 0; i < columns_.size(); ++i) add_terms(i);
    WEIR_TRY(add_logarithms());
    WEIR_TRY(add_interactions());
    if (is_identity()) return std::move(plan_);
    inputs_.missing_words = settings_.missing_words;
    plan_.preparation = WEIR_TRY(model::Preparation::make(
        {names_, options_.target}, std::move(inputs_), std::move(fills_), std::move(terms_)));
    return std::move(plan_);
  }

 private:
  Status find_kinds() {
    const auto features = feature_columns(profile_, options_);
    std::vector<std::string> names;
    for (const ColumnProfile* column : features) names.push_back(column->name);
    for (const std::string& type : settings_.types) {
      const auto [name, word] = split_type(type);
      if (!kind_named(word)) {
        return fail(Code::kBadData, "features.types says " + shown(type) +
                                        ": what follows the last '=' is none of number, category, "
                                        "date-time and ignored");
      }
      if (!is_listed(names, name)) return fail(unknown_column("features.types", name, names));
    }
    for (const ColumnProfile* column : features) {
      const auto named = named_kind(*column, settings_);
      const ColumnKind kind = named.value_or(column->kind());
      if (kind == ColumnKind::kIgnored) {
        plan_.ignored.push_back(column->name);
        if (!named) {
          plan_.notes.push_back("column " + shown(column->name) +
                                " is ignored: " + column->why_ignored());
        }
        continue;
      }
      names_.push_back(column->name);
      kinds_.push_back(kind);
      columns_.push_back(column);
    }
    if (names_.empty()) {
      return fail(Code::kBadData, "no feature column is left beside the target " +
                                      shown(options_.target) +
                                      (plan_.notes.empty() ? "" : ": " + plan_.notes.front()));
    }
    return {};
  }

  Status add_input(const ColumnProfile& column) {
    record::Input input;
    double fill = 0;
    const ColumnKind kind = kinds_[inputs_.columns.size()];
    input.may_be_missing = settings_.missing != "refuse" && column.missing > 0;
    if (kind == ColumnKind::kCategory) {
      input.kind = record::InputKind::kCategory;
      input.categories = column.values_by_count();
      if (input.categories.empty()) {
        return fail(Code::kBadData, "column " + shown(column.name) +
                                        " cannot be a category: " + column.why_ignored() +
                                        "; leave it out (dataset.drop_columns)");
      }
      if (input.categories.size() > settings_.categories_max) {
        plan_.notes.push_back("column " + shown(column.name) + " has " +
                              std::to_string(input.categories.size()) + " categories: the " +
                              std::to_string(settings_.categories_max) +
                              " most frequent have a term of their own (features.categories_max)");
      }
    } else {
      const bool dates = kind == ColumnKind::kDateTime;
      if (dates) input.kind = record::InputKind::kDateTime;
      input.positive = is_listed(settings_.log, column.name);
      if (input.may_be_missing) fill = WEIR_TRY(fill_of(column, dates));
    }
    if (input.may_be_missing) {
      plan_.notes.push_back(
          "column " + shown(column.name) + " is missing in " +
          percent(column.missing, column.missing + column.present()) + " of the rows" +
          (kind == ColumnKind::kCategory ? "" : ", filled with " + format_double(fill)));
    }
    inputs_.columns.push_back(std::move(input));
    fills_.push_back(fill);
    return {};
  }

  Result<double> fill_of(const ColumnProfile& column, bool dates) const {
    const auto& figures = dates ? column.date_times : column.numbers;
    if (settings_.missing == "median" || (dates && settings_.missing != "mean")) {
      return (dates ? column.date_time_quantiles : column.number_quantiles).quantile(0.5);
    }
    if (settings_.missing == "mean") return static_cast<double>(figures.mean);
    const auto constant = parse_finite_double(settings_.missing);
    if (!constant) {
      return fail(Code::kBadData, "features.missing is " + shown(settings_.missing) +
                                      ", none of refuse, mean, median and a number");
    }
    return *constant;
  }

  void add_terms(std::size_t i) {
    const record::Input& input = inputs_.columns[i];
    const std::string& name = names_[i];
    switch (input.kind) {
      case record::InputKind::kNumber: {
        Term term{name, {{Factor::Kind::kValue, i, 0}}, 0, 1};
        const auto& figures = columns_[i]->numbers;
        if (settings_.standardise && figures.deviation() > 0) {
          term.shift = static_cast<double>(figures.mean);
          term.scale = figures.deviation();
        }
        terms_.push_back(std::move(term));
        break;
      }
      case record::InputKind::kDateTime: {
        // In days since the first one: few digits, so that trees keep them.
        Term term{name, {{Factor::Kind::kValue, i, 0}}, 0, kDaySeconds};
        if (columns_[i]->date_times.count > 0) term.shift = columns_[i]->date_times.lowest;
        terms_.push_back(std::move(term));
        break;
      }
      case record::InputKind::kCategory:
        for (const auto& [suffix, factor] : indicators(i)) {
          terms_.push_back({name + suffix, {factor}, 0, 1});
        }
        break;
    }
    if (input.may_be_missing) {
      terms_.push_back({name + " is missing", {{Factor::Kind::kMissing, i, 0}}, 0, 1});
    }
  }

  // The most frequent category has none: it is what the others are compared with.
  std::vector<std::pair<std::string, Factor>> indicators(std::size_t i) const {
    const auto& categories = inputs_.columns[i].categories;
    const std::size_t own = std::min<std::size_t>(
        categories.size(), std::max<std::uint64_t>(settings_.categories_max, 1));
    std::vector<std::pair<std::string, Factor>> all;
    for (std::size_t k = 1; k < own; ++k) {
      all.emplace_back("=" + categories[k], Factor{Factor::Kind::kCategory, i, k});
    }
    if (own < categories.size()) {
      std::string pool = "(other)";
      while (is_listed(categories, pool)) pool += '\'';
      all.emplace_back("=" + pool, Factor{Factor::Kind::kBeyond, i, own});
    }
    return all;
  }

  Result<std::size_t> place_of(std::string_view setting, std::string_view name) const {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found == names_.end()) return fail(unknown_column(setting, name, names_));
    return static_cast<std::size_t>(found - names_.begin());
  }

  Status add_logarithms() {
    for (const std::string& name : settings_.log) {
      const std::size_t i = WEIR_TRY(place_of("features.log", name));
      if (kinds_[i] != ColumnKind::kNumber) {
        return fail(Code::kBadData, "features.log names column " + shown(name) + ", which is a " +
                                        std::string(format::column_kind_name(kinds_[i])));
      }
      terms_.push_back({"ln(" + name + ")", {{Factor::Kind::kLog, i, 0}}, 0, 1});
    }
    return {};
  }

  // Every way to cut "a*b" in two names that are both features; there is one, as a rule.
  Status add_interactions() {
    for (const std::string& text : settings_.interactions) {
      std::vector<std::pair<std::size_t, std::size_t>> pairs;
      for (auto star = text.find('*'); star != text.npos; star = text.find('*', star + 1)) {
        const auto a = std::find(names_.begin(), names_.end(), text.substr(0, star));
        const auto b = std::find(names_.begin(), names_.end(), text.substr(star + 1));
        if (a == names_.end() || b == names_.end()) continue;
        pairs.emplace_back(a - names_.begin(), b - names_.begin());
      }
      if (pairs.size() != 1) {
        return fail(Code::kBadData, "features.interactions says " + shown(text) +
                                        ", which is not two features with '*' between; they are " +
                                        listed(names_));
      }
      const auto [a, b] = pairs.front();
      for (const std::size_t i : {a, b}) {
        if (kinds_[i] != ColumnKind::kDateTime) continue;
        return fail(Code::kBadData, "features.interactions says " + shown(text) + ", and column " +
                                        shown(names_[i]) + " is a date-time");
      }
      const std::size_t products = factors_of(a).size() * factors_of(b).size();
      if (products + terms_.size() >= model::kColumnsMax) {
        return fail(Code::kBadData, "features.interactions says " + shown(text) + ", which makes " +
                                        std::to_string(products) +
                                        " terms; a model has less than " +
                                        std::to_string(model::kColumnsMax) +
                                        " in all (features.categories_max makes them fewer)");
      }
      for (const auto& [left_name, left] : factors_of(a)) {
        for (const auto& [right_name, right] : factors_of(b)) {
          terms_.push_back({left_name + "*" + right_name, {left, right}, 0, 1});
        }
      }
    }
    return {};
  }

  std::vector<std::pair<std::string, Factor>> factors_of(std::size_t i) const {
    if (kinds_[i] != ColumnKind::kCategory) {
      return {{names_[i], {Factor::Kind::kValue, i, 0}}};
    }
    auto all = indicators(i);
    for (auto& [suffix, factor] : all) suffix.insert(0, names_[i]);
    return all;
  }

  static std::string listed(const std::vector<std::string>& names) {
    constexpr std::size_t kListedMax = 20;
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), kListedMax); ++i) {
      text += (i > 0 ? ", " : "") + shown(names[i]);
    }
    return names.size() > kListedMax ? text + " and more" : text;
  }

  bool is_identity() const {
    for (const record::Input& input : inputs_.columns) {
      if (input != record::Input()) return false;
    }
    if (terms_.size() != names_.size()) return false;
    return std::all_of(terms_.begin(), terms_.end(),
                       [](const Term& term) { return term.shift == 0 && term.scale == 1; });
  }

  const format::DatasetProfile& profile_;
  const TrainingOptions& options_;
  const registry::FeatureSettings& settings_;
  ColumnPlan plan_;
  std::vector<std::string> names_;  // of the features, in the data set's order
  std::vector<ColumnKind> kinds_;
  std::vector<const ColumnProfile*> columns_;
  record::Inputs inputs_;
  std::vector<double> fills_;
  std::vector<Term> terms_;
};

}  // namespace

bool ColumnPlan::same_as(const ColumnPlan& other) const {
  if (ignored != other.ignored || preparation.has_value() != other.preparation.has_value()) {
    return false;
  }
  if (!preparation) return true;
  return preparation->inputs() == other.preparation->inputs() &&
         std::ranges::equal(preparation->fills(), other.preparation->fills()) &&
         std::ranges::equal(preparation->terms(), other.preparation->terms());
}

bool needs_all_rows(const format::DatasetProfile& first, const TrainingOptions& options) {
  const registry::FeatureSettings& settings = options.features;
  if (settings.missing != "refuse" || settings.standardise) return true;
  const auto features = feature_columns(first, options);
  return std::any_of(features.begin(), features.end(), [&](const ColumnProfile* column) {
    const auto named = named_kind(*column, settings);
    if (named == ColumnKind::kIgnored) return false;
    return named.value_or(column->kind()) != ColumnKind::kNumber;
  });
}

Result<ColumnPlan> plan_columns(const format::DatasetProfile& profile,
                                const TrainingOptions& options) {
  return Planner(profile, options).plan();
}

Result<ColumnPlan> plan_from_all_rows(const TrainingOptions& options, const AllRows& all_rows) {
  const auto profile = WEIR_TRY(all_rows());
  ColumnPlan plan = WEIR_TRY(plan_columns(profile, options));
  plan.from_all_rows = true;
  return plan;
}

Result<ColumnPlan> plan_dataset(store::FileStore& store, const registry::Dataset& dataset,
                                const TrainingOptions& options, const AllRows& all_rows) {
  if (dataset.identity.length == 0) return ColumnPlan();
  const auto first = profile_first_rows(store, dataset, options);
  if (!first && first.error().code() != Code::kBadData && first.error().code() != Code::kCorrupt) {
    return fail(first.error());
  }
  const bool tells = first && first->rows() > first->malformed();
  if (tells && (first->find(options.target) == nullptr ||
                first->columns().size() > model::kColumnsMax + options.drop_columns.size())) {
    return ColumnPlan();
  }
  if (!tells && options.features == registry::FeatureSettings()) return ColumnPlan();
  if (!tells) {
    auto plan = plan_from_all_rows(options, all_rows);
    const bool is_no_table = !plan && plan.error().code() == Code::kBadData;
    return is_no_table ? ColumnPlan() : std::move(plan);
  }
  if (!needs_all_rows(*first, options)) return plan_columns(*first, options);
  return plan_from_all_rows(options, all_rows);
}

}  // namespace weir::train
