#include "model/onnx_preparation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <random>

#include "model/boosted_model.h"
#include "model/linear_model.h"
#include "model/natural_log.h"
#include "model/onnx_export.h"
#include "model/onnx_graph.h"
#include "model/prepared_model.h"

namespace weir::model {
namespace {

using record::InputKind;
using Kind = Factor::Kind;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinite = std::numeric_limits<double>::infinity();

// ---- an ONNX Runtime of our own, for the operators that a preparation is written in ----
// (The real one: tests/e2e/test_export.py.)

struct Table {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<double> numbers;
  std::vector<std::string> texts;  // in the place of numbers

  // One row, or one column, stands for any number of them.
  double at(std::size_t i, std::size_t j) const {
    return numbers.at((rows == 1 ? 0 : i) * columns + (columns == 1 ? 0 : j));
  }
};

using Arguments = std::vector<const Table*>;

Table each(const Arguments& of, const std::function<double(std::size_t, std::size_t)>& value) {
  Table made;
  for (const Table* table : of) {
    made.rows = std::max(made.rows, table->rows);
    made.columns = std::max(made.columns, table->columns);
  }
  for (std::size_t i = 0; i < made.rows; ++i) {
    for (std::size_t j = 0; j < made.columns; ++j) made.numbers.push_back(value(i, j));
  }
  return made;
}

Table side_by_side(const Arguments& of) {
  Table made{of[0]->rows, 0, {}, {}};
  for (const Table* table : of) made.columns += table->columns;
  for (std::size_t i = 0; i < made.rows; ++i) {
    for (const Table* table : of) {
      for (std::size_t j = 0; j < table->columns; ++j) made.numbers.push_back(table->at(i, j));
    }
  }
  return made;
}

Table picked(const Table& from, const Table& columns) {
  Table made{from.rows, columns.columns, {}, {}};
  for (std::size_t i = 0; i < made.rows; ++i) {
    for (const double column : columns.numbers) {
      made.numbers.push_back(from.at(i, static_cast<std::size_t>(column)));
    }
  }
  return made;
}

Table labels(const OnnxNode& node, const Table& texts) {
  const auto& keys = node.attributes.at("keys_strings").texts;
  Table made{texts.rows, 1, {}, {}};
  for (const std::string& text : texts.texts) {
    const auto key = std::ranges::find(keys, text);
    made.numbers.push_back(key == keys.end()
                               ? *node.attributes.at("default_float").number
                               : node.attributes.at("values_floats")
                                     .numbers[static_cast<std::size_t>(key - keys.begin())]);
  }
  return made;
}

Table product(const Table& a, const Table& b) {
  Table made{a.rows, 1, std::vector<double>(a.rows, 0.0), {}};
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j < a.columns; ++j) made.numbers[i] += a.at(i, j) * b.numbers[j];
  }
  return made;
}

Table sums(const Table& of) {
  Table made{of.rows, 1, std::vector<double>(of.rows, 0.0), {}};
  for (std::size_t i = 0; i < of.rows; ++i) {
    for (std::size_t j = 0; j < of.columns; ++j) made.numbers[i] += of.at(i, j);
  }
  return made;
}

// One tree, whose nodes are numbered as they are listed.
Table leaves(const OnnxNode& node, const Table& x) {
  const auto wholes = [&](const char* name) { return node.attributes.at(name).wholes; };
  const auto ids = wholes("target_nodeids");
  Table made{x.rows, 1, {}, {}};
  for (std::size_t i = 0; i < x.rows; ++i) {
    std::size_t at = 0;
    while (node.attributes.at("nodes_modes").texts[at] == "BRANCH_LT") {
      const double value = x.at(i, static_cast<std::size_t>(wholes("nodes_featureids")[at]));
      const bool left = std::isnan(value) ? wholes("nodes_missing_value_tracks_true")[at] != 0
                                          : value < node.attributes.at("nodes_values").numbers[at];
      at = static_cast<std::size_t>(wholes(left ? "nodes_truenodeids" : "nodes_falsenodeids")[at]);
    }
    const auto leaf = std::ranges::find(ids, static_cast<std::int64_t>(at)) - ids.begin();
    made.numbers.push_back(
        node.attributes.at("target_weights").numbers[static_cast<std::size_t>(leaf)]);
  }
  return made;
}

