// Prediction goes tree by tree over a block of rows, so that both stay in the nearest cache. A step
// down a tree is a load that waits for the one before it; so a group of lanes goes down side by
// side, without a branch that could be mispredicted: a leaf leads to itself, and all lanes take as
// many steps as the tree is deep. The lanes are several rows in one tree, or, where few rows are
// asked for, one row in several trees. Whichever way, a row's leaves are added in the trees' order.
#include "model/boosted_model.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "model/model_file.h"

namespace weir::model {
namespace {

using Json = nlohmann::json;

// The document, the list of trees, a tree, its lists; a node has two values and half a flag.
constexpr FileLimits kLimits{4, 3 * kTreeNodesMax + 5 * kTreesMax + kColumnsMax + 16};

constexpr std::size_t kLanes = 8;
constexpr std::size_t kBlockRowsMax = 64;
constexpr std::size_t kBlockValuesMax = 1 << 14;  // 64 KiB of them
// After so many steps it is asked whether all lanes have come to a leaf, again and again.
constexpr int kStepsBetweenLooks = 8;

std::string format_float(float value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  std::string text(digits.data(), end);
  const auto read = parse_finite_double(text);
  if (read && static_cast<float>(*read) == value) return text;
  return format_double(value);  // rounding twice would have led elsewhere
}

// As XGBoost does it: to nearest, and what is too large becomes infinite.
float to_float(double value) { return static_cast<float>(value); }

}  // namespace

Status BoostedModel::add_nodes(const Tree& tree) {
  const std::size_t count = tree.feature.size();
  const auto bad = [&](const std::string& what) {
    return fail(Code::kBadData, "tree " + std::to_string(roots_.size()) + ": " + what);
  };
  if (count == 0 || tree.value.size() != count) return bad("no value for each node, or no nodes");
  if (nodes_.size() + count > kTreeNodesMax) {
    return bad("with it there are more than " + std::to_string(kTreeNodesMax) + " nodes");
  }
  Root root{nodes_.size(), 0};
  std::vector<int> depth(count, 0);
  std::size_t inner = 0;
  for (std::size_t i = 0; i < count; ++i) {
    // Node i is there only if a node before it has it for a child.
    if (i > 2 * inner) return bad("node " + std::to_string(i) + " is nobody's child");
    if (!std::isfinite(tree.value[i])) {
      return bad("the value of node " + std::to_string(i) + " is not finite");
    }
    root.depth = std::max(root.depth, depth[i]);
    const std::int32_t feature = tree.feature[i];
    if (feature == Tree::kLeaf) {
      nodes_.push_back({std::numeric_limits<float>::quiet_NaN(), static_cast<std::int32_t>(i) - 1,
                        0, tree.value[i]});
      missing_left_.push_back(0);
      continue;
    }
    const std::size_t left = 2 * inner + 1;
    if (feature < 0 || static_cast<std::size_t>(feature) >= schema_.features.size()) {
      return bad("node " + std::to_string(i) + " asks for a feature that there is not");
    }
    if (left + 1 >= count) return bad("node " + std::to_string(i) + " has no children");
    if (inner >= tree.missing_left.size() || tree.missing_left[inner] > 1) {
      return bad("it is not said where a row without a value goes");
    }
    depth[left] = depth[left + 1] = depth[i] + 1;
    if (depth[left] > kTreeDepthMax) {
      return bad("it is deeper than " + std::to_string(kTreeDepthMax));
    }
    nodes_.push_back(
        {tree.value[i], static_cast<std::int32_t>(left), static_cast<std::uint32_t>(feature), 0});
    missing_left_.push_back(tree.missing_left[inner]);
    ++inner;
  }
  if (tree.missing_left.size() != inner) return bad("flags for more nodes than there are");
  roots_.push_back(root);
  return {};
}

Result<BoostedModel> BoostedModel::make(record::Schema schema, float base,
                                        std::vector<Tree> trees) {
  if (auto status = check_names(schema); !status) return fail(std::move(status.error()));
  if (!std::isfinite(base)) return fail(Code::kBadData, "the base value is not finite");
  if (trees.size() > kTreesMax) {
    return fail(Code::kBadData, "there are " + std::to_string(trees.size()) +
                                    " trees; a model has " + std::to_string(kTreesMax) +
                                    " at most");
  }
  // -0, which JSON readers lose, becomes 0.
  for (Tree& tree : trees) {
    for (float& value : tree.value) value += 0.0F;
  }
  BoostedModel model(std::move(schema), base + 0.0F, std::move(trees));
  for (const Tree& tree : model.trees_) WEIR_TRY(model.add_nodes(tree));
  if (model.to_json().size() > kModelBytesMax) {
    return fail(Code::kBadData, "the model is larger than " + format_bytes(kModelBytesMax) +
                                    ", which is what a model file may hold");
  }
  return model;
}

// ---- prediction ----

struct BoostedModel::Kernel {
  // One lane: where it stands in which tree, and for which row.
  struct Lanes {
    std::array<const Node*, kLanes> root;
    std::array<const float*, kLanes> row;
    std::array<std::int32_t, kLanes> at{};
  };

