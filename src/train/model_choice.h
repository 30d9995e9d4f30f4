// From the rows of a pass to the model that is kept: what `model.algorithm` names is trained and
// measured on held-out rows; with `auto` both kinds are, and the one with the lower RMSE is kept.
//
// Both are compared on the same rows, the sample of those that were held out; where they do equally
// well, or nothing was held out, the linear one is kept: it is the simpler. What cannot be trained
// (too few rows for a linear model, a value that trees cannot hold) loses to what can.
//
// Threads: pure functions, on the calling thread. Errors: kBadData and others of fit_linear and
// grow_boosted where no model is left; still_wanted's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/accumulator.h"
#include "model/linear_fit.h"
#include "model/model.h"
#include "model/preparation.h"
#include "record/row_block.h"
#include "record/schema.h"
#include "registry/manifest.h"

namespace weir::train {

inline constexpr std::string_view kAuto = "auto";  // beside model::kLinear and model::kBoosted

struct ChoiceOptions {
  std::string algorithm;  // kLinear, kBoosted or kAuto
  registry::BoostedSettings boosted;
  std::uint64_t seed = 1;
  bool intercept = true;
  std::optional<double> ridge = 0.0;  // as in TrainingOptions
  // What makes terms of the features, if anything does: goes into the model.
  const model::Preparation* preparation = nullptr;
};

// The accumulators and `growing` are of terms, the sample is of the features.
struct PassedRows {
  const model::Accumulator& trained;
  const model::Accumulator& held_out;
  const record::RowBlock& held_out_sample;
  const record::RowBlock& growing;  // of `trained`; empty where no trees are wanted
};

struct ChosenModel {
  std::unique_ptr<model::Model> model;
  bool has_held_out = false;
  // Of the kept model. A linear one's RMSE and R² are over all held-out rows, from their triangle;
  // all else is over the sample.
  registry::HeldOutMetrics held_out;
  std::vector<registry::Candidate> candidates;
  std::optional<model::FitReport> fit;  // of a linear model
  std::vector<std::string> notes;
};

Result<ChosenModel> choose_model(const PassedRows& rows, const record::Schema& schema,
                                 const ChoiceOptions& options,
                                 const std::function<Status()>& still_wanted);

}  // namespace weir::train
