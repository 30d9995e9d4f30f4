#include "random_models.h"

#include <cstdio>
#include <cstdlib>

namespace weir::bench {
namespace {

constexpr double kBase = 0.5;

template <typename T>
T value_of(Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "bench: %s\n", result.error().message().c_str());
  std::exit(1);
}

}  // namespace

record::Schema numbered_schema(std::size_t features, const std::string& prefix) {
  record::Schema made;
  for (std::size_t i = 0; i < features; ++i) made.features.push_back(prefix + std::to_string(i));
  made.target = "y";
  return made;
}

std::shared_ptr<const model::Model> linear_model(double intercept,
                                                 std::vector<double> coefficients) {
  auto schema = numbered_schema(coefficients.size());
  return std::make_shared<model::LinearModel>(
      value_of(model::LinearModel::make(std::move(schema), intercept, std::move(coefficients))));
}

std::vector<model::Tree> random_trees(std::size_t count, int depth, std::size_t features,
                                      std::normal_distribution<double> values, double leaf_share) {
  std::mt19937_64 random(1);
  std::vector<model::Tree> made(count);
  for (model::Tree& tree : made) {
    const std::size_t questions = (std::size_t{1} << depth) - 1;
    for (std::size_t i = 0; i < 2 * questions + 1; ++i) {
      const bool leaf = i >= questions;
      tree.feature.push_back(leaf ? model::Tree::kLeaf
                                  : static_cast<std::int32_t>(random() % features));
      tree.value.push_back(static_cast<float>(values(random) * (leaf ? leaf_share : 1)));
      if (!leaf) tree.missing_left.push_back(0);
    }
  }
  return made;
}

std::shared_ptr<const model::Model> boosted_model(std::size_t features,
                                                  std::vector<model::Tree> trees) {
  return std::make_shared<model::BoostedModel>(
      value_of(model::BoostedModel::make(numbered_schema(features), kBase, std::move(trees))));
}

}  // namespace weir::bench
