#include "model/onnx_export.h"

#include <array>
#include <bit>
#include <cstdint>
#include <span>

#include "base/text.h"
#include "model/boosted_model.h"
#include "model/linear_model.h"
#include "model/model_file.h"
#include "model/onnx_graph.h"
#include "model/protobuf_wire.h"

namespace weir::model {
namespace {

constexpr std::int64_t kFormatVersion = 7;      // of ONNX 1.8
constexpr std::int64_t kOperators = 13;         // version of the standard ones
constexpr std::int64_t kLearningOperators = 3;  // of ai.onnx.ml: the first with doubles in trees
constexpr std::size_t kFileBytesMax = 2'000'000'000;

// Kinds of attribute, as AttributeProto numbers them.
enum class Kind {
  kFloat = 1,
  kInt = 2,
  kString = 3,
  kTensor = 4,
  kFloats = 6,
  kInts = 7,
  kStrings = 8
};

WireWriter attribute(const std::string& name, Kind kind) {
  WireWriter made;
  made.bytes(1, name).whole(20, static_cast<std::int64_t>(kind));
  return made;
}

WireWriter tensor(const std::string& name, std::span<const double> values,
                  std::span<const std::int64_t> dims, bool wide) {
  WireWriter made;
  for (const std::int64_t dim : dims) made.whole(1, dim);
  made.whole(2, wide ? kOnnxDouble : kOnnxFloat).bytes(8, name);
  std::string raw;
  for (const double value : values) {
    const std::uint64_t bits = wide ? std::bit_cast<std::uint64_t>(value)
                                    : std::bit_cast<std::uint32_t>(static_cast<float>(value));
    for (int i = 0; i < (wide ? 8 : 4); ++i) raw += static_cast<char>(bits >> (8 * i) & 0xff);
  }
  made.bytes(9, raw);
  return made;
}

struct Node {
  WireWriter written;

  Node(const char* type, const char* domain, const std::vector<std::string>& inputs,
       const std::string& output) {
    for (const std::string& input : inputs) written.bytes(1, input);
    written.bytes(2, output).bytes(4, type).bytes(7, domain);
  }
  void wholes(const char* name, const std::vector<std::int64_t>& values) {
    WireWriter made = attribute(name, Kind::kInts);
    for (const std::int64_t value : values) made.whole(8, value);
    written.message(5, made);
  }
  void whole(const char* name, std::int64_t value) {
    written.message(5, attribute(name, Kind::kInt).whole(3, value));
  }
  void texts(const char* name, const std::vector<std::string>& values) {
    WireWriter made = attribute(name, Kind::kStrings);
    for (const std::string& value : values) made.bytes(9, value);
    written.message(5, made);
  }
  // Floats as a list; doubles as a tensor under a longer name.
  void numbers(const std::string& name, const std::vector<double>& values, bool wide) {
    if (!wide) {
      WireWriter made = attribute(name, Kind::kFloats);
      for (const double value : values) made.real(7, static_cast<float>(value));
      written.message(5, made);
      return;
    }
    const std::array dims{static_cast<std::int64_t>(values.size())};
    WireWriter made = attribute(name + "_as_tensor", Kind::kTensor);
    written.message(5, made.message(5, tensor(name, values, dims, true)));
  }
};

WireWriter value_info(const std::string& name, std::int64_t type, std::int64_t columns) {
  WireWriter shape;
  shape.message(1, WireWriter().bytes(2, "rows")).message(1, WireWriter().whole(1, columns));
  const WireWriter tensor_type = WireWriter().whole(1, type).message(2, shape);
  return WireWriter().bytes(1, name).message(2, WireWriter().message(1, tensor_type));
}

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

