#include "train/row_intake.h"

#include <utility>

#include "format/csv_record.h"

namespace weir::train {

Result<RowIntake> RowIntake::make(const std::string& header, const TrainingOptions& options,
                                  const ColumnPlan& plan) {
  const auto names = WEIR_TRY(during(format::parse_csv_header(header), "reading line 1"));
  std::vector<std::string> dropped = options.drop_columns;
  dropped.insert(dropped.end(), plan.ignored.begin(), plan.ignored.end());
  auto reader = WEIR_TRY(during(format::CsvRowReader::make(names, options.target, dropped),
                                "reading the header in line 1"));
  if (plan.preparation) {
    if (plan.preparation->schema() != reader.schema()) {
      return fail(Code::kBadData, "the columns are others than those that were planned");
    }
    reader.set_inputs(plan.preparation->inputs());
  }
  return RowIntake(header, std::move(reader), plan);
}

RowIntake::RowIntake(std::string header, format::CsvRowReader reader, const ColumnPlan& plan)
    : header_(std::move(header)), reader_(std::move(reader)), plan_(&plan) {
  shape_.features = schema().features.size() + 1;
  shape_.terms = plan.preparation ? plan.preparation->terms().size() + 1 : shape_.features;
}

}  // namespace weir::train
