// From what a whole data set has come to, to the model, its manifest and the sample of held-out
// rows.
//
// Threads: a pure function, on the calling thread. Errors: those of choose_model; still_wanted's.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "model/model.h"
#include "record/row_block.h"
#include "record/schema.h"
#include "registry/manifest.h"
#include "train/column_plan.h"
#include "train/split_totals.h"
#include "train/training_options.h"

namespace weir::train {

struct TrainedModel {
  std::shared_ptr<const model::Model> model;
  std::string model_json;       // its file
  registry::Manifest manifest;  // version, parent and stamps are filled in by the trainer
  std::string test_csv;
  record::RowBlock held_out_sample;  // the rows of test_csv, as the model's inputs have them
};

// The totals are of all splits of the data set, `schema` is of the features.
Result<TrainedModel> make_trained_model(SplitTotals totals, const record::Schema& schema,
                                        const ColumnPlan& plan, const TrainingOptions& options,
                                        const std::function<Status()>& still_wanted);

// "3 bad rows so far, 0 allowed (dataset.bad_rows_max): line 7, column 3 'indus': …"
Error too_many_bad_rows(const RefusedTally& refused, const TrainingOptions& options,
                        bool name_parts);

// Whether a row was refused for this in a feature's column.
bool met_in_features(const RefusedTally& refused, format::RowFault fault,
                     const TrainingOptions& options);

}  // namespace weir::train
