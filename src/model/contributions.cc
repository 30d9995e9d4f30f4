// The path of a walk down a tree is a list of the features asked so far, each once: how likely a
// row is to go on where the feature is not known ("zero"), whether this row does go on where it is
// ("one"), and in "weight" the sum over all subsets of the others of the share that subsets of that
// size have. extend() and unwind() add a feature to those sums and take one out again.
#include "model/contributions.h"

#include <array>
#include <cmath>

#include "base/check.h"
#include "model/linear_model.h"
#include "model/prepared_model.h"

namespace weir::model {
namespace {

constexpr std::size_t kNoFeature = static_cast<std::size_t>(-1);

struct Step {
  std::size_t feature = kNoFeature;
  double zero = 0;
  double one = 0;
  double weight = 0;
};

class Path {
 public:
  std::size_t size() const { return size_; }
  const Step& operator[](std::size_t i) const { return steps_[i]; }

  void extend(double zero, double one, std::size_t feature) {
    const auto length = static_cast<double>(size_);
    steps_[size_] = {feature, zero, one, size_ == 0 ? 1.0 : 0.0};
    for (std::size_t i = size_; i-- > 0;) {
      const auto place = static_cast<double>(i);
      steps_[i + 1].weight += one * steps_[i].weight * (place + 1) / (length + 1);
      steps_[i].weight = zero * steps_[i].weight * (length - place) / (length + 1);
    }
    ++size_;
  }

  void unwind(std::size_t at) {
    take_out(at, [this](std::size_t i, double weight) { steps_[i].weight = weight; });
    for (std::size_t i = at; i + 1 < size_; ++i) {
      steps_[i].feature = steps_[i + 1].feature;
      steps_[i].zero = steps_[i + 1].zero;
      steps_[i].one = steps_[i + 1].one;
    }
    --size_;
  }

  double sum_without(std::size_t at) const {
    double sum = 0;
    take_out(at, [&](std::size_t, double weight) { sum += weight; });
    return sum;
  }

 private:
  // Calls `take` with each weight as it is without the step at that place, the last first.
  template <typename Take>
  void take_out(std::size_t at, const Take& take) const {
    const auto length = static_cast<double>(size_ - 1);
    const double one = steps_[at].one;
    const double zero = steps_[at].zero;
    double next = steps_[size_ - 1].weight;
    for (std::size_t i = size_ - 1; i-- > 0;) {
      const auto place = static_cast<double>(i);
      const double before = steps_[i].weight;
      if (one != 0) {
        const double weight = next * (length + 1) / ((place + 1) * one);
        take(i, weight);
        next = before - weight * zero * (length - place) / (length + 1);
      } else {
        take(i, before * (length + 1) / (zero * (length - place)));
      }
    }
  }

  std::array<Step, kTreeDepthMax + 2> steps_;
  std::size_t size_ = 0;
};

}  // namespace

class Contributions::Walk {
 public:
  Walk(const Nodes& nodes, std::span<const double> row, bool in_floats, std::span<double> terms)
      : nodes_(nodes), row_(row), in_floats_(in_floats), terms_(terms) {}

  // The path by value: each branch has its own.
  void down(std::size_t at, Path path, double zero, double one, std::size_t feature) {
    if (zero == 0 && one == 0) return;  // no row comes here, nor does this one
    path.extend(zero, one, feature);
    const Tree& tree = *nodes_.tree;
    if (tree.feature[at] == Tree::kLeaf) {
      for (std::size_t i = 1; i < path.size(); ++i) {
        terms_[path[i].feature] +=
            path.sum_without(i) * (path[i].one - path[i].zero) * tree.value[at];
      }
      return;
    }
    const auto asked = static_cast<std::size_t>(tree.feature[at]);
    double zero_before = 1;
    double one_before = 1;
    for (std::size_t i = 1; i < path.size(); ++i) {
      if (path[i].feature != asked) continue;
      zero_before = path[i].zero;
      one_before = path[i].one;
      path.unwind(i);
      break;
    }
    const std::size_t left = nodes_.left[at];
    const std::size_t hot = goes_left(at, asked) ? left : left + 1;
    const std::size_t cold = hot == left ? left + 1 : left;
    down(hot, path, zero_before * nodes_.share[hot], one_before, asked);
    down(cold, path, zero_before * nodes_.share[cold], 0, asked);
  }