  static void step(Lanes& lanes) {
    [&]<std::size_t... lane>(std::index_sequence<lane...>) {
      ((step_one(lanes.at[lane], lanes.root[lane], lanes.row[lane])), ...);
    }
    (std::make_index_sequence<kLanes>());
  }

  static void step_one(std::int32_t& at, const Node* root, const float* row) {
    const Node& node = root[at];
    at = node.left + (row[node.feature] < node.threshold ? 0 : 1);
  }

  static void descend(Lanes& lanes, int depth) {
    while (depth > 0) {
      const int steps = std::min(depth, kStepsBetweenLooks);
      for (int i = 0; i < steps; ++i) step(lanes);
      depth -= steps;
      if (depth > 0 && all_at_leaves(lanes)) return;
    }
  }

  static bool all_at_leaves(const Lanes& lanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      if (!std::isnan(lanes.root[lane][lanes.at[lane]].threshold)) return false;
    }
    return true;
  }

  // Rows in groups of lanes; what is behind `count`, up to the next full group, is written too.
  static void add_by_rows(const BoostedModel& model, const float* rows, std::size_t stride,
                          std::size_t count, float* sums) {
    for (const Root& root : model.roots_) {
      const Node* const nodes = model.nodes_.data() + root.first;
      for (std::size_t i = 0; i < count; i += kLanes) {
        Lanes lanes;
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
          lanes.root[lane] = nodes;
          lanes.row[lane] = rows + (i + lane) * stride;
        }
        descend(lanes, root.depth);
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
          sums[i + lane] += nodes[lanes.at[lane]].leaf;
        }
      }
    }
  }

  static float sum_by_trees(const BoostedModel& model, const float* row) {
    float sum = model.base_;
    const std::size_t trees = model.roots_.size();
    for (std::size_t i = 0; i < trees; i += kLanes) {
      Lanes lanes;
      int depth = 0;
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const Root& root = model.roots_[std::min(i + lane, trees - 1)];
        lanes.root[lane] = model.nodes_.data() + root.first;
        lanes.row[lane] = row;
        depth = std::max(depth, root.depth);
      }
      descend(lanes, depth);
      for (std::size_t lane = 0; lane < kLanes && i + lane < trees; ++lane) {
        sum += lanes.root[lane][lanes.at[lane]].leaf;
      }
    }
    return sum;
  }

  // With values that are missing: step by step.
  static float sum_with_missing(const BoostedModel& model, const float* row) {
    float sum = model.base_;
    for (const Root& root : model.roots_) {
      const Node* const nodes = model.nodes_.data() + root.first;
      std::int32_t at = 0;
      while (!std::isnan(nodes[at].threshold)) {
        const float x = row[nodes[at].feature];
        const bool goes_left =
            std::isnan(x) ? model.missing_left_[root.first + static_cast<std::size_t>(at)] != 0
                          : x < nodes[at].threshold;
        at = nodes[at].left + (goes_left ? 0 : 1);
      }
      sum += nodes[at].leaf;
    }
    return sum;
  }
};

