// The graph is followed from its inputs to its output. What passes along an edge is one of three
// things: a constant, the features (each with what was done to it so far), or the answer, which is
// a line or trees. A node that makes something else of them is refused by its name.
#include "model/onnx_document.h"

#include <cmath>
#include <map>
#include <utility>

#include "base/text.h"
#include "model/onnx_column.h"
#include "model/onnx_graph.h"
#include "model/onnx_trees.h"

namespace weir::model {
namespace {

using Columns = std::vector<OnnxColumn>;
using Answer = std::variant<ForeignTrees, ForeignLine>;
using Value = std::variant<const OnnxTensor*, Columns, Answer>;
using Kind = OnnxStep::Kind;

Error corrupt(const std::string& what) { return Error(Code::kCorrupt, what); }
Error unsupported(const std::string& what) { return Error(Code::kUnsupported, what); }

std::string name_of(const OnnxNode& node) {
  const std::string domain(node.domain.substr(0, 40));
  return one_line((domain.empty() ? "" : domain + ".") + std::string(node.type.substr(0, 40)));
}

Error no_such_use(const OnnxNode& node) {
  return unsupported("the operator " + name_of(node) +
                     " is used in a way that this program does not follow");
}

// What all values of a graph may come to: each step of a column, node of a tree and coefficient
// counts. A small graph can copy what it has a thousand times.
constexpr std::size_t kValueUnitsMax = 20'000'000;

std::size_t units_of(const Answer& answer) {
  if (const auto* const line = std::get_if<ForeignLine>(&answer)) {
    return 1 + line->coefficients.size();
  }
  std::size_t units = 1;
  for (const Tree& tree : std::get<ForeignTrees>(answer).trees) units += tree.feature.size();
  return units;
}

std::size_t units_of(const Value& value) {
  if (const auto* const answer = std::get_if<Answer>(&value)) return units_of(*answer);
  std::size_t units = 1;
  if (const auto* const columns = std::get_if<Columns>(&value)) {
    for (const OnnxColumn& column : *columns) units += 1 + column.steps.size();
  }
  return units;
}

class Interpreter {
 public:
  explicit Interpreter(const OnnxGraph& graph) : graph_(graph) {}

  Result<ForeignModel> run() {
    ForeignModel model;
    model.tool = std::string(graph_.producer.substr(0, 60)) + " " +
                 std::string(graph_.producer_version.substr(0, 30)) + ", ONNX";
    for (const OnnxTensor& constant : graph_.constants) {
      for (const double value : constant.values) {
        if (!std::isfinite(value)) return fail(corrupt("a constant is not finite"));
      }
      values_.insert_or_assign(constant.name, &constant);
    }
    WEIR_TRY(take_inputs(model));
    for (const OnnxNode& node : graph_.nodes) {
      Value made = WEIR_TRY(follow(node));
      units_ += units_of(made);
      if (units_ > kValueUnitsMax) {
        return fail(Code::kExhausted,
                    "its nodes make more of each other than this program holds: " +
                        std::to_string(units_) + " steps, tree nodes and coefficients");
      }
      if (node.outputs.empty() || !values_.emplace(node.outputs[0], std::move(made)).second) {
        return fail(corrupt("a node has no output, or that of another"));
      }
    }
    if (graph_.outputs.size() != 1) {
      return fail(unsupported("it has " + std::to_string(graph_.outputs.size()) +
                              " outputs; a model of this program has one"));
    }
    const auto output = values_.find(graph_.outputs[0]);
    if (output == values_.end()) return fail(corrupt("no node makes its output"));
    auto* const answer = std::get_if<Answer>(&output->second);
    if (!answer) return fail(unsupported("its output is no prediction of a model that is known"));
    model.body = std::move(*answer);
    return model;
  }

