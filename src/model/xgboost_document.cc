#include "model/xgboost_document.h"

#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"

namespace weir::model {
namespace {

// Numbers become floats at once: read as doubles first, they could be rounded twice.
using Document = nlohmann::basic_json<std::map, std::vector, std::string, bool, std::int64_t,
                                      std::uint64_t, float>;

// Those whose prediction is the sum of the leaves, not a function of it.
constexpr std::array<std::string_view, 4> kPlainObjectives = {
    "reg:squarederror", "reg:squaredlogerror", "reg:absoluteerror", "reg:pseudohubererror"};

Error corrupt(const std::string& what) { return Error(Code::kCorrupt, what); }

// XGBoost keeps parameters as text.
Result<std::int64_t> whole_number(const Document& json, const char* name) {
  const auto& text = json.at(name).get_ref<const std::string&>();
  const auto value = parse_int64(text);
  if (!value) return fail(corrupt("\"" + std::string(name) + "\" is no whole number"));
  return *value;
}

// "2.25E1", or in a list of one.
Result<float> base_score(const Document& json) {
  std::string_view text = json.at("base_score").get_ref<const std::string&>();
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
  }
  float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(corrupt("\"base_score\" is not one number"));
  }
  return value;
}

// The lists of a tree, by XGBoost's own numbers of its nodes.
struct Nodes {
  const Document::array_t& left;
  const Document::array_t& right;
  const Document::array_t& feature;
  const Document::array_t& value;
  const Document::array_t& missing_left;

  static const Document::array_t& list(const Document& tree, const char* name) {
    return tree.at(name).get_ref<const Document::array_t&>();
  }
  explicit Nodes(const Document& tree)
      : left(list(tree, "left_children")),
        right(list(tree, "right_children")),
        feature(list(tree, "split_indices")),
        value(list(tree, "split_conditions")),
        missing_left(list(tree, "default_left")) {}

  bool of_one_size() const {
    return right.size() == left.size() && feature.size() == left.size() &&
           value.size() == left.size() && missing_left.size() == left.size() && !left.empty();
  }
};

// A node is the child of one other at most, or the walk might never end.
Result<std::size_t> child(const Document& number, std::vector<bool>& is_child) {
  const auto index = number.get<std::int64_t>();
  if (index <= 0 || static_cast<std::uint64_t>(index) >= is_child.size()) {
    return fail(corrupt("a node has a child that there is not"));
  }
  const auto at = static_cast<std::size_t>(index);
  if (is_child[at]) return fail(corrupt("a node is the child of two"));
  is_child[at] = true;
  return at;
}

bool is_set(const Document& flag) {
  return flag.is_boolean() ? flag.get<bool>() : flag.get<std::int64_t>() != 0;
}

// Breadth first from the root; XGBoost numbers nodes in the order in which they grew.
Result<Tree> tree_from(const Document& json) {
  if (const auto types = json.find("split_type"); types != json.end()) {
    for (const Document& type : *types) {
      if (is_set(type)) {
        return fail(Code::kUnsupported, "it splits on categories, which this program does not");
      }
    }
  }
  const Nodes nodes(json);
  if (!nodes.of_one_size()) return fail(corrupt("its lists are of different lengths, or empty"));
  std::vector<bool> is_child(nodes.left.size(), false);
  Tree tree;
  std::vector<std::size_t> order{0};
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t at = order[i];
    if (!nodes.value[at].is_number()) return fail(corrupt("a threshold or leaf is no number"));
    tree.value.push_back(nodes.value[at].get<float>());
    if (nodes.left[at].get<std::int64_t>() == -1) {
      tree.feature.push_back(Tree::kLeaf);
      continue;
    }
    order.push_back(WEIR_TRY(child(nodes.left[at], is_child)));
    order.push_back(WEIR_TRY(child(nodes.right[at], is_child)));
    const auto feature = nodes.feature[at].get<std::int64_t>();
    if (feature < 0 || static_cast<std::uint64_t>(feature) >= kColumnsMax) {
      return fail(corrupt("a node asks for a feature that there is not"));
    }
    tree.feature.push_back(static_cast<std::int32_t>(feature));
    tree.missing_left.push_back(is_set(nodes.missing_left[at]) ? 1 : 0);
  }
  return tree;
}

Status check_kind(const Document& learner) {
  const std::string booster = learner.at("gradient_booster").at("name");
  if (booster != "gbtree") {
    return fail(Code::kUnsupported, "the booster '" + one_line(booster) +
                                        "' is not one that this program evaluates: gbtree is");
  }
  const std::string objective = learner.at("objective").at("name");
  for (const std::string_view plain : kPlainObjectives) {
    if (objective == plain) return {};
  }
  return fail(Code::kUnsupported, "the objective '" + one_line(objective) +
                                      "' is not one that this program evaluates: " +
                                      std::string(kPlainObjectives[0]) + " and the like are");
}

Result<BoostedModel> model_from(const Document& json, record::Schema schema) {
  const Document& learner = json.at("learner");
  WEIR_TRY(check_kind(learner));
  const Document& param = learner.at("learner_model_param");
  for (const char* const several : {"num_class", "num_target"}) {
    if (param.contains(several) && WEIR_TRY(whole_number(param, several)) > 1) {
      return fail(Code::kUnsupported, "it predicts several numbers (\"" + std::string(several) +
                                          "\"); a model of this program predicts one");
    }
  }
  const std::int64_t features = WEIR_TRY(whole_number(param, "num_feature"));
  if (features != static_cast<std::int64_t>(schema.features.size())) {
    return fail(Code::kBadData, "it has " + std::to_string(features) + " features, and " +
                                    std::to_string(schema.features.size()) + " are named");
  }
  const float base = WEIR_TRY(base_score(param));
  std::vector<Tree> trees;
  for (const Document& tree : Nodes::list(learner.at("gradient_booster").at("model"), "trees")) {
    trees.push_back(
        WEIR_TRY(during(tree_from(tree), "reading tree " + std::to_string(trees.size()))));
  }
  return BoostedModel::make(std::move(schema), base, std::move(trees));
}

// UBJSON begins with '{' too, but the length of a key follows, not white space or a quote.
bool is_ubjson(std::string_view document) {
  return document.size() > 1 && document[0] == '{' &&
         std::string_view("LUiIl").find(document[1]) != std::string_view::npos;
}

}  // namespace

Result<BoostedModel> model_from_xgboost(std::string_view document, record::Schema schema) {
  if (document.size() > kXgboostBytesMax) {
    return fail(corrupt("a document of " + format_bytes(document.size()) +
                        " is over the limit of " + format_bytes(kXgboostBytesMax)));
  }
  const Document json = is_ubjson(document) ? Document::from_ubjson(document, true, false)
                                            : Document::parse(document, nullptr, false);
  if (!json.is_object()) return fail(corrupt("it is no whole document of JSON or UBJSON"));
  try {
    return model_from(json, std::move(schema));
  } catch (const Document::exception& e) {
    return fail(corrupt(std::string("it is not as XGBoost writes it: ") + e.what()));
  }
}

}  // namespace weir::model