 private:
  bool goes_left(std::size_t at, std::size_t feature) const {
    double x = row_[feature];
    if (in_floats_) x = static_cast<double>(static_cast<float>(x));
    return std::isnan(x) ? nodes_.missing_left[at] != 0 : x < nodes_.tree->value[at];
  }

  const Nodes& nodes_;
  std::span<const double> row_;
  bool in_floats_;
  std::span<double> terms_;
};

Status Contributions::add(const Tree& tree, std::size_t number) {
  const std::size_t count = tree.feature.size();
  if (count > 1 && tree.cover.empty()) {
    return fail(Code::kUnsupported,
                "tree " + std::to_string(number) +
                    " does not say how much of the data came by each node (its covers), which "
                    "contributions need: train or import the model again");
  }
  Nodes nodes{&tree, std::vector<std::uint32_t>(count, 0), std::vector<std::uint8_t>(count, 0),
              std::vector<double>(count, 1)};
  std::vector<double> reach(count, 1);  // the share of the rows that come to a node
  std::uint32_t inner = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (tree.feature[i] == Tree::kLeaf) {
      base_ += reach[i] * tree.value[i];
      continue;
    }
    if (!(tree.cover[i] > 0)) {
      return fail(Code::kUnsupported, "no data came by a node of tree " + std::to_string(number) +
                                          ", so that it has no contributions");
    }
    nodes.left[i] = 2 * inner + 1;
    nodes.missing_left[i] = tree.missing_left[inner];
    ++inner;
    for (const std::size_t child : {nodes.left[i] + 0UL, nodes.left[i] + 1UL}) {
      nodes.share[child] = tree.cover[child] / tree.cover[i];
      reach[child] = reach[i] * nodes.share[child];
    }
  }
  trees_.push_back(std::move(nodes));
  return {};
}

Result<Contributions> Contributions::make(const Model& model) {
  Contributions made(model.schema().features.size());
  if (const auto* const line = dynamic_cast<const LinearModel*>(&model)) {
    made.base_ = line->intercept();
    made.coefficients_.assign(line->coefficients().begin(), line->coefficients().end());
    return made;
  }
  if (const auto* const prepared = dynamic_cast<const PreparedModel*>(&model)) {
    made.preparation_ = &prepared->preparation();
    made.within_ = std::make_unique<const Contributions>(WEIR_TRY(make(prepared->model())));
    return made;
  }
  const auto* const boosted = dynamic_cast<const BoostedModel*>(&model);
  if (!boosted) {
    return fail(Code::kUnsupported, "models of the kind '" + std::string(model.algorithm()) +
                                        "' have no contributions: linear and boosted ones have");
  }
  made.base_ = boosted->base();
  made.in_floats_ = boosted->arithmetic() == Arithmetic::kBinary32;
  for (std::size_t i = 0; i < boosted->trees().size(); ++i) {
    WEIR_TRY(made.add(boosted->trees()[i], i));
  }
  return made;
}

void Contributions::explain(std::span<const double> row, std::span<double> terms) const {
  WEIR_CHECK(row.size() == features_ && terms.size() == features_ + 1);
  for (double& term : terms) term = 0;
  if (preparation_ != nullptr) return explain_prepared(row, terms);
  terms.back() = base_;
  for (std::size_t j = 0; j < coefficients_.size(); ++j) terms[j] = coefficients_[j] * row[j];
  for (const Nodes& nodes : trees_)
    Walk(nodes, row, in_floats_, terms).down(0, {}, 1, 1, kNoFeature);
}

void Contributions::explain_prepared(std::span<const double> row, std::span<double> terms) const {
  std::vector<double> within(preparation_->terms().size() + 1);
  within_->explain(preparation_->expand(row), within);
  for (std::size_t t = 0; t + 1 < within.size(); ++t) {
    const auto& factors = preparation_->terms()[t].factors;
    const double share = within[t] / static_cast<double>(factors.size());
    for (const Factor& factor : factors) terms[factor.input] += share;
  }
  terms.back() = within.back();
}

}  // namespace weir::model