 private:
  // One table, or columns that each have a name.
  Status take_inputs(ForeignModel& model) {
    for (const OnnxInput& input : graph_.inputs) {
      if (input.type != kOnnxFloat && input.type != kOnnxDouble) {
        return fail(unsupported("its input '" + one_line(input.name.substr(0, 60)) +
                                "' is of whole numbers or text; float and double are taken"));
      }
      const std::int64_t width = input.dims.size() == 2 ? input.dims[1] : 0;
      if (width < 1 || static_cast<std::uint64_t>(width) >= kColumnsMax - model.feature_count) {
        return fail(unsupported("its input '" + one_line(input.name.substr(0, 60)) +
                                "' is no table of 1 to " + std::to_string(kColumnsMax - 1) +
                                " columns of a known number"));
      }
      Columns columns;
      for (std::int64_t i = 0; i < width; ++i) {
        columns.push_back({model.feature_count++, false, {}});
        columns.back().cast(input.type == kOnnxFloat);
      }
      values_.insert_or_assign(input.name, std::move(columns));
      if (width == 1) model.features.emplace_back(input.name);
    }
    if (model.features.size() != model.feature_count || model.feature_count == 1) {
      model.features.clear();  // a table's name is none of a feature
    }
    return {};
  }

  Result<const Value*> input(const OnnxNode& node, std::size_t index) const {
    if (index >= node.inputs.size()) return fail(corrupt(name_of(node) + " lacks an input"));
    const auto found = values_.find(node.inputs[index]);
    if (found != values_.end()) return &found->second;
    return fail(corrupt("an input of " + name_of(node) + " is not there, or made only later"));
  }

  template <typename Kind>
  Result<const Kind*> input_of(const OnnxNode& node, std::size_t index) const {
    const auto* const found = std::get_if<Kind>(WEIR_TRY(input(node, index)));
    if (!found) return fail(no_such_use(node));
    return found;
  }

  Result<Value> follow(const OnnxNode& node) const {
    const bool standard = node.domain.empty() || node.domain == "ai.onnx";
    const bool learning = node.domain == "ai.onnx.ml";
    const std::string_view type = node.type;
    if (standard && type == "Identity") return *WEIR_TRY(input(node, 0));
    if (standard && type == "Cast") return cast(node);
    if (standard && (type == "Reshape" || type == "Flatten" || type == "Squeeze")) {
      return Value(*WEIR_TRY(input_of<Answer>(node, 0)));  // of one number a row
    }
    if (standard && type == "Concat") return concat(node);
    if (standard && type == "Add") return by_constant(node, Kind::kAdd);
    if (standard && type == "Sub") return by_constant(node, Kind::kSubtract);
    if (standard && type == "Mul") return by_constant(node, Kind::kMultiply);
    if (standard && type == "Div") return by_constant(node, Kind::kDivide);
    if (standard && (type == "MatMul" || type == "Gemm")) return product(node);
    if (learning && type == "Scaler") return scaler(node);
    if (learning && type == "LinearRegressor") return linear(node);
    if (learning && type == "TreeEnsembleRegressor") {
      return Value(Answer(WEIR_TRY(trees_of_onnx(node, *WEIR_TRY(input_of<Columns>(node, 0))))));
    }
    return fail(unsupported("the operator " + name_of(node) +
                            " is none that this program takes; it takes LinearRegressor, "
                            "TreeEnsembleRegressor, MatMul, Gemm, Scaler, and Add, Sub, Mul, Div "
                            "by constants"));
  }

  Result<Value> cast(const OnnxNode& node) const {
    const auto to = node.attributes.find("to");
    const std::int64_t type = to == node.attributes.end() ? 0 : to->second.whole.value_or(0);
    if (type != kOnnxFloat && type != kOnnxDouble) return fail(no_such_use(node));
    const Value* const from = WEIR_TRY(input(node, 0));
    if (!std::holds_alternative<Columns>(*from)) return *from;  // a rounding of what is an answer
    Columns columns = std::get<Columns>(*from);
    for (OnnxColumn& column : columns) column.cast(type == kOnnxFloat);
    return Value(std::move(columns));
  }

  Result<Value> concat(const OnnxNode& node) const {
    const auto axis = node.attributes.find("axis");
    const std::int64_t along = axis == node.attributes.end() ? 0 : axis->second.whole.value_or(0);
    if (along != 1 && along != -1) return fail(no_such_use(node));
    Columns columns;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const auto* const more = WEIR_TRY(input_of<Columns>(node, i));
      if (columns.size() + more->size() > kColumnsMax) {
        return fail(corrupt("more columns are put together than a model has"));
      }
      columns.insert(columns.end(), more->begin(), more->end());
    }
    return Value(std::move(columns));
  }

