// A row of a preparation is one of doubles, whatever its features are (record/inputs.h). So it is
// here: texts become their places at once, and all that follows is done on the whole table, with as
// many nodes for two thousand terms as for two:
//
//   inputs   a column for each feature         filled   the same, with nothing missing
//   factors  a column for each factor that any term has, those of one kind side by side
//   products of the terms that have two        terms    picked from both, shifted and scaled
//
// A column that may not lack a value is filled with NaN. So a row that is refused has something in
// it that is not finite: such a number less itself is NaN, and all others are 0.
#include "model/onnx_preparation.h"

#include <array>
#include <cstddef>
#include <limits>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "base/text.h"
#include "model/model_file.h"
#include "model/onnx_graph.h"

namespace weir::model {
namespace {

using Kind = Factor::Kind;
using Strings = std::vector<std::string>;
using Places = std::vector<std::int64_t>;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr std::array<std::int64_t, 1> kOne{1};

class TermWriter {
 public:
  TermWriter(const Preparation& preparation, OnnxWriter& graph)
      : preparation_(preparation), graph_(graph) {}

  OnnxTerms write() {
    write_inputs();
    write_filled();
    const std::string factors = write_factors();
    const std::string terms = write_scaled(write_terms(factors));
    return {terms, write_refused()};
  }

 private:
  void write_inputs() {
    Strings columns;
    for (std::size_t i = 0; i < inputs().size(); ++i) {
      const std::string& name = preparation_.schema().features[i];
      const bool category = inputs()[i].kind == record::InputKind::kCategory;
      graph_.input(name, category ? kOnnxString : kOnnxDouble, 1);
      columns.push_back(category ? write_places(i) : name);
    }
    inputs_ = write_side_by_side(columns, "inputs");
  }

  // As CellEncoder::encode(). (Places are small numbers, which floats hold.)
  std::string write_places(std::size_t input) {
    Strings texts;
    std::vector<double> places;
    std::set<std::string> known;
    const auto add = [&](const std::string& text, double place) {
      if (!known.insert(text).second) return;
      texts.push_back(text);
      places.push_back(place);
    };
    add("", kMissing);
    for (const std::string& word : preparation_.inputs().missing_words) add(word, kMissing);
    const Strings& categories = inputs()[input].categories;
    for (std::size_t k = 0; k < categories.size(); ++k) add(categories[k], static_cast<double>(k));
    const std::string number = std::to_string(input);
    const std::string found = graph_.own("place" + number);
    graph_.add(OnnxNodeWriter("LabelEncoder", {preparation_.schema().features[input]}, found,
                              kOnnxLearning)
                   .texts("keys_strings", texts)
                   .numbers("values_floats", places, OnnxWidth::kFloat)
                   .number("default_float", static_cast<double>(categories.size())));
    return write_cast(found, "column" + number);
  }

  void write_filled() {
    // ONNX Runtime 1.10 has no IsNaN of doubles; what is NaN as a double is so as a float.
    missing_ = graph_.add("IsNaN", {write_cast(inputs_, "as_floats", kOnnxFloat)}, "absent");
    std::size_t words = 0;
    for (const std::string& word : preparation_.inputs().missing_words) {
      const auto number = parse_finite_double(word);
      if (!number || format_double(*number) != word) continue;
      std::vector<double> row;
      for (const record::Input& input : inputs()) {
        row.push_back(input.kind == record::InputKind::kNumber ? *number : kMissing);
      }
      const std::string which = std::to_string(words++);
      const std::string same =
          graph_.add("Equal", {inputs_, write_row("word" + which, row)}, "is_word" + which);
      missing_ = graph_.add("Or", {missing_, same}, "absent_or_word" + which);
    }
    std::vector<double> fills;
    for (std::size_t i = 0; i < inputs().size(); ++i) {
      fills.push_back(inputs()[i].may_be_missing ? preparation_.fills()[i] : kMissing);
    }
    filled_ = graph_.add("Where", {missing_, write_row("fills", fills), inputs_}, "filled");
  }

  // The table of all factors; column_ says which is where.
  std::string write_factors() {
    // Of whatever has to be above 0, for write_refused().
    for (std::size_t i = 0; i < inputs().size(); ++i) {
      if (inputs()[i].positive) column_.emplace(key({Kind::kLog, i, 0}), 0);
    }
    for (const Term& term : preparation_.terms()) {
      for (const Factor& factor : term.factors) column_.emplace(key(factor), 0);
    }
    std::map<Kind, std::vector<Factor>> kinds;
    std::int64_t next = 0;
    for (auto& [factor, column] : column_) {
      const auto& [kind, input, category] = factor;
      kinds[kind].push_back({kind, input, category});
      column = next++;
    }
    Strings blocks;
    for (const auto& [kind, factors] : kinds) blocks.push_back(write_factors_of(kind, factors));
    return write_side_by_side(blocks, "factors");
  }

