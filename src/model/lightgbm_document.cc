// The text is blocks of "key=value" lines: a header, one block for each tree ("Tree=0", …) and, at
// the end of the trees, a line that says so; what follows (importances, parameters) is of no matter
// for predictions. Within a tree, inner nodes and leaves are numbered apart: a child n >= 0 is the
// inner node n, and one below 0 is the leaf ~n.
#include "model/lightgbm_document.h"

#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "base/text.h"

namespace weir::model {
namespace {

// Bits of decision_type.
constexpr std::int64_t kCategorical = 1;
constexpr std::int64_t kDefaultLeft = 2;
enum class MissingType { kNone = 0, kZero = 1, kNan = 2 };

// What LightGBM takes for zero, where zero means missing.
constexpr double kNearlyZero = 1e-35F;

// Those whose prediction is the sum of the leaves, not a function of it.
constexpr std::array<std::string_view, 7> kPlainObjectives = {
    "regression", "regression_l1", "huber", "fair", "quantile", "mape", "custom"};

Error corrupt(const std::string& what) { return Error(Code::kCorrupt, what); }
Error unsupported(const std::string& what) { return Error(Code::kUnsupported, what); }

// The lines of a text, without their ends.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  std::optional<std::string_view> next() {
    if (rest_.empty()) return std::nullopt;
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }

 private:
  std::string_view rest_;
};

using Block = std::map<std::string_view, std::string_view>;
constexpr std::size_t kBlockLinesMax = 100;  // LightGBM writes some twenty

// A line without '=' stands for itself: "average_output".
Status add_line(Block& block, std::string_view line) {
  if (block.size() == kBlockLinesMax) return fail(corrupt("it has more lines than LightGBM's"));
  const std::size_t equals = std::min(line.find('='), line.size());
  const std::string_view value = line.substr(std::min(equals + 1, line.size()));
  if (block.emplace(line.substr(0, equals), value).second) return {};
  return fail(corrupt("'" + one_line(line.substr(0, equals)) + "' is there twice"));
}

Result<std::string_view> text_of(const Block& block, std::string_view key) {
  const auto found = block.find(key);
  if (found != block.end()) return found->second;
  return fail(corrupt("there is no '" + std::string(key) + "'"));
}

// One more than `count` at most.
std::vector<std::string_view> words_of(std::string_view text, std::size_t count) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < text.size() && words.size() <= count;) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

Result<std::int64_t> whole_number(const Block& block, std::string_view key) {
  const auto value = parse_int64(WEIR_TRY(text_of(block, key)));
  if (!value) return fail(corrupt("'" + std::string(key) + "' is no whole number"));
  return *value;
}

template <typename Number>
Result<std::vector<Number>> numbers(const Block& block, std::string_view key, std::size_t count) {
  const auto words = words_of(WEIR_TRY(text_of(block, key)), count);
  if (words.size() != count) {
    return fail(corrupt("'" + std::string(key) + "' has " +
                        (words.size() < count ? "less" : "more") + " than the " +
                        std::to_string(count) + " numbers that are needed"));
  }
  std::vector<Number> values;
  values.reserve(count);
  for (const std::string_view word : words) {
    std::optional<Number> value;
    if constexpr (std::is_same_v<Number, double>) {
      value = parse_finite_double(word);
    } else {
      value = parse_int64(word);
    }
    if (!value) {
      return fail(corrupt("'" + std::string(key) + "' holds '" + one_line(word.substr(0, 40)) +
                          "', which is not a number that can be used"));
    }
    values.push_back(*value);
  }
  return values;
}

// ---- a tree ----

struct Nodes {
  std::vector<std::int64_t> feature;
  std::vector<double> threshold;
  std::vector<std::int64_t> decision;
  std::vector<std::int64_t> left;
  std::vector<std::int64_t> right;
  std::vector<double> leaf;
  std::vector<double> inner_cover;  // both empty where the text has no counts
  std::vector<double> leaf_cover;
};

Result<Nodes> nodes_from(const Block& block, std::size_t leaves) {
  const std::size_t inner = leaves - 1;
  Nodes nodes;
  nodes.leaf = WEIR_TRY(numbers<double>(block, "leaf_value", leaves));
  if (inner == 0) return nodes;
  nodes.feature = WEIR_TRY(numbers<std::int64_t>(block, "split_feature", inner));
  nodes.threshold = WEIR_TRY(numbers<double>(block, "threshold", inner));
  nodes.decision = WEIR_TRY(numbers<std::int64_t>(block, "decision_type", inner));
  nodes.left = WEIR_TRY(numbers<std::int64_t>(block, "left_child", inner));
  nodes.right = WEIR_TRY(numbers<std::int64_t>(block, "right_child", inner));
  if (block.contains("internal_count") && block.contains("leaf_count")) {
    nodes.inner_cover = WEIR_TRY(numbers<double>(block, "internal_count", inner));
    nodes.leaf_cover = WEIR_TRY(numbers<double>(block, "leaf_count", leaves));
  }
  return nodes;
}