  // Trees, and more trees.
  static Result<Value> sum(const OnnxNode& node, const Answer& a, const Answer& b) {
    const auto* const first = std::get_if<ForeignTrees>(&a);
    const auto* const second = std::get_if<ForeignTrees>(&b);
    if (!first || !second || first->trees.size() + second->trees.size() > kTreesMax) {
      return fail(no_such_use(node));
    }
    const std::size_t nodes = units_of(a) + units_of(b);
    if (nodes > kTreeNodesMax) return fail(corrupt("there are more tree nodes than a model has"));
    ForeignTrees both = *first;
    both.base += second->base;
    both.trees.insert(both.trees.end(), second->trees.begin(), second->trees.end());
    return Value(Answer(std::move(both)));
  }

  // The features, or the answer, and a constant; what can be turned round may stand the other way.
  Result<Value> by_constant(const OnnxNode& node, Kind kind) const {
    if (kind == Kind::kAdd) {
      const auto* const a = std::get_if<Answer>(WEIR_TRY(input(node, 0)));
      const auto* const b = std::get_if<Answer>(WEIR_TRY(input(node, 1)));
      if (a && b) return sum(node, *a, *b);
    }
    std::size_t of = 0;
    const bool turns = kind == Kind::kAdd || kind == Kind::kMultiply;
    if (turns && std::holds_alternative<const OnnxTensor*>(*WEIR_TRY(input(node, 0)))) of = 1;
    const OnnxTensor& by = **WEIR_TRY(input_of<const OnnxTensor*>(node, 1 - of));
    const Value& value = *WEIR_TRY(input(node, of));
    if (const auto* const answer = std::get_if<Answer>(&value)) {
      if (by.values.size() != 1) return fail(no_such_use(node));
      return changed(node, *answer, kind, by.values[0]);
    }
    const auto* const from = std::get_if<Columns>(&value);
    if (!from || (by.values.size() != 1 && by.values.size() != from->size())) {
      return fail(no_such_use(node));
    }
    Columns columns = *from;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const double number = by.values[by.values.size() == 1 ? 0 : i];
      if (kind == Kind::kDivide && number == 0) return fail(corrupt("it divides by zero"));
      columns[i].then({kind, number});
    }
    return Value(std::move(columns));
  }

  static Result<Value> changed(const OnnxNode& node, Answer answer, Kind kind, double by) {
    if (kind == Kind::kDivide && by == 0) return fail(corrupt("it divides by zero"));
    const double factor = kind == Kind::kMultiply ? by : kind == Kind::kDivide ? 1 / by : 1;
    const double term = kind == Kind::kAdd ? by : kind == Kind::kSubtract ? -by : 0;
    if (auto* const line = std::get_if<ForeignLine>(&answer)) {
      line->intercept = line->intercept * factor + term;
      for (double& coefficient : line->coefficients) coefficient *= factor;
      return Value(std::move(answer));
    }
    auto& body = std::get<ForeignTrees>(answer);
    if (body.trees.empty() && factor != 1) return fail(no_such_use(node));
    body.base = body.base * factor + term;
    for (Tree& tree : body.trees) {
      for (std::size_t i = 0; i < tree.value.size(); ++i) {
        if (tree.feature[i] == Tree::kLeaf) tree.value[i] *= factor;
      }
    }
    return Value(std::move(answer));
  }

  // (x - offset) * scale, in floats whatever comes in.
  Result<Value> scaler(const OnnxNode& node) const {
    Columns columns = *WEIR_TRY(input_of<Columns>(node, 0));
    const auto list = [&](const char* name) {
      const auto found = node.attributes.find(name);
      return found == node.attributes.end() ? std::vector<double>() : found->second.numbers;
    };
    const std::vector<double> offset = list("offset");
    const std::vector<double> scale = list("scale");
    const auto fits = [&](const auto& numbers) {
      return numbers.size() == 1 || numbers.size() == columns.size();
    };
    if (!fits(offset) || !fits(scale)) {
      return fail(corrupt("Scaler has not one offset and scale for each column"));
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const double subtrahend = offset[offset.size() == 1 ? 0 : i];
      const double factor = scale[scale.size() == 1 ? 0 : i];
      if (!std::isfinite(subtrahend) || !std::isfinite(factor)) {
        return fail(corrupt("Scaler has a number that is not finite"));
      }
      columns[i].cast(true);
      columns[i].then({Kind::kSubtract, subtrahend});
      columns[i].then({Kind::kMultiply, factor});
    }
    return Value(std::move(columns));
  }

