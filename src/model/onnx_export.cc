// A model of features that are numbers takes them as one table. A model behind a preparation has an
// input for each feature, and takes the table of terms that the preparation is written as.
#include "model/onnx_export.h"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "model/boosted_model.h"
#include "model/linear_model.h"
#include "model/model_file.h"
#include "model/onnx_graph.h"
#include "model/onnx_preparation.h"
#include "model/onnx_writer.h"
#include "model/prepared_model.h"

namespace weir::model {
namespace {

constexpr std::string_view kOutput = "prediction";
constexpr std::array<std::int64_t, 1> kOne{1};

// The lists of a TreeEnsembleRegressor, of one tree or of all.
struct Lists {
  std::vector<std::int64_t> tree, id, feature, when_true, when_false, missing_true;
  std::vector<std::string> mode;
  std::vector<double> value;
  std::vector<std::int64_t> leaf_tree, leaf_id;
  std::vector<double> weight;

  void add(const Tree& from, std::int64_t number) {
    std::int64_t inner = 0;
    for (std::size_t i = 0; i < from.feature.size(); ++i) {
      const bool leaf = from.feature[i] == Tree::kLeaf;
      tree.push_back(number);
      id.push_back(static_cast<std::int64_t>(i));
      feature.push_back(leaf ? 0 : from.feature[i]);
      mode.emplace_back(leaf ? "LEAF" : "BRANCH_LT");
      value.push_back(leaf ? 0 : from.value[i]);
      when_true.push_back(leaf ? 0 : 2 * inner + 1);
      when_false.push_back(leaf ? 0 : 2 * inner + 2);
      missing_true.push_back(leaf ? 0 : from.missing_left[static_cast<std::size_t>(inner)]);
      if (leaf) {
        leaf_tree.push_back(number);
        leaf_id.push_back(static_cast<std::int64_t>(i));
        weight.push_back(from.value[i]);
      } else {
        ++inner;
      }
    }
  }

