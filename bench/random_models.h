// Models to measure with, the same in every run.
//
// Threads: pure functions. Errors: they end the program, as a bench has nothing to go on with.
#pragma once

#include <cstddef>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "model/boosted_model.h"
#include "model/linear_model.h"

namespace weir::bench {

// Features x0, x1, … and the target y.
record::Schema numbered_schema(std::size_t features, const std::string& prefix = "x");
std::shared_ptr<const model::Model> linear_model(double intercept,
                                                 std::vector<double> coefficients);
// Whole trees: the children of node n are 2n + 1 and 2n + 2. Questions are about values of the
// distribution, leaves are such values times `leaf_share`.
std::vector<model::Tree> random_trees(std::size_t count, int depth, std::size_t features,
                                      std::normal_distribution<double> values, double leaf_share);
std::shared_ptr<const model::Model> boosted_model(std::size_t features,
                                                  std::vector<model::Tree> trees);

}  // namespace weir::bench
