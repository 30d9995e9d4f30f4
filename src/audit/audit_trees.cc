#include "audit/audit_trees.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

namespace weir::audit {
namespace {

using Json = nlohmann::json;

// A float is written so that reading a double and rounding it gives that float.
std::optional<float> float_of(const Json& number) {
  if (!number.is_number()) return std::nullopt;
  const auto value = static_cast<float>(number.get<double>());
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

auto broken(const char* what) { return fail(Code::kCorrupt, what); }

}  // namespace

// Children are dealt out in the order of the nodes: each node with a feature takes the next two.
Result<AuditTrees::Tree> AuditTrees::parse_tree(const Json& json, std::size_t features) {
  const Json& asked = json.at("feature");
  const Json& numbers = json.at("value");
  if (!asked.is_array() || !numbers.is_array() || asked.empty() || asked.size() != numbers.size()) {
    return broken("a tree without nodes, or with a node that has no value");
  }
  Tree tree(asked.size());
  std::size_t dealt = 1;  // the root is nobody's child
  for (std::size_t at = 0; at < tree.size(); ++at) {
    if (at >= dealt) return broken("a tree with a node that is nobody's child");
    Node& node = tree[at];
    const auto number = float_of(numbers.at(at));
    if (!number) return broken("a tree with a value that is no finite number");
    node.number = *number;
    if (!asked.at(at).is_number_integer()) return broken("a tree that asks for no feature");
    const auto feature = asked.at(at).get<std::int64_t>();
    if (feature == -1) continue;
    if (feature < 0 || static_cast<std::uint64_t>(feature) >= features) {
      return broken("a tree that asks for a feature that there is not");
    }
    node.is_leaf = false;
    node.feature = static_cast<std::size_t>(feature);
    node.left = dealt++;
    node.right = dealt++;
    if (dealt > tree.size()) return broken("a tree with a node whose children are missing");
  }
  return tree;
}

Result<AuditTrees> AuditTrees::parse(const Json& model, std::size_t features) {
  AuditTrees trees;
  const auto base = float_of(model.at("base"));
  if (!base) return broken("a base value that is no finite number");
  trees.base_ = *base;
  if (!model.at("trees").is_array()) return broken("no list of trees");
  for (const Json& tree : model.at("trees")) {
    trees.trees_.push_back(WEIR_TRY(parse_tree(tree, features)));
  }
  return trees;
}

double AuditTrees::predict(const double* row) const {
  float sum = base_;
  for (const Tree& tree : trees_) {
    const Node* node = &tree.front();
    while (!node->is_leaf) {
      const bool below = static_cast<float>(row[node->feature]) < node->number;
      node = &tree[below ? node->left : node->right];
    }
    sum = sum + node->number;
  }
  return static_cast<double>(sum);
}

}  // namespace weir::audit