  std::string write_factors_of(Kind kind, const std::vector<Factor>& factors) {
    Places from;
    std::vector<double> categories;
    for (const Factor& factor : factors) {
      from.push_back(static_cast<std::int64_t>(factor.input));
      categories.push_back(static_cast<double>(factor.category));
    }
    switch (kind) {
      case Kind::kValue: return write_picked(filled_, "values", from);
      case Kind::kLog:
        logarithms_ = graph_.add("Log", {write_picked(filled_, "positives", from)}, "logarithms");
        return logarithms_;
      case Kind::kMissing: return write_cast(write_picked(missing_, "gaps", from), "missing");
      case Kind::kCategory: {
        const std::string of = write_picked(inputs_, "places_of_categories", from);
        const std::string row = write_row("categories", categories);
        return write_cast(graph_.add("Equal", {of, row}, "is_category"), "category");
      }
      case Kind::kBeyond: {
        const std::string of = write_picked(inputs_, "places_of_others", from);
        const std::string row = write_row("first_others", categories);
        return write_cast(graph_.add("GreaterOrEqual", {of, row}, "is_beyond"), "beyond");
      }
    }
    return {};
  }

  std::string write_terms(const std::string& factors) {
    Places first, second, picked;
    for (const Term& term : preparation_.terms()) {
      const std::int64_t column = column_.at(key(term.factors.front()));
      if (term.factors.size() == 1) {
        picked.push_back(column);
        continue;
      }
      picked.push_back(static_cast<std::int64_t>(column_.size() + first.size()));
      first.push_back(column);
      second.push_back(column_.at(key(term.factors.back())));
    }
    if (first.empty()) return write_picked(factors, "plain_terms", picked);
    const std::string products = graph_.add("Mul",
                                            {write_picked(factors, "first_factors", first),
                                             write_picked(factors, "second_factors", second)},
                                            "products");
    return write_picked(write_side_by_side({factors, products}, "factors_and_products"),
                        "plain_terms", picked);
  }

  // Less 0, and by 1, a number stays what it is.
  std::string write_scaled(const std::string& plain) {
    std::vector<double> shifts, scales;
    for (const Term& term : preparation_.terms()) {
      shifts.push_back(term.shift);
      scales.push_back(term.scale);
    }
    const std::string shifted = graph_.add("Sub", {plain, write_row("shifts", shifts)}, "shifted");
    return graph_.add("Div", {shifted, write_row("scales", scales)}, "terms");
  }

  std::string write_refused() {
    std::string numbers = filled_;
    if (!logarithms_.empty()) numbers = write_side_by_side({filled_, logarithms_}, "all_numbers");
    const std::string faults = graph_.add("Sub", {numbers, numbers}, "faults");
    return graph_.add("ReduceSum", {faults, graph_.wholes("axes", kOne)}, "refused");
  }

  std::string write_row(std::string_view name, const std::vector<double>& values) {
    return graph_.doubles(name, values, std::array{static_cast<std::int64_t>(values.size())});
  }

  std::string write_cast(const std::string& from, const std::string& name,
                         std::int64_t type = kOnnxDouble) {
    graph_.add(OnnxNodeWriter("Cast", {from}, graph_.own(name)).whole("to", type));
    return graph_.own(name);
  }

  std::string write_side_by_side(const Strings& tables, const std::string& name) {
    graph_.add(OnnxNodeWriter("Concat", tables, graph_.own(name)).whole("axis", 1));
    return graph_.own(name);
  }

  std::string write_picked(const std::string& table, const std::string& name, const Places& from) {
    const std::string which = graph_.wholes("columns_of_" + name, from);
    graph_.add(OnnxNodeWriter("Gather", {table, which}, graph_.own(name)).whole("axis", 1));
    return graph_.own(name);
  }

  using Key = std::tuple<Kind, std::size_t, std::size_t>;
  static Key key(const Factor& factor) { return {factor.kind, factor.input, factor.category}; }

  const std::vector<record::Input>& inputs() const { return preparation_.inputs().columns; }

  const Preparation& preparation_;
  OnnxWriter& graph_;
  std::map<Key, std::int64_t> column_;  // of each factor, those of a kind side by side
  // Names of tables of the graph; of the logarithms, empty where there are none.
  std::string inputs_, missing_, filled_, logarithms_;
};

}  // namespace

OnnxTerms write_preparation(const Preparation& preparation, OnnxWriter& graph) {
  return TermWriter(preparation, graph).write();
}

std::string onnx_inputs_json(const Preparation& preparation) {
  const auto& columns = preparation.inputs().columns;
  std::vector<std::size_t> places(columns.size());
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = i;
  return json_array(places, [&](std::size_t i) {
    const record::Input& input = columns[i];
    std::string text = "{\"name\":" + quoted(preparation.schema().features[i]) +
                       ",\"kind\":" + quoted(std::string(record::input_kind_name(input.kind)));
    if (input.kind == record::InputKind::kDateTime) {
      text += ",\"unit\":\"seconds since 1970-01-01T00:00:00Z\"";
    }
    if (input.may_be_missing) text += ",\"may_be_missing\":true";
    if (input.positive) text += ",\"positive\":true";
    return text + '}';
  });
}

}  // namespace weir::model