  OnnxNodeWriter node(const std::string& input, const std::string& output, double base,
                      OnnxWidth width) const {
    OnnxNodeWriter made("TreeEnsembleRegressor", {input}, output, kOnnxLearning);
    made.whole("n_targets", 1)
        .wholes("nodes_treeids", tree)
        .wholes("nodes_nodeids", id)
        .wholes("nodes_featureids", feature)
        .texts("nodes_modes", mode)
        .numbers("nodes_values", value, width)
        .wholes("nodes_truenodeids", when_true)
        .wholes("nodes_falsenodeids", when_false)
        .wholes("nodes_missing_value_tracks_true", missing_true)
        .wholes("target_treeids", leaf_tree)
        .wholes("target_nodeids", leaf_id)
        .wholes("target_ids", std::vector<std::int64_t>(leaf_id.size(), 0))
        .numbers("target_weights", weight, width);
    if (base != 0) made.numbers("base_values", {&base, 1}, width);
    return made;
  }
};

// A table goes in, a column of predictions comes out.
struct Edges {
  std::string table;
  std::string answer;
};

void write_line(const LinearModel& model, const Edges& edges, OnnxWriter& graph) {
  const std::array column{static_cast<std::int64_t>(model.coefficients().size()), std::int64_t{1}};
  const double intercept = model.intercept();
  const std::string coefficients = graph.doubles("coefficients", model.coefficients(), column);
  const std::string product = graph.add("MatMul", {edges.table, coefficients}, "product");
  graph.add(OnnxNodeWriter("Add", {product, graph.doubles("intercept", {&intercept, 1}, kOne)},
                           edges.answer));
}

// base + tree 0 + tree 1 …, each sum rounded to a float. A graph needs one tree at least.
void write_narrow_trees(const BoostedModel& model, std::span<const Tree> trees, const Edges& edges,
                        OnnxWriter& graph) {
  const std::string floats = graph.own("floats");
  graph.add(OnnxNodeWriter("Cast", {edges.table}, floats).whole("to", kOnnxFloat));
  const double base = model.base();
  std::string sum = graph.floats("base", {&base, 1}, kOne);
  for (std::size_t i = 0; i < trees.size(); ++i) {
    const std::string number = std::to_string(i);
    const std::string tree = graph.own("tree" + number);
    Lists lists;
    lists.add(trees[i], 0);
    graph.add(lists.node(floats, tree, 0, OnnxWidth::kFloat));
    const std::string next = i + 1 == trees.size() ? edges.answer : graph.own("sum" + number);
    graph.add(OnnxNodeWriter("Add", {sum, tree}, next));
    sum = next;
  }
}

void write_wide_trees(const BoostedModel& model, std::span<const Tree> trees, const Edges& edges,
                      OnnxWriter& graph) {
  Lists lists;
  for (std::size_t i = 0; i < trees.size(); ++i) lists.add(trees[i], static_cast<std::int64_t>(i));
  graph.add(lists.node(edges.table, edges.answer, model.base(), OnnxWidth::kDouble));
  graph.use_double_trees();
}

// Gives the type of the answer.
Result<std::int64_t> write_model(const Model& model, const Edges& edges, OnnxWriter& graph) {
  if (const auto* const line = dynamic_cast<const LinearModel*>(&model)) {
    write_line(*line, edges, graph);
    return kOnnxDouble;
  }
  if (const auto* const boosted = dynamic_cast<const BoostedModel*>(&model)) {
    const std::vector<Tree> none{{{Tree::kLeaf}, {0}, {}}};  // a tree that adds nothing
    const auto trees = boosted->trees().empty() ? std::span<const Tree>(none) : boosted->trees();
    if (boosted->arithmetic() == Arithmetic::kBinary64) {
      write_wide_trees(*boosted, trees, edges, graph);
    } else {
      write_narrow_trees(*boosted, trees, edges, graph);
    }
    return kOnnxFloat;
  }
  return fail(Code::kUnsupported, "a model of the kind '" + std::string(model.algorithm()) +
                                      "' cannot be written as ONNX: linear and boosted ones can");
}

Status write_plain(const Model& model, OnnxWriter& graph) {
  const std::string table = "features";
  graph.input(table, kOnnxDouble, static_cast<std::int64_t>(model.schema().features.size()));
  const std::int64_t type = WEIR_TRY(write_model(model, {table, std::string(kOutput)}, graph));
  graph.output(kOutput, type, 1);
  return {};
}

// A row that is refused has a prediction of NaN, from trees as well, which have an answer to all.
Status write_prepared(const PreparedModel& model, OnnxWriter& graph) {
  for (const std::string& feature : model.schema().features) {
    if (feature != kOutput) continue;
    return fail(Code::kUnsupported, "a column has the name of the output, '" + feature +
                                        "': an ONNX file cannot have both");
  }
  const OnnxTerms made = write_preparation(model.preparation(), graph);
  const std::string answer = graph.own("answer");
  const std::int64_t type = WEIR_TRY(write_model(model.model(), {made.terms, answer}, graph));
  std::string refused = made.refused;
  if (type == kOnnxFloat) {
    refused = graph.own("refused_as_float");
    graph.add(OnnxNodeWriter("Cast", {made.refused}, refused).whole("to", kOnnxFloat));
  }
  graph.add(OnnxNodeWriter("Add", {answer, refused}, kOutput));
  graph.output(kOutput, type, 1);
  return {};
}

}  // namespace

Result<std::string> to_onnx(const Model& model, const std::string& program_version,
                            const std::vector<std::pair<std::string, std::string>>& metadata) {
  OnnxWriter graph(model.schema().features);
  std::vector<std::pair<std::string, std::string>> all{
      {"weir.features", json_array(model.schema().features, quoted)},
      {"weir.target", model.schema().target}};
  if (const auto* const prepared = dynamic_cast<const PreparedModel*>(&model)) {
    WEIR_TRY(write_prepared(*prepared, graph));
    all.emplace_back("weir.inputs", onnx_inputs_json(prepared->preparation()));
  } else {
    WEIR_TRY(write_plain(model, graph));
  }
  all.insert(all.end(), metadata.begin(), metadata.end());
  return graph.file(program_version, all);
}

}  // namespace weir::model
