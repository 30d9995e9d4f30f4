// weir predict: a CSV file scored on stdout.
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/file_command.h"
#include "cli/local_csv.h"
#include "format/cell_encoder.h"
#include "format/csv_write.h"
#include "gate/control_log.h"
#include "model/contributions.h"

namespace weir::cli {
namespace {

constexpr Millis kLogTimeout{10'000};
constexpr std::uint64_t kFaultsToldMax = 20;
constexpr std::size_t kAbsent = static_cast<std::size_t>(-1);

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

// The file's columns that the model takes, in the model's order; kAbsent where one may be missing,
// and is.
Result<std::vector<std::size_t>> feature_columns(const model::Model& model,
                                                 const std::vector<std::string>& names) {
  std::vector<std::size_t> columns;
  for (const std::string& feature : model.schema().features) {
    const auto found = std::find(names.begin(), names.end(), feature);
    if (found == names.end()) {
      const record::Inputs& inputs = model.inputs();
      if (!inputs.plain() && inputs.columns[columns.size()].may_be_missing) {
        columns.push_back(kAbsent);
        continue;
      }
      const auto near = nearest_name(feature, names);
      return fail(Code::kBadData, "the model takes a column '" + feature +
                                      "', which the file has not" +
                                      (near ? "; the nearest is '" + *near + "'" : ""));
    }
    columns.push_back(static_cast<std::size_t>(found - names.begin()));
  }
  return columns;
}

// What is told beside each prediction where it is asked for: the base, and a term for each feature.
class Explanation {
 public:
  static Result<std::optional<Explanation>> make(const FileOptions& options,
                                                 const model::Model& model) {
    if (!options.contributions) return std::optional<Explanation>();
    return std::optional<Explanation>(
        Explanation(WEIR_TRY(during(model::Contributions::make(model), "explaining predictions")),
                    model.schema()));
  }

  // ",base,contribution_crim,…"
  std::string header() const {
    std::string text = ",base";
    for (const std::string& feature : schema_.features) {
      text += ',';
      format::append_csv_field(text, "contribution_" + feature);
    }
    return text;
  }
  // The same of a row; empty fields where there is no prediction.
  std::string cells(std::span<const double> row, bool has_prediction) {
    if (!has_prediction) return std::string(terms_.size(), ',');
    explain(row);
    std::string text = "," + format_double(terms_.back());
    for (std::size_t j = 0; j + 1 < terms_.size(); ++j) text += "," + format_double(terms_[j]);
    return text;
  }
  // ", \"base\": 22.5, \"contributions\": {…}"
  std::string members(std::span<const double> row, bool has_prediction) {
    if (!has_prediction) return ", \"base\": null, \"contributions\": null";
    explain(row);
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    for (std::size_t j = 0; j + 1 < terms_.size(); ++j) json[schema_.features[j]] = terms_[j];
    return ", \"base\": " + format_double(terms_.back()) + ", \"contributions\": " + json.dump();
  }

 private:
  Explanation(model::Contributions contributions, const record::Schema& schema)
      : contributions_(std::move(contributions)),
        schema_(schema),
        terms_(schema.features.size() + 1) {}
  void explain(std::span<const double> row) { contributions_.explain(row, terms_); }

  model::Contributions contributions_;
  const record::Schema& schema_;
  std::vector<double> terms_;
};

std::string line_of(const FileOptions& options, const CsvRecord& record,
                    const std::optional<double>& prediction, std::uint64_t version,
                    std::span<const double> row, std::optional<Explanation>& explanation) {
  const std::string number = prediction ? format_double(*prediction) : "";
  if (!options.common.json()) {
    return std::string(record.text) + "," + number +
           (explanation ? explanation->cells(row, prediction.has_value()) : "") + "\n";
  }
  return "{\"line\": " + std::to_string(record.line) +
         ", \"prediction\": " + (prediction ? number : "null") +
         ", \"model\": " + std::to_string(version) +
         (explanation ? explanation->members(row, prediction.has_value()) : "") + "}\n";
}

Result<std::uint64_t> predict_file(const FileOptions& options) {
  auto context = WEIR_TRY(Context::make(options.common));
  const auto loaded = WEIR_TRY(model_to_use(*context, options.version));
  const record::Schema& schema = loaded.model->schema();
  auto explanation = WEIR_TRY(Explanation::make(options, *loaded.model));
  std::vector<std::size_t> columns;
  std::vector<double> row(schema.features.size());
  std::optional<format::CellEncoder> encoder;
  if (!loaded.model->inputs().plain()) encoder.emplace(loaded.model->inputs());
  std::uint64_t failed = 0;
  const auto fault_of = [&](const CsvRecord& record) -> std::string {
    if (!record.fault.empty()) return record.fault;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::string_view cell =
          columns[i] == kAbsent ? std::string_view() : record.fields[columns[i]];
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
    columns = WEIR_TRY(feature_columns(*loaded.model, names));
    if (!options.common.json())
      std::printf("%.*s,prediction%s\n", static_cast<int>(text.size()), text.data(),
                  explanation ? explanation->header().c_str() : "");
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
    const std::string out =
        line_of(options, record, fault.empty() ? std::optional(prediction) : std::nullopt,
                loaded.manifest.version, row, explanation);
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
                     command.add_flag("--contributions", options.contributions,
                                      "With each prediction a base and a term for each feature, "
                                      "which sum to it");
                   });
}

}  // namespace weir::cli
