// A tree ensemble is a handful of parallel lists: entry i of each list with "nodes_" in its name is
// of one node, entry i of each with "target_" gives one leaf its weight.
#include "model/onnx_trees.h"

#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "base/text.h"

namespace weir::model {
namespace {

using Place = std::pair<std::int64_t, std::int64_t>;  // number of tree, number of node in it

Error corrupt(const std::string& what) { return Error(Code::kCorrupt, what); }
Error unsupported(const std::string& what) { return Error(Code::kUnsupported, what); }

const OnnxAttribute* find(const OnnxNode& node, std::string_view name) {
  const auto found = node.attributes.find(name);
  return found == node.attributes.end() ? nullptr : &found->second;
}

// A list of floats, or, since version 3 of the operators, a tensor of doubles under a longer name.
std::vector<double> numbers(const OnnxNode& node, const std::string& name) {
  if (const auto* const list = find(node, name); list && !list->numbers.empty()) {
    return list->numbers;
  }
  const auto* const wide = find(node, name + "_as_tensor");
  return wide && wide->tensor ? wide->tensor->values : std::vector<double>();
}

std::vector<std::int64_t> wholes(const OnnxNode& node, std::string_view name) {
  const auto* const list = find(node, name);
  return list ? list->wholes : std::vector<std::int64_t>();
}

struct Lists {
  std::vector<std::int64_t> tree;
  std::vector<std::int64_t> id;
  std::vector<std::int64_t> feature;
  std::vector<std::string_view> mode;
  std::vector<double> value;
  std::vector<std::int64_t> when_true;
  std::vector<std::int64_t> when_false;
  std::vector<std::int64_t> missing_true;  // may be empty: none
  std::vector<double> weight;              // what each leaf adds
  std::map<Place, std::size_t> at;         // where each node stands in the lists
};

// The weights, gathered by node: a leaf without one adds nothing.
Status read_weights(const OnnxNode& node, Lists& lists) {
  const auto trees = wholes(node, "target_treeids");
  const auto ids = wholes(node, "target_nodeids");
  const auto targets = wholes(node, "target_ids");
  const auto weights = numbers(node, "target_weights");
  if (ids.size() != trees.size() || targets.size() != trees.size() ||
      weights.size() != trees.size()) {
    return fail(corrupt("its lists of weights are of different lengths"));
  }
  lists.weight.assign(lists.id.size(), 0);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto at = lists.at.find({trees[i], ids[i]});
    if (at == lists.at.end()) return fail(corrupt("a weight is of a node that there is not"));
    if (targets[i] != 0) return fail(unsupported("it has weights of several targets"));
    lists.weight[at->second] += weights[i];
  }
  return {};
}

Result<Lists> read_lists(const OnnxNode& node) {
  Lists lists{wholes(node, "nodes_treeids"),
              wholes(node, "nodes_nodeids"),
              wholes(node, "nodes_featureids"),
              {},
              numbers(node, "nodes_values"),
              wholes(node, "nodes_truenodeids"),
              wholes(node, "nodes_falsenodeids"),
              wholes(node, "nodes_missing_value_tracks_true"),
              {},
              {}};
  if (const auto* const modes = find(node, "nodes_modes")) lists.mode = modes->texts;
  const std::size_t count = lists.id.size();
  if (count > kTreeNodesMax) {
    return fail(Code::kBadData, "there are more than " + std::to_string(kTreeNodesMax) + " nodes");
  }
  if (lists.tree.size() != count || lists.feature.size() != count || lists.mode.size() != count ||
      lists.value.size() != count || lists.when_true.size() != count ||
      lists.when_false.size() != count ||
      (!lists.missing_true.empty() && lists.missing_true.size() != count)) {
    return fail(corrupt("its lists of nodes are of different lengths"));
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (!lists.at.emplace(Place{lists.tree[i], lists.id[i]}, i).second) {
      return fail(corrupt("two nodes of a tree have one number"));
    }
  }
  WEIR_TRY(read_weights(node, lists));
  return lists;
}

bool is_leaf(const Lists& lists, std::size_t at) { return lists.mode[at] == "LEAF"; }

// Of each tree, in the order in which the trees come up, the node that is nobody's child. No node
// is the child of two.
Result<std::vector<std::size_t>> find_roots(const Lists& lists,
                                            std::vector<std::array<std::size_t, 2>>& children) {
  std::vector<bool> is_child(lists.id.size(), false);
  children.resize(lists.id.size());
  for (std::size_t i = 0; i < lists.id.size(); ++i) {
    if (is_leaf(lists, i)) continue;
    const std::array<std::int64_t, 2> ids{lists.when_true[i], lists.when_false[i]};
    for (std::size_t side = 0; side < 2; ++side) {
      const auto child = lists.at.find({lists.tree[i], ids[side]});
      if (child == lists.at.end()) return fail(corrupt("a node has a child that there is not"));
      if (is_child[child->second]) return fail(corrupt("a node is the child of two"));
      is_child[child->second] = true;
      children[i][side] = child->second;
    }
  }
  std::vector<std::size_t> roots;
  std::map<std::int64_t, bool> seen;
  for (std::size_t i = 0; i < lists.id.size(); ++i) {
    if (is_child[i]) continue;
    if (!seen.emplace(lists.tree[i], true).second) return fail(corrupt("a tree has two roots"));
    roots.push_back(i);
  }
  return roots;
}

Result<OnnxTurn> turn_of(const Lists& lists, std::size_t at, const OnnxColumn& column) {
  const std::string_view mode = lists.mode[at];
  const double value =
      column.in_float ? static_cast<double>(static_cast<float>(lists.value[at])) : lists.value[at];
  if (!std::isfinite(value)) return fail(corrupt("a threshold is not finite"));
  if (mode == "BRANCH_LEQ") return find_turn(column, [=](double x) { return x <= value; });
  if (mode == "BRANCH_LT") return find_turn(column, [=](double x) { return x < value; });
  if (mode == "BRANCH_GTE") return find_turn(column, [=](double x) { return x >= value; });
  if (mode == "BRANCH_GT") return find_turn(column, [=](double x) { return x > value; });
  return fail(unsupported("nodes of the kind '" + one_line(mode.substr(0, 40)) +
                          "' are none that this program evaluates: BRANCH_LEQ, BRANCH_LT, "
                          "BRANCH_GTE and BRANCH_GT are"));
}

// Breadth first from the root.
Result<Tree> tree_from(const Lists& lists, std::size_t root,
                       const std::vector<std::array<std::size_t, 2>>& children,
                       const std::vector<OnnxColumn>& columns, std::size_t& taken) {
  Tree tree;
  std::vector<std::size_t> order{root};
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t at = order[i];
    if (is_leaf(lists, at)) {
      tree.feature.push_back(Tree::kLeaf);
      tree.value.push_back(lists.weight[at]);
      continue;
    }
    if (lists.feature[at] < 0 || static_cast<std::uint64_t>(lists.feature[at]) >= columns.size()) {
      return fail(corrupt("a node asks for a feature that there is not"));
    }
    const OnnxColumn& column = columns[static_cast<std::size_t>(lists.feature[at])];
    const OnnxTurn turn = WEIR_TRY(turn_of(lists, at, column));
    const bool missing_true = !lists.missing_true.empty() && lists.missing_true[at] != 0;
    tree.feature.push_back(static_cast<std::int32_t>(column.feature));
    tree.value.push_back(turn.threshold);
    tree.missing_left.push_back(missing_true == turn.holds_below ? 1 : 0);
    order.push_back(children[at][turn.holds_below ? 0 : 1]);
    order.push_back(children[at][turn.holds_below ? 1 : 0]);
  }
  taken += order.size();
  return tree;
}

}  // namespace

