// A model that was trained must be worth its place before it is published.
//
// The candidate and the model in force are measured on the same rows: the sample of those that were
// held out of the data set at hand. Features are matched by name. A model in force that needs a
// column which the data set lacks, predicts another target, or cannot be loaded, is not compared;
// the verdict says so.
//
// Threads: pure functions; what reads the models folder blocks for as long as that does. Errors:
// kBadData where a bound is not met, with both models' figures, or where no row was held out, or
// brought along by an imported model, to judge by; the store's, where the model in force could not
// be read this time.
#pragma once

#include <memory>

#include "base/error.h"
#include "model/model.h"
#include "record/row_block.h"
#include "record/schema.h"
#include "registry/model_registry.h"
#include "registry/quality.h"
#include "train/dataset_training.h"

namespace weir::train {

// What is in force while the candidate waits; version 0 and no model where nothing is.
struct LiveModel {
  std::uint64_t version = 0;
  std::shared_ptr<const model::Model> model;
  std::string why_none;  // where the version has no model that could be loaded
};

// What is not there, broken or too large becomes `why_none`: no new attempt would mend them, and a
// model that is broken is no reason to keep it.
Result<LiveModel> load_live_model(const registry::ModelRegistry& models, std::uint64_t version,
                                  const std::string& sha256);

// `sample`: held-out rows in the columns of `candidate`'s schema, the target last.
Result<registry::QualityVerdict> judge_quality(const model::Model& candidate, const LiveModel& live,
                                               const record::RowBlock& sample,
                                               const registry::QualityBounds& bounds);

// Both in one: the verdict goes into the manifest. Nothing to do where nothing is asked.
Status pass_quality_gate(TrainedModel& trained, const registry::QualityBounds& bounds,
                         const registry::ModelRegistry& models, std::uint64_t live_version,
                         const std::string& live_sha256);

}  // namespace weir::train