  Result<Value> linear(const OnnxNode& node) const {
    WEIR_TRY(check_regressor(node, "targets"));
    const Columns& columns = *WEIR_TRY(input_of<Columns>(node, 0));
    const auto coefficients = node.attributes.find("coefficients");
    if (coefficients == node.attributes.end()) {
      return fail(corrupt("LinearRegressor has no coefficients"));
    }
    double intercept = 0;
    if (const auto found = node.attributes.find("intercepts");
        found != node.attributes.end() && !found->second.numbers.empty()) {
      if (found->second.numbers.size() != 1) return fail(no_such_use(node));
      intercept = found->second.numbers[0];
    }
    return line_of(columns, coefficients->second.numbers, intercept);
  }

  // Of the features with one column of constants; Gemm may add one, and weigh both.
  Result<Value> product(const OnnxNode& node) const {
    const Columns& columns = *WEIR_TRY(input_of<Columns>(node, 0));
    const OnnxTensor& by = **WEIR_TRY(input_of<const OnnxTensor*>(node, 1));
    const auto number = [&](const char* name, double otherwise) {
      const auto found = node.attributes.find(name);
      return found == node.attributes.end() ? otherwise : found->second.number.value_or(otherwise);
    };
    const auto flag = [&](const char* name) {
      const auto found = node.attributes.find(name);
      return found != node.attributes.end() && found->second.whole.value_or(0) != 0;
    };
    const std::size_t wide = flag("transB") ? 0 : 1;  // the dimension that must be 1
    const bool one = by.dims.size() == 1 || (by.dims.size() == 2 && by.dims[wide] == 1);
    if (flag("transA") || !one) return fail(no_such_use(node));
    std::vector<double> coefficients = by.values;
    for (double& coefficient : coefficients) coefficient *= number("alpha", 1);
    double intercept = 0;
    if (node.inputs.size() > 2 && !node.inputs[2].empty()) {
      const OnnxTensor& added = **WEIR_TRY(input_of<const OnnxTensor*>(node, 2));
      if (added.values.size() != 1) return fail(no_such_use(node));
      intercept = added.values[0] * number("beta", 1);
    }
    return line_of(columns, coefficients, intercept);
  }

  // What was done to the features goes into the coefficients; one may come up more than once.
  Result<Value> line_of(const Columns& columns, const std::vector<double>& coefficients,
                        double intercept) const {
    if (coefficients.size() != columns.size()) {
      return fail(corrupt("there are " + std::to_string(coefficients.size()) +
                          " coefficients for " + std::to_string(columns.size()) + " columns"));
    }
    std::size_t features = 0;
    for (const OnnxInput& input : graph_.inputs)
      features += static_cast<std::size_t>(input.dims[1]);
    ForeignLine line{intercept, std::vector<double>(features, 0.0)};
    for (std::size_t i = 0; i < columns.size(); ++i) {
      line.coefficients[columns[i].feature] += coefficients[i] * columns[i].slope();
      line.intercept += coefficients[i] * columns[i].offset();
    }
    return Value(Answer(std::move(line)));
  }

  std::size_t units_ = 0;
  const OnnxGraph& graph_;
  std::map<std::string_view, Value> values_;
};

}  // namespace

Result<ForeignModel> read_onnx(std::string_view document) {
  if (document.size() > kForeignBytesMax) {
    return fail(corrupt("a document of " + format_bytes(document.size()) +
                        " is over the limit of " + format_bytes(kForeignBytesMax)));
  }
  const OnnxGraph graph = WEIR_TRY(parse_onnx(document));
  return Interpreter(graph).run();
}

}  // namespace weir::model
