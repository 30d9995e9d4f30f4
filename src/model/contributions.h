// How much each feature has to do with a prediction: terms that sum to it.
//
// Of a linear model, feature j adds coefficient[j] * x[j] to the base, which is the intercept: 0 is
// what each value is compared with, as the model knows of no other. Of trees, terms are Shapley
// values over the paths of the trees, weighted by their covers (Lundberg, Erion & Lee 2018,
// Consistent Individualized Feature Attribution for Tree Ensembles, algorithm 2), and the base is
// what the trees predict for their own data on average.
//
// Of a prepared model, what each term of the model within adds goes to the feature that it is made
// of, in halves where it is the product of two.
//
// Terms are binary64; their sum differs from Model::predict() by the rounding of both, which for
// trees in binary32 is that format's.
//
// Owner: whoever explains; the model must outlive it. Threads: const calls from any. Errors: make()
// gives kUnsupported where trees have no covers, or one that is 0 above others, and for kinds of
// model that it does not know.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "model/boosted_model.h"
#include "model/model.h"
#include "model/preparation.h"

namespace weir::model {

class Contributions {
 public:
  static Result<Contributions> make(const Model& model);

  // row: a value for each feature; terms: one for each feature, and the base last.
  void explain(std::span<const double> row, std::span<double> terms) const;

 private:
  // A tree, its nodes as they are in Tree; a leaf is its own child.
  struct Nodes {
    const Tree* tree = nullptr;
    std::vector<std::uint32_t> left;
    std::vector<std::uint8_t> missing_left;
    std::vector<double> share;  // of its parent's cover
  };
  class Walk;

  explicit Contributions(std::size_t features) : features_(features) {}
  void explain_prepared(std::span<const double> row, std::span<double> terms) const;
  Status add(const Tree& tree, std::size_t number);

  std::size_t features_;
  double base_ = 0;
  std::vector<double> coefficients_;  // of a linear model
  std::vector<Nodes> trees_;
  bool in_floats_ = false;
  const Preparation* preparation_ = nullptr;  // of a prepared model, and what is within
  std::unique_ptr<const Contributions> within_;
};

}  // namespace weir::model
