// From a header, the settings and the plan of the columns to what reads the records below it: the
// one place that says which columns rows have on their way into training. A record is parsed into a
// row of the features (record/inputs.h), which becomes a row of terms where the plan has a
// preparation; else it is one.
//
// Owner: a pass; made once for each data set. Threads: const calls from any thread at once. Errors:
// kBadData for a header that is none, or that the settings do not fit.
#pragma once

#include <string>

#include "base/error.h"
#include "format/csv_chunker.h"
#include "format/csv_rows.h"
#include "record/row_block.h"
#include "record/schema.h"
#include "train/column_plan.h"
#include "train/training_options.h"

namespace weir::train {

// How many columns rows have, the target included.
struct RowShape {
  std::size_t features = 0;
  std::size_t terms = 0;
  bool operator==(const RowShape&) const = default;
};

class RowIntake {
 public:
  // The plan outlives the intake.
  static Result<RowIntake> make(const std::string& header, const TrainingOptions& options,
                                const ColumnPlan& plan);

  const std::string& header() const { return header_; }
  const record::Schema& schema() const { return reader_.schema(); }
  RowShape shape() const { return shape_; }

  // `rows` of the features.
  void parse(const format::CsvChunk& chunk, record::RowBlock& rows,
             format::RefusedRows& refused) const {
    reader_.parse(chunk, rows, refused);
  }
  // The same rows as terms: in `scratch`, or `rows` itself where there is nothing to be made.
  const record::RowBlock& terms_of(const record::RowBlock& rows, record::RowBlock& scratch) const {
    if (!plan_->preparation) return rows;
    scratch = plan_->preparation->expand(rows);
    return scratch;
  }

 private:
  RowIntake(std::string header, format::CsvRowReader reader, const ColumnPlan& plan);

  std::string header_;
  format::CsvRowReader reader_;
  const ColumnPlan* plan_;
  RowShape shape_;
};

}  // namespace weir::train