Table output_of(const OnnxNode& node, const Arguments& in) {
  const auto with = [&](auto operation) {
    return each(in, [&](auto i, auto j) { return operation(in[0]->at(i, j), in[1]->at(i, j)); });
  };
  if (node.type == "LabelEncoder") return labels(node, *in[0]);
  if (node.type == "TreeEnsembleRegressor") return leaves(node, *in[0]);
  if (node.type == "MatMul") return product(*in[0], *in[1]);
  if (node.type == "Concat") return side_by_side(in);
  if (node.type == "Gather") return picked(*in[0], *in[1]);
  if (node.type == "ReduceSum") return sums(*in[0]);
  if (node.type == "Add") return with([](double a, double b) { return a + b; });
  if (node.type == "Sub") return with([](double a, double b) { return a - b; });
  if (node.type == "Mul") return with([](double a, double b) { return a * b; });
  if (node.type == "Div") return with([](double a, double b) { return a / b; });
  if (node.type == "Equal") return with([](double a, double b) { return a == b ? 1. : 0.; });
  if (node.type == "Or") return with([](double a, double b) { return a + b > 0 ? 1. : 0.; });
  if (node.type == "GreaterOrEqual") {
    return with([](double a, double b) { return a >= b ? 1. : 0.; });
  }
  if (node.type == "IsNaN") {
    return each(in, [&](auto i, auto j) { return std::isnan(in[0]->at(i, j)) ? 1. : 0.; });
  }
  if (node.type == "Log") {
    return each(in, [&](auto i, auto j) {
      const double x = in[0]->at(i, j);
      return x == 0 ? -kInfinite : natural_log(x);
    });
  }
  if (node.type == "Where") {
    return each(in, [&](auto i, auto j) { return in[in[0]->at(i, j) > 0 ? 1 : 2]->at(i, j); });
  }
  if (node.type == "Cast") {
    const bool narrow = node.attributes.at("to").whole == kOnnxFloat;
    return each(in, [&](auto i, auto j) {
      const double x = in[0]->at(i, j);
      return narrow ? static_cast<double>(static_cast<float>(x)) : x;
    });
  }
  ADD_FAILURE() << "an operator that is not known: " << node.type;
  return {};
}

// All values of the graph, by name.
std::map<std::string, Table> run(const std::string& file, std::map<std::string, Table> values) {
  const auto graph = parse_onnx(file);
  EXPECT_TRUE(graph) << graph.error().message();
  EXPECT_EQ(graph->inputs.size(), values.size());
  for (const OnnxInput& input : graph->inputs) {
    const auto given = values.find(std::string(input.name));
    if (given == values.end()) {
      ADD_FAILURE() << "an input that nobody expects: " << input.name;
      return values;
    }
    EXPECT_EQ(input.type, given->second.texts.empty() ? kOnnxDouble : kOnnxString);
  }
  for (const OnnxTensor& constant : graph->constants) {
    const auto rows = constant.dims.size() > 1 ? static_cast<std::size_t>(constant.dims[0]) : 1;
    const Table table{rows, constant.values.size() / rows, constant.values, {}};
    EXPECT_TRUE(values.emplace(constant.name, table).second) << constant.name;
  }
  for (const OnnxNode& node : graph->nodes) {
    Arguments in;
    for (const auto& name : node.inputs) in.push_back(&values.at(std::string(name)));
    if (values.emplace(node.outputs.at(0), output_of(node, in)).second) continue;
    ADD_FAILURE() << node.outputs.at(0) << " is there twice";
    return values;
  }
  return values;
}

// ---- what is written ----

record::Inputs inputs() {
  record::Inputs made;
  made.columns = {{InputKind::kNumber, true, true, {}},
                  {InputKind::kCategory, true, false, {"a", "b", "südlich", "d"}},
                  {InputKind::kDateTime, false, false, {}},
                  {InputKind::kNumber, false, false, {}},
                  {InputKind::kCategory, false, false, {"1", "0"}}};
  made.missing_words = {"NA", "-999", "-999.0", ""};
  return made;
}