void BoostedModel::predict(std::span<const double> rows, std::span<double> out) const {
  const std::size_t features = schema_.features.size();
  WEIR_CHECK(rows.size() == out.size() * features);
  if (out.empty()) return;
  std::size_t block_rows = std::clamp(kBlockValuesMax / features, kLanes, kBlockRowsMax);
  block_rows = std::min(block_rows, out.size());
  const std::size_t padded = (block_rows + kLanes - 1) / kLanes * kLanes;
  std::vector<float> block(padded * features, 0.0F);
  std::array<float, kBlockRowsMax> sums{};
  for (std::size_t first = 0; first < out.size(); first += block_rows) {
    const std::size_t count = std::min(block_rows, out.size() - first);
    const double* const from = rows.data() + first * features;
    bool missing = false;
    for (std::size_t i = 0; i < count * features; ++i) {
      block[i] = to_float(from[i]);
      missing |= std::isnan(block[i]);
    }
    if (missing || count <= 2) {
      for (std::size_t i = 0; i < count; ++i) {
        const float* const row = block.data() + i * features;
        sums[i] = missing ? Kernel::sum_with_missing(*this, row) : Kernel::sum_by_trees(*this, row);
      }
    } else {
      sums.fill(base_);
      Kernel::add_by_rows(*this, block.data(), features, count, sums.data());
    }
    for (std::size_t i = 0; i < count; ++i) out[first + i] = static_cast<double>(sums[i]);
  }
}

// ---- the file ----

std::string BoostedModel::to_json() const {
  std::string text = file_head(algorithm(), schema_);
  text += ",\n  \"base\": " + format_float(base_);
  text += ",\n  \"trees\": [";
  const auto whole = [](auto value) { return std::to_string(value); };
  for (std::size_t i = 0; i < trees_.size(); ++i) {
    const Tree& tree = trees_[i];
    text += i == 0 ? "\n" : ",\n";
    text += "    {\"feature\": " + json_array(tree.feature, whole);
    text += ", \"value\": " + json_array(tree.value, format_float);
    text += ", \"missing_left\": " + json_array(tree.missing_left, whole) + '}';
  }
  text += trees_.empty() ? "]" : "\n  ]";
  return sealed_file(std::move(text));
}

namespace {

template <typename Number>
std::vector<Number> numbers(const Json& list) {
  std::vector<Number> values;
  values.reserve(list.size());
  for (const Json& value : list.get_ref<const Json::array_t&>()) {
    if constexpr (std::is_same_v<Number, float>) {
      if (!value.is_number()) return {};  // too few for the tree, which is then refused
      values.push_back(to_float(value.get<double>()));
    } else {
      if (!value.is_number_integer()) return {};
      const auto number = value.get<std::int64_t>();
      if (number < std::numeric_limits<Number>::min() ||
          number > std::numeric_limits<Number>::max()) {
        return {};
      }
      values.push_back(static_cast<Number>(number));
    }
  }
  return values;
}

}  // namespace

Result<BoostedModel> parse_boosted_model(std::string_view text) {
  const Json json = WEIR_TRY(parse_envelope(text, kLimits));
  try {
    if (json.at("algorithm") != kBoosted) {
      return fail(Code::kUnsupported, "the model is not a boosted one but of the algorithm " +
                                          json.at("algorithm").dump());
    }
    std::vector<Tree> trees;
    for (const Json& tree : json.at("trees").get_ref<const Json::array_t&>()) {
      trees.push_back({numbers<std::int32_t>(tree.at("feature")), numbers<float>(tree.at("value")),
                       numbers<std::uint8_t>(tree.at("missing_left"))});
    }
    if (!json.at("base").is_number()) return fail(Code::kCorrupt, "the base value is no number");
    auto model = BoostedModel::make(schema_of_file(json), to_float(json.at("base").get<double>()),
                                    std::move(trees));
    if (!model) return fail(Code::kCorrupt, model.error().reason());
    WEIR_TRY(check_as_written(*model, json, text));
    return std::move(*model);
  } catch (const Json::exception& e) {
    return fail(Code::kCorrupt, std::string("the model is not as it should be: ") + e.what());
  }
}

}  // namespace weir::model