// Which way a row without a value goes. Where LightGBM takes zeros for missing too, they must go
// the way in which they would by comparison, as there is no other here.
Result<bool> missing_goes_left(std::int64_t decision, double threshold) {
  const bool default_left = (decision & kDefaultLeft) != 0;
  switch (static_cast<MissingType>(decision >> 2)) {
    case MissingType::kNone: return 0.0 <= threshold;
    case MissingType::kNan: return default_left;
    case MissingType::kZero: {
      const bool agrees = default_left ? kNearlyZero <= threshold : -kNearlyZero > threshold;
      if (agrees) return default_left;
      return fail(unsupported(
          "zeros count as missing (zero_as_missing) and go another way than by comparison, which "
          "this program does not do; train it with zero_as_missing=false"));
    }
  }
  return fail(corrupt("a decision_type that LightGBM does not write"));
}

// x <= t is x < the next double above t.
Result<double> just_above(double threshold) {
  const double above = std::nextafter(threshold, std::numeric_limits<double>::infinity());
  if (std::isfinite(above)) return above;
  return fail(corrupt("a threshold is the largest number that there is"));
}

// A node is the child of one other at most, or the walk might never end.
Status claim(std::int64_t child, std::vector<bool>& inner_taken, std::vector<bool>& leaf_taken) {
  std::vector<bool>& taken = child >= 0 ? inner_taken : leaf_taken;
  const auto at = static_cast<std::uint64_t>(child >= 0 ? child : ~child);
  if (at >= taken.size()) return fail(corrupt("a node has a child that there is not"));
  if (taken[at]) return fail(corrupt("a node is the child of two"));
  taken[at] = true;
  return {};
}

// Breadth first from the root.
Result<Tree> tree_from(const Nodes& nodes, std::size_t feature_count) {
  Tree tree;
  std::vector<bool> inner_taken(nodes.feature.size(), false);
  std::vector<bool> leaf_taken(nodes.leaf.size(), false);
  std::vector<std::int64_t> order{nodes.feature.empty() ? ~std::int64_t{0} : 0};
  if (!nodes.feature.empty()) inner_taken[0] = true;
  const bool covered = !nodes.inner_cover.empty();
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (order[i] < 0) {
      const auto leaf = static_cast<std::size_t>(~order[i]);
      tree.feature.push_back(Tree::kLeaf);
      tree.value.push_back(nodes.leaf[leaf]);
      if (covered) tree.cover.push_back(nodes.leaf_cover[leaf]);
      continue;
    }
    const auto at = static_cast<std::size_t>(order[i]);
    const std::int64_t decision = nodes.decision[at];
    if (decision < 0 || (decision & kCategorical) != 0) {
      return fail(
          unsupported("it splits on categories, which this program does not; train it on "
                      "numbers (one column for each category, say)"));
    }
    if (nodes.feature[at] < 0 || static_cast<std::uint64_t>(nodes.feature[at]) >= feature_count) {
      return fail(corrupt("a node asks for a feature that there is not"));
    }
    tree.feature.push_back(static_cast<std::int32_t>(nodes.feature[at]));
    tree.value.push_back(WEIR_TRY(just_above(nodes.threshold[at])));
    tree.missing_left.push_back(WEIR_TRY(missing_goes_left(decision, nodes.threshold[at])) ? 1 : 0);
    if (covered) tree.cover.push_back(nodes.inner_cover[at]);
    for (const std::int64_t child : {nodes.left[at], nodes.right[at]}) {
      WEIR_TRY(claim(child, inner_taken, leaf_taken));
      order.push_back(child);
    }
  }
  if (order.size() != nodes.feature.size() + nodes.leaf.size()) {
    return fail(corrupt("a node is nobody's child"));
  }
  return tree;
}

Result<Tree> read_tree(const Block& block, std::size_t feature_count) {
  const std::int64_t leaves = WEIR_TRY(whole_number(block, "num_leaves"));
  if (leaves < 1 || static_cast<std::uint64_t>(leaves) > kTreeNodesMax) {
    return fail(corrupt("'num_leaves' is " + std::to_string(leaves) + ", which cannot be"));
  }
  if (block.contains("num_cat") && WEIR_TRY(whole_number(block, "num_cat")) != 0) {
    return fail(
        unsupported("it splits on categories, which this program does not; train it on "
                    "numbers (one column for each category, say)"));
  }
  if (block.contains("is_linear") && WEIR_TRY(whole_number(block, "is_linear")) != 0) {
    return fail(
        unsupported("its leaves are linear models (linear_tree), which this program does "
                    "not evaluate; train it with linear_tree=false"));
  }
  return tree_from(WEIR_TRY(nodes_from(block, static_cast<std::size_t>(leaves))), feature_count);
}