  WireWriter node(const std::string& input, const std::string& output, double base,
                  bool wide) const {
    Node made("TreeEnsembleRegressor", "ai.onnx.ml", {input}, output);
    made.whole("n_targets", 1);
    made.wholes("nodes_treeids", tree);
    made.wholes("nodes_nodeids", id);
    made.wholes("nodes_featureids", feature);
    made.texts("nodes_modes", mode);
    made.numbers("nodes_values", value, wide);
    made.wholes("nodes_truenodeids", when_true);
    made.wholes("nodes_falsenodeids", when_false);
    made.wholes("nodes_missing_value_tracks_true", missing_true);
    made.wholes("target_treeids", leaf_tree);
    made.wholes("target_nodeids", leaf_id);
    made.wholes("target_ids", std::vector<std::int64_t>(leaf_id.size(), 0));
    made.numbers("target_weights", weight, wide);
    if (base != 0) made.numbers("base_values", {base}, wide);
    return made.written;
  }
};

void write_line(const LinearModel& model, WireWriter& graph) {
  const std::array column{static_cast<std::int64_t>(model.coefficients().size()), std::int64_t{1}};
  graph.message(1, Node("MatMul", "", {"features", "coefficients"}, "product").written);
  graph.message(1, Node("Add", "", {"product", "intercept"}, "prediction").written);
  graph.bytes(2, "weirkeeper");
  const double intercept = model.intercept();
  graph.message(5, tensor("coefficients", model.coefficients(), column, true));
  graph.message(5, tensor("intercept", {&intercept, 1}, std::span(column).subspan(1), true));
}

// base + tree 0 + tree 1 …, each sum rounded to a float. A graph needs one tree at least.
void write_narrow_trees(const BoostedModel& model, std::span<const Tree> trees, WireWriter& graph) {
  Node cast("Cast", "", {"features"}, "floats");
  cast.whole("to", kOnnxFloat);
  graph.message(1, cast.written);
  std::string sum = "base";
  for (std::size_t i = 0; i < trees.size(); ++i) {
    const std::string number = std::to_string(i);
    Lists lists;
    lists.add(trees[i], 0);
    graph.message(1, lists.node("floats", "tree" + number, 0, false));
    const std::string next = i + 1 == trees.size() ? "prediction" : "sum" + number;
    graph.message(1, Node("Add", "", {sum, "tree" + number}, next).written);
    sum = next;
  }
  graph.bytes(2, "weirkeeper");
  const std::array<std::int64_t, 1> one{1};
  const double base = model.base();
  graph.message(5, tensor("base", {&base, 1}, one, false));
}

void write_wide_trees(const BoostedModel& model, std::span<const Tree> trees, WireWriter& graph) {
  Lists lists;
  for (std::size_t i = 0; i < trees.size(); ++i) lists.add(trees[i], static_cast<std::int64_t>(i));
  graph.message(1, lists.node("features", "prediction", model.base(), true));
  graph.bytes(2, "weirkeeper");
}

WireWriter operator_set(const char* domain, std::int64_t version) {
  return WireWriter().bytes(1, domain).whole(2, version);
}

}  // namespace

Result<std::string> to_onnx(const Model& model, const std::string& program_version,
                            const std::vector<std::pair<std::string, std::string>>& metadata) {
  WireWriter graph;
  if (!model.inputs().plain()) {
    return fail(Code::kUnsupported,
                "a model that makes terms of its columns (categories, gaps, logarithms) cannot be "
                "written as ONNX yet; --format mlflow can hold it");
  }
  std::int64_t output = kOnnxFloat;
  if (const auto* const line = dynamic_cast<const LinearModel*>(&model)) {
    write_line(*line, graph);
    output = kOnnxDouble;
  } else if (const auto* const boosted = dynamic_cast<const BoostedModel*>(&model)) {
    const std::vector<Tree> none{{{Tree::kLeaf}, {0}, {}}};  // a tree that adds nothing
    const auto trees = boosted->trees().empty() ? std::span<const Tree>(none) : boosted->trees();
    if (boosted->arithmetic() == Arithmetic::kBinary64) {
      write_wide_trees(*boosted, trees, graph);
    } else {
      write_narrow_trees(*boosted, trees, graph);
    }
  } else {
    return fail(Code::kUnsupported, "a model of the kind '" + std::string(model.algorithm()) +
                                        "' cannot be written as ONNX: linear and boosted ones can");
  }
  const auto columns = static_cast<std::int64_t>(model.schema().features.size());
  graph.message(11, value_info("features", kOnnxDouble, columns));
  graph.message(12, value_info("prediction", output, 1));
  WireWriter file;
  file.whole(1, kFormatVersion).bytes(2, "weirkeeper").bytes(3, program_version);
  file.message(7, graph);
  file.message(8, operator_set("", kOperators));
  file.message(8, operator_set("ai.onnx.ml", kLearningOperators));
  const auto add = [&](const std::string& key, const std::string& value) {
    file.message(14, WireWriter().bytes(1, key).bytes(2, value));
  };
  add("weir.features", json_array(model.schema().features, quoted));
  add("weir.target", model.schema().target);
  for (const auto& [key, value] : metadata) add(key, value);
  if (file.text().size() <= kFileBytesMax) return file.text();
  return fail(Code::kExhausted, "the ONNX file would have " + format_bytes(file.text().size()) +
                                    ", more than ONNX Runtime takes");
}

}  // namespace weir::model
