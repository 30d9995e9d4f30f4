#include "audit/audit_trees.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

namespace weir::audit {
namespace {

using Json = nlohmann::json;

auto broken(const char* what) { return fail(Code::kCorrupt, what); }

}  // namespace

double AuditTrees::rounded(double value) const {
  return wide_ ? value : static_cast<double>(static_cast<float>(value));
}

// A binary32 is written so that reading a binary64 and rounding it gives that number.
std::optional<double> AuditTrees::number_of(const Json& number) const {
  if (!number.is_number()) return std::nullopt;
  const double value = rounded(number.get<double>());
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

// Children are dealt out in the order of the nodes: each node with a feature takes the next two.
Result<AuditTrees::Tree> AuditTrees::parse_tree(const Json& json, std::size_t features) const {
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
    const auto number = number_of(numbers.at(at));
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
  if (model.contains("arithmetic")) {
    if (model.at("arithmetic") != "binary64") return broken("an arithmetic that is not known");
    trees.wide_ = true;
  }
  const auto base = trees.number_of(model.at("base"));
  if (!base) return broken("a base value that is no finite number");
  trees.base_ = *base;
  if (!model.at("trees").is_array()) return broken("no list of trees");
  for (const Json& tree : model.at("trees")) {
    trees.trees_.push_back(WEIR_TRY(trees.parse_tree(tree, features)));
  }
  return trees;
}

double AuditTrees::predict(const double* row) const {
  double sum = base_;
  for (const Tree& tree : trees_) {
    const Node* node = &tree.front();
    while (!node->is_leaf) {
      const bool below = rounded(row[node->feature]) < node->number;
      node = &tree[below ? node->left : node->right];
    }
    // The sum of two floats, rounded to a double and then to a float, is what it is in floats: a
    // double has more than twice as many bits (Figueroa 1995).
    sum = rounded(sum + node->number);
  }
  return sum;
}

}  // namespace weir::audit