// ---- the whole ----

Status check_objective(const Block& header) {
  const auto found = header.find("objective");
  if (found == header.end()) return {};  // one of the user's own: LightGBM gives the sum, too
  const auto words = words_of(found->second, kBlockLinesMax);
  const std::string_view name = words.empty() ? "" : words.front();
  bool plain = false;
  for (const std::string_view known : kPlainObjectives) plain = plain || name == known;
  for (const std::string_view word : words) plain = plain && word != "sqrt";
  if (plain) return {};
  return fail(unsupported("the objective '" + one_line(found->second) +
                          "' is not one whose prediction is the sum of the trees, which is what "
                          "this program evaluates: regression and the like are"));
}

Status check_kind(const Block& header) {
  const std::string_view version = WEIR_TRY(text_of(header, "version"));
  if (version != "v3" && version != "v4") {
    return fail(unsupported("the text is of version '" + one_line(version.substr(0, 40)) +
                            "'; known are v3 and v4, which LightGBM 3 and 4 write: load it there "
                            "and save it again"));
  }
  for (const char* const several : {"num_class", "num_tree_per_iteration"}) {
    if (WEIR_TRY(whole_number(header, several)) != 1) {
      return fail(unsupported("it predicts several numbers ('" + std::string(several) +
                              "'); a model of this program predicts one"));
    }
  }
  if (header.contains("average_output")) {
    return fail(
        unsupported("its trees are averaged (a random forest, boosting=rf), not summed, "
                    "which this program does not do; train it with boosting=gbdt"));
  }
  return check_objective(header);
}

// Those that LightGBM makes up where it is told of none.
bool made_up(const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] != "Column_" + std::to_string(i)) return false;
  }
  return true;
}

Result<ForeignModel> model_of_header(const Block& header) {
  WEIR_TRY(check_kind(header));
  ForeignModel model;
  model.tool = "LightGBM, text of " + std::string(header.at("version"));
  const std::int64_t last = WEIR_TRY(whole_number(header, "max_feature_idx"));
  if (last < 0 || static_cast<std::uint64_t>(last) >= kColumnsMax) {
    return fail(corrupt("'max_feature_idx' is " + std::to_string(last) + "; a model has 1 to " +
                        std::to_string(kColumnsMax - 1) + " features"));
  }
  model.feature_count = static_cast<std::size_t>(last) + 1;
  const auto names = words_of(WEIR_TRY(text_of(header, "feature_names")), model.feature_count);
  if (names.size() != model.feature_count) {
    return fail(corrupt("there are not as many names as features, which are " +
                        std::to_string(model.feature_count)));
  }
  model.features.assign(names.begin(), names.end());
  if (made_up(model.features)) model.features.clear();
  return model;
}

}  // namespace

bool begins_as_lightgbm(std::string_view document) {
  return document.starts_with("tree\n") || document.starts_with("tree\r\n");
}

Result<ForeignModel> read_lightgbm(std::string_view document) {
  if (document.size() > kForeignBytesMax) {
    return fail(corrupt("a document of " + format_bytes(document.size()) +
                        " is over the limit of " + format_bytes(kForeignBytesMax)));
  }
  Lines lines(document);
  if (lines.next() != "tree") return fail(corrupt("it does not begin with the line 'tree'"));
  ForeignModel model;
  ForeignTrees body{0, {}, Arithmetic::kBinary64};
  Block block;
  std::optional<std::size_t> announced;  // trees
  bool in_header = true;
  const auto end_block = [&]() -> Status {
    if (in_header) {
      model = WEIR_TRY(model_of_header(block));
      if (const auto sizes = block.find("tree_sizes"); sizes != block.end()) {
        announced = words_of(sizes->second, kTreesMax).size();
      }
      in_header = false;
    } else {
      const std::string what = "reading tree " + std::to_string(body.trees.size());
      body.trees.push_back(WEIR_TRY(during(read_tree(block, model.feature_count), what)));
    }
    block.clear();
    return {};
  };
  while (const auto line = lines.next()) {
    if (*line == "end of trees") {
      WEIR_TRY(end_block());
      if (announced.value_or(body.trees.size()) != body.trees.size()) {
        return fail(corrupt("there are not as many trees as it says"));
      }
      model.body = std::move(body);
      return model;
    }
    if (line->starts_with("Tree=")) {
      WEIR_TRY(end_block());
      if (body.trees.size() == kTreesMax) {
        return fail(Code::kBadData, "there are more than " + std::to_string(kTreesMax) + " trees");
      }
      if (line->substr(5) != std::to_string(body.trees.size())) {
        return fail(corrupt("its trees are not numbered one after the other"));
      }
    } else if (!line->empty()) {
      WEIR_TRY(add_line(block, *line));
    }
  }
  return fail(corrupt("it is cut short: there is no line 'end of trees'"));
}

}  // namespace weir::model
