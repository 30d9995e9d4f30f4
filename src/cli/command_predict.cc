// weir predict: a CSV file scored on stdout.
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/file_command.h"
#include "cli/local_csv.h"
#include "format/cell_encoder.h"
#include "gate/control_log.h"

namespace weir::cli {
namespace {

constexpr Millis kLogTimeout{10'000};
constexpr std::uint64_t kFaultsToldMax = 20;

Result<registry::LoadedModel> model_to_use(Context& context, std::uint64_t version) {
  store::FileStore* store = WEIR_TRY(context.store());
  const registry::ModelRegistry models(*store, context.settings().model.path);
  if (version != 0) return models.load(version, "");
  stream::Broker* broker = WEIR_TRY(context.broker());
  WEIR_TRY(context.ensure_topics(kControlReaderUses));
  auto control = WEIR_TRY(gate::ControlFollower::open(*broker, context.control_topic()));
  WEIR_TRY(control->catch_up(kLogTimeout));
  if (control->state().version == 0) {
    return fail(Code::kNotFound, "no model is in force yet; drop a data set first ('weir drop')");
  }
  return models.load(control->state().version, control->state().sha256);
}

// The file's columns that the model takes, in the model's order.
Result<std::vector<std::size_t>> feature_columns(const record::Schema& schema,
                                                 const std::vector<std::string>& names) {
  std::vector<std::size_t> columns;
  for (const std::string& feature : schema.features) {
    const auto found = std::find(names.begin(), names.end(), feature);
    if (found == names.end()) {
      const auto near = nearest_name(feature, names);
      return fail(Code::kBadData, "the model takes a column '" + feature +
                                      "', which the file has not" +
                                      (near ? "; the nearest is '" + *near + "'" : ""));
    }
    columns.push_back(static_cast<std::size_t>(found - names.begin()));
  }
  return columns;
}

Result<std::uint64_t> predict_file(const FileOptions& options) {
  auto context = WEIR_TRY(Context::make(options.common));
  const auto loaded = WEIR_TRY(model_to_use(*context, options.version));
  const record::Schema& schema = loaded.model->schema();
  std::vector<std::size_t> columns;
  std::vector<double> row(schema.features.size());
  std::optional<format::CellEncoder> encoder;
  if (!loaded.model->inputs().plain()) encoder.emplace(loaded.model->inputs());
  std::uint64_t failed = 0;
  std::string out;
  const auto fault_of = [&](const CsvRecord& record) -> std::string {
    if (!record.fault.empty()) return record.fault;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::string_view cell = record.fields[columns[i]];
      const auto fault =
          encoder ? encoder->encode(i, cell, row[i]) : format::read_number(cell, row[i]);
      if (!fault) continue;
      return "column '" + one_line(schema.features[i]) +
             "': " + std::string(format::row_fault_text(*fault)) + ": '" +
             one_line(cell.substr(0, 40)) + "'";
    }
    return "";
  };
  CsvHandlers handlers;
  handlers.header = [&](const std::vector<std::string>& names, std::string_view text) -> Status {
    columns = WEIR_TRY(feature_columns(schema, names));
    if (!options.common.json())
      std::printf("%.*s,prediction\n", static_cast<int>(text.size()), text.data());
    return {};
  };
  handlers.record = [&](const CsvRecord& record) -> Status {
    std::string fault = fault_of(record);
    double prediction = 0;
    if (fault.empty()) loaded.model->predict(row, {&prediction, 1});
    if (!std::isfinite(prediction)) fault = "the prediction is not a finite number";
    if (!fault.empty() && ++failed <= kFaultsToldMax) {
      tell(options.file + " line " + std::to_string(record.line) + ": " + fault);
    }
    out.clear();
    if (options.common.json()) {
      out = "{\"line\": " + std::to_string(record.line) +
            ", \"prediction\": " + (fault.empty() ? format_double(prediction) : "null") +
            ", \"model\": " + std::to_string(loaded.manifest.version) + "}\n";
    } else {
      out =
          std::string(record.text) + "," + (fault.empty() ? format_double(prediction) : "") + "\n";
    }
    if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size()) {
      return fail(Code::kIo, std::string("cannot write to stdout: ") + std::strerror(errno));
    }
    return {};
  };
  WEIR_TRY(read_local_csv(options.file, kRecordBytesMax, handlers));
  if (failed > kFaultsToldMax) {
    tell(options.file + ": " + std::to_string(failed) + " rows could not be scored");
  }
  return failed;
}

}  // namespace

void add_predict(CLI::App& app, Action& action) {
  add_file_command(app, action, "predict", "Score a CSV file; its rows with a prediction on stdout",
                   predict_file, [](CLI::App& command, FileOptions& options) {
                     command
                         .add_option("FILE", options.file, "A CSV file with a header; - is stdin")
                         ->required();
                     command.add_option("--model", options.version,
                                        "The model version (default: the one in force)");
                   });
}

}  // namespace weir::cli