std::vector<Term> terms() {
  return {{"zone=b*ln(size)", {{Kind::kCategory, 1, 1}, {Kind::kLog, 0, 0}}, 0.25, 0.5},
          {"size", {{Kind::kValue, 0, 0}}, 2, 4},
          {"size is missing", {{Kind::kMissing, 0, 0}}, 0, 1},
          {"zone is missing", {{Kind::kMissing, 1, 0}}, 0, 1},
          {"zone=b", {{Kind::kCategory, 1, 1}}, 0, 1},
          {"zone=(other)", {{Kind::kBeyond, 1, 2}}, 0, 1},
          {"when", {{Kind::kValue, 2, 0}}, 86'400, 86'400},
          {"size*size", {{Kind::kValue, 0, 0}, {Kind::kValue, 0, 0}}, 0, 3},
          {"flag=0", {{Kind::kCategory, 4, 1}}, 0, 1},
          {"depth", {{Kind::kValue, 3, 0}}, 0, 1}};
}

// Sizes, zones, moments, depths, flags: rows as messages have them, and as numbers.
struct Rows {
  std::vector<double> sizes, whens, depths;
  std::vector<std::string> zones, flags;
  std::vector<double> numbers;

  void add(double size, const std::string& zone, double when, double depth,
           const std::string& flag) {
    const std::map<std::string, double> places{{"a", 0},          {"b", 1},       {"südlich", 2},
                                               {"d", 3},          {"", kMissing}, {"NA", kMissing},
                                               {"-999", kMissing}};
    sizes.push_back(size);
    zones.push_back(zone);
    whens.push_back(when);
    depths.push_back(depth);
    flags.push_back(flag);
    const auto place = places.find(zone);
    const double flag_place = flag == "1" ? 0 : flag == "0" ? 1 : flag.empty() ? kMissing : 2;
    numbers.insert(numbers.end(),
                   {size == -999 ? kMissing : size, place == places.end() ? 4 : place->second, when,
                    depth, flag_place});
  }

  std::map<std::string, Table> tables(const record::Schema& schema) const {
    const std::size_t rows = sizes.size();
    return {{schema.features[0], {rows, 1, sizes, {}}},
            {schema.features[1], {rows, 1, {}, zones}},
            {schema.features[2], {rows, 1, whens, {}}},
            {schema.features[3], {rows, 1, depths, {}}},
            {schema.features[4], {rows, 1, {}, flags}}};
  }
};

Rows random_rows() {
  std::mt19937_64 generator(11);
  std::normal_distribution<double> normal;
  const std::vector<std::string> zones{"a", "b", "südlich", "d", "", "NA", "nowhere", "B", "-999"};
  Rows rows;
  for (std::size_t i = 0; i < 400; ++i) {
    const double size = i % 7 == 0    ? kMissing
                        : i % 11 == 0 ? -999
                                      : std::exp(20 * normal(generator));
    const std::string zone = zones[generator() % zones.size()];
    rows.add(size, zone, std::floor(1e9 * normal(generator)), normal(generator),
             i % 5 == 0   ? "0"
             : i % 3 == 0 ? "yes"
                          : "1");
  }
  return rows;
}

record::Schema schema() { return {{"size", "zone", "when", "depth", "flag"}, "price"}; }

Preparation preparation(const record::Schema& of = schema()) {
  return *Preparation::make(of, inputs(), {2.5, 0, 0, 0, 0}, terms());
}

std::unique_ptr<PreparedModel> with_line(const Preparation& made) {
  auto line = LinearModel::make(made.term_schema(), 1, {3, 10, -7, 5, 1e3, 2, 0.5, 1e-3, 9, 0});
  return std::move(*PreparedModel::make(made, std::make_unique<LinearModel>(std::move(*line))));
}

std::unique_ptr<PreparedModel> with_trees(const Preparation& made) {
  std::vector<Tree> trees{{{4, 0, 5, -1, -1, -1, -1}, {0.5, 1.5, 0.5, 1, 2, 4, 8}, {0, 1, 0}},
                          {{8, -1, 9, -1, -1}, {0.5, 16, -0.25, 32, 64}, {1, 1}}};
  auto model = BoostedModel::make(made.term_schema(), 0.125, trees);
  return std::move(*PreparedModel::make(made, std::make_unique<BoostedModel>(std::move(*model))));
}

std::vector<double> predictions(const Model& model, const Rows& rows) {
  const auto file = to_onnx(model, "0.1.0", {});
  EXPECT_TRUE(file) << file.error().message();
  return run(*file, rows.tables(model.schema())).at("prediction").numbers;
}