Status check_regressor(const OnnxNode& node, const char* targets) {
  const std::string type(node.type);
  if (const auto* const transform = find(node, "post_transform");
      transform && transform->text.value_or("NONE") != "NONE") {
    return fail(unsupported(type + " with post_transform '" +
                            one_line(transform->text->substr(0, 40)) +
                            "' is not evaluated by this program: NONE is"));
  }
  if (const auto* const count = find(node, targets); count && count->whole.value_or(1) != 1) {
    return fail(unsupported(type + " predicts several numbers ('" + targets +
                            "'); a model of this program predicts one"));
  }
  return {};
}

Result<ForeignTrees> trees_of_onnx(const OnnxNode& node, const std::vector<OnnxColumn>& columns) {
  WEIR_TRY(check_regressor(node, "n_targets"));
  double share = 1;
  const Lists lists = WEIR_TRY(read_lists(node));
  std::vector<std::array<std::size_t, 2>> children;
  const auto roots = WEIR_TRY(find_roots(lists, children));
  if (const auto* const how = find(node, "aggregate_function"); how && how->text) {
    if (*how->text == "AVERAGE" && !roots.empty()) {
      share = 1 / static_cast<double>(roots.size());
    } else if (*how->text != "SUM") {
      return fail(unsupported("trees are put together by '" + one_line(how->text->substr(0, 40)) +
                              "', which this program does not: by SUM or AVERAGE it does"));
    }
  }
  ForeignTrees body{0, {}, Arithmetic::kBinary64};
  const std::vector<double> bases = numbers(node, "base_values");
  if (bases.size() > 1) return fail(unsupported("it has several base values"));
  if (!bases.empty()) body.base = bases.front();
  std::size_t taken = 0;
  for (const std::size_t root : roots) {
    Tree tree = WEIR_TRY(during(tree_from(lists, root, children, columns, taken),
                                "reading tree " + std::to_string(body.trees.size())));
    for (std::size_t i = 0; i < tree.value.size(); ++i) {
      if (tree.feature[i] == Tree::kLeaf) tree.value[i] *= share;
    }
    body.trees.push_back(std::move(tree));
  }
  if (taken != lists.id.size()) return fail(corrupt("nodes are their own ancestors"));
  return body;
}

}  // namespace weir::model