TEST(OnnxPreparation, makes_the_terms_that_the_preparation_makes_to_the_last_bit) {
  const Preparation made = preparation();
  const Rows rows = random_rows();
  const auto file = to_onnx(*with_line(made), "0.1.0", {});
  ASSERT_TRUE(file) << file.error().message();
  const auto values = run(*file, rows.tables(schema()));
  EXPECT_EQ(values.at("weir.terms").numbers, made.expand(rows.numbers));
}

TEST(OnnxPreparation, is_followed_by_the_line_or_the_trees_of_the_terms) {
  const Rows rows = random_rows();
  const Preparation made = preparation();
  std::vector<std::unique_ptr<PreparedModel>> models;
  models.push_back(with_line(made));
  models.push_back(with_trees(made));
  for (const auto& model : models) {
    std::vector<double> expected(rows.sizes.size());
    model->predict(rows.numbers, expected);
    const auto found = predictions(*model, rows);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i], expected[i], 1e-10 * std::max(1.0, std::abs(expected[i])))
          << model->algorithm();
    }
  }
}

TEST(OnnxPreparation, gives_nan_for_a_row_that_is_refused_and_for_no_other) {
  Rows rows;
  rows.add(1, "a", 0, 1, "0");
  rows.add(0, "a", 0, 1, "0");               // no logarithm
  rows.add(-3, "a", 0, 1, "0");              // no logarithm either
  rows.add(1, "a", kMissing, 1, "0");        // a moment has to be there
  rows.add(1, "a", 0, kMissing, "0");        // so has a depth
  rows.add(1, "a", 0, -999, "0");            // which is not there, by a missing word
  rows.add(1, "a", 0, -999.5, "0");          // and is
  rows.add(1, "a", 0, -kInfinite, "0");      // no number of a message
  rows.add(kInfinite, "a", 0, 1, "0");       // no number of a message either
  rows.add(1, "a", 0, 1, "");                // a flag has to be there
  rows.add(1, "a", 0, 1, "NA");              // which is not, by a missing word
  rows.add(1, "a", 0, 1, "2");               // and is, if unknown
  rows.add(kMissing, "", 1e10, 1e300, "1");  // all that may be missing is
  const std::vector<bool> refused{false, true, true, true, true,  true, false,
                                  true,  true, true, true, false, false};
  const Preparation made = preparation();
  const auto of_line = predictions(*with_line(made), rows);
  const auto of_trees = predictions(*with_trees(made), rows);
  ASSERT_EQ(of_line.size(), refused.size());
  ASSERT_EQ(of_trees.size(), refused.size());
  for (std::size_t i = 0; i < refused.size(); ++i) {
    EXPECT_EQ(std::isnan(of_line[i]), refused[i]) << i;
    EXPECT_EQ(std::isnan(of_trees[i]), refused[i]) << i;
  }
}

TEST(OnnxPreparation, leaves_columns_the_names_that_it_has_for_itself) {
  const record::Schema odd{{"weir.terms", "weir.inputs", "terms", "weir..terms", "features"}, "y"};
  const Rows rows = random_rows();
  EXPECT_EQ(predictions(*with_line(preparation(odd)), rows),
            predictions(*with_line(preparation()), rows));
}

TEST(OnnxPreparation, refuses_a_column_that_is_called_as_the_output_is) {
  const record::Schema taken{{"size", "zone", "when", "prediction", "flag"}, "price"};
  const auto file = to_onnx(*with_line(preparation(taken)), "0.1.0", {});
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code(), Code::kUnsupported);
  EXPECT_THAT(file.error().message(), testing::HasSubstr("'prediction'"));
}

TEST(OnnxPreparation, says_in_the_metadata_what_the_inputs_are) {
  const std::string told = onnx_inputs_json(preparation());
  EXPECT_EQ(told,
            R"([{"name":"size","kind":"number","may_be_missing":true,"positive":true},)"
            R"({"name":"zone","kind":"category","may_be_missing":true},)"
            R"({"name":"when","kind":"date-time","unit":"seconds since 1970-01-01T00:00:00Z"},)"
            R"({"name":"depth","kind":"number"},)"
            R"({"name":"flag","kind":"category"}])");
  const auto file = to_onnx(*with_line(preparation()), "0.1.0", {});
  ASSERT_TRUE(file) << file.error().message();
  EXPECT_THAT(*file, testing::HasSubstr("weir.inputs"));
  EXPECT_THAT(*file, testing::HasSubstr(told));
}

}  // namespace
}  // namespace weir::model
