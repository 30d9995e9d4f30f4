// The document is read, turned into a model of our own and measured here, so that whoever imports
// it is told at once of what is wrong with it. What is dropped is checked again by the trainer that
// takes it up, which trusts nobody: it reads only our own kind of file.
#include "cli/models_import.h"

#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/local_file.h"
#include "base/sha256.h"
#include "base/text.h"
#include "cli/drop_folder.h"
#include "cli/file_command.h"
#include "cli/local_csv.h"
#include "cli/model_page.h"
#include "cli/upload.h"
#include "format/cell_encoder.h"
#include "format/csv_record.h"
#include "gate/control_log.h"
#include "model/foreign_model.h"
#include "model/row_sample.h"
#include "registry/model_document.h"
#include "train/dataset_import.h"

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr Millis kLogTimeout{10'000};

Result<std::vector<std::string>> live_features(Context& context) {
  store::FileStore* store = WEIR_TRY(context.store());
  const registry::ModelRegistry models(*store, context.settings().model.path);
  stream::Broker* broker = WEIR_TRY(context.broker());
  WEIR_TRY(context.ensure_topics(kControlReaderUses));
  auto control = WEIR_TRY(gate::ControlFollower::open(*broker, context.control_topic()));
  WEIR_TRY(control->catch_up(kLogTimeout));
  const record::ControlState& state = control->state();
  if (state.version == 0) {
    return fail(Code::kNotFound,
                "no model is in force whose features could be taken; name them "
                "with --features");
  }
  return WEIR_TRY(models.load(state.version, state.sha256)).model->schema().features;
}

// By which names the features are known, in the document's order.
Result<std::vector<std::string>> names_of_features(Context& context, const ImportOptions& options,
                                                   const model::ForeignModel& foreign) {
  if (!options.features.empty()) {
    return during(format::parse_csv_header(options.features), "reading --features");
  }
  if (!options.features_of_live && !foreign.features.empty()) return foreign.features;
  if (!options.features_of_live) {
    return fail(Code::kBadData,
                "the document does not name its " + std::to_string(foreign.feature_count) +
                    " features; name them in the order of its training with --features a,b,…, or "
                    "take those of the model in force with --features-of-live");
  }
  auto live = WEIR_TRY(live_features(context));
  // By place, the names could come to stand for others.
  if (!foreign.features.empty() && foreign.features != live) {
    return fail(Code::kInvalidArgument,
                "the document names its features itself, otherwise than the model in force: leave "
                "out --features-of-live, or name them with --features");
  }
  return live;
}

// The rows of a CSV file, or a bounded random sample of them, in the columns of the schema.
class EvaluationRows {
 public:
  EvaluationRows(const record::Schema& schema, const train::TrainingOptions& training)
      : names_(schema.features),
        sample_(schema.features.size() + 1, training.seed, training.sample_rows_max) {
    names_.push_back(schema.target);
    row_.rows = 1;
    row_.columns = names_.size();
    row_.values.resize(names_.size());
    row_.row_numbers.resize(1);
  }

  Status read(const std::string& path) {
    CsvHandlers handlers;
    handlers.header = [this](const auto& names, std::string_view) { return find_columns(names); };
    handlers.record = [this](const CsvRecord& record) { return add(record); };
    return during(read_local_csv(path, kRecordBytesMax, handlers), "evaluating on " + path);
  }
  std::uint64_t seen() const { return seen_; }
  record::RowBlock rows() const { return sample_.to_block(); }

 private:
  Status find_columns(const std::vector<std::string>& names) {
    for (const std::string& name : names_) {
      const auto found = std::find(names.begin(), names.end(), name);
      if (found == names.end()) {
        const auto near = nearest_name(name, names);
        return fail(Code::kBadData, "the model takes a column '" + name +
                                        "', which the file has not" +
                                        (near ? "; the nearest is '" + *near + "'" : ""));
      }
      columns_.push_back(static_cast<std::size_t>(found - names.begin()));
    }
    return {};
  }

  Status add(const CsvRecord& record) {
    const std::string where = "line " + std::to_string(record.line) + ": ";
    if (!record.fault.empty()) return fail(Code::kBadData, where + record.fault);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string_view cell = record.fields[columns_[i]];
      if (const auto fault = format::read_number(cell, row_.values[i])) {
        return fail(Code::kBadData, where + "column '" + names_[i] +
                                        "': " + std::string(format::row_fault_text(*fault)) +
                                        ": '" + one_line(cell.substr(0, 40)) + "'");
      }
    }
    row_.row_numbers[0] = seen_++;
    constexpr std::uint32_t kOnly = 0;
    sample_.add(row_, {&kOnly, 1});
    return {};
  }

  std::vector<std::string> names_;  // of the features, and the target
  std::vector<std::size_t> columns_;
  model::RowSample sample_;
  record::RowBlock row_;
  std::uint64_t seen_ = 0;
};

struct Imported {
  std::string document;
  train::TrainedModel model;  // as a trainer will make it of the document
};

Result<Imported> convert(Context& context, const ImportOptions& options) {
  const std::string bytes = WEIR_TRY(read_local_file(options.file, model::kForeignBytesMax + 1));
  model::ForeignModel foreign = WEIR_TRY(model::read_foreign_model(bytes));
  record::Schema schema;
  schema.target = options.target.empty() ? context.settings().dataset.target : options.target;
  schema.features = WEIR_TRY(names_of_features(context, options, foreign));
  registry::ModelOrigin origin;
  origin.file = std::filesystem::path(options.file).filename().string();
  origin.sha256 = sha256_hex(bytes);
  origin.tool = foreign.tool;
  origin.notes = foreign.notes;
  const auto model = WEIR_TRY(model::model_from_foreign(std::move(foreign), schema));
  const train::TrainingOptions training = context.training_options();
  std::string rows_csv;
  if (!options.evaluate_on.empty()) {
    EvaluationRows rows(schema, training);
    WEIR_TRY(rows.read(options.evaluate_on));
    const record::RowBlock kept = rows.rows();
    if (kept.rows == 0) {
      return fail(Code::kBadData, options.evaluate_on + " has no rows to evaluate the model on");
    }
    if (kept.rows < rows.seen()) {
      origin.notes.push_back("measured on a random sample of " + std::to_string(kept.rows) +
                             " of " + std::to_string(rows.seen()) + " rows");
    }
    rows_csv = registry::test_csv_of(schema, {}, kept);
  }
  Imported imported;
  imported.document = registry::write_model_document(model->to_json(), origin, rows_csv);
  imported.model = WEIR_TRY(train::import_model_document(imported.document, training));
  return imported;
}

void tell_of(const registry::Manifest& manifest, bool json, const std::string& place,
             const std::string& where) {
  if (json) {
    Json told = {{"algorithm", manifest.algorithm},
                 {"target", manifest.schema.target},
                 {"features", manifest.schema.features},
                 {"imported", registry::origin_to_json(*manifest.imported)},
                 {"held_out", nullptr}};
    if (manifest.has_held_out) {
      told["held_out"] = {{"rmse", manifest.held_out.rmse},
                          {"mae", manifest.held_out.mae},
                          {"r2", manifest.held_out.r2},
                          {"rows", manifest.held_out.mae_rows}};
    }
    told["notes"] = manifest.notes;
    if (!place.empty()) told[place] = where;
    std::printf("%s\n", told.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
    return;
  }
  std::printf("%s model of '%s' by %zu features, from %s\n", manifest.algorithm.c_str(),
              one_line(manifest.schema.target).c_str(), manifest.schema.features.size(),
              origin_text(*manifest.imported).c_str());
  if (manifest.has_held_out) {
    std::printf("on %" PRIu64 " rows: RMSE %.4g, MAE %.4g, R² %.4f\n", manifest.held_out.mae_rows,
                manifest.held_out.rmse, manifest.held_out.mae, manifest.held_out.r2);
  }
  for (const std::string& note : manifest.notes) std::printf("note: %s\n", one_line(note).c_str());
  if (!where.empty()) std::printf("%s\n", where.c_str());
}

Status write_file(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (file) return {};
  return fail(Code::kIo, path + ": the model cannot be written there");
}

}  // namespace

Status import_model(const ImportOptions& options) {
  auto context = WEIR_TRY(Context::make(options.common));
  const Imported imported =
      WEIR_TRY(during(convert(*context, options), "importing the model " + options.file));
  const registry::Manifest& manifest = imported.model.manifest;
  const bool json = options.common.json();
  if (!options.to.empty()) {
    WEIR_TRY(write_file(options.to, imported.document));
    tell_of(manifest, json, "file", options.to);
    return {};
  }
  if (options.dry_run) {
    tell_of(manifest, json, "", "");
    return {};
  }
  const config::Settings& settings = context->settings();
  const bool judged = settings.model.require.r2 || settings.model.require.worse_than_live_max;
  if (judged && options.evaluate_on.empty()) {
    return fail(
        Code::kInvalidArgument,
        "the pipeline asks what a model is worth before it is put in force "
        "(model.require): give rows that it was not trained on with --evaluate-on FILE.csv");
  }
  const std::string name = options.name.empty()
                               ? std::filesystem::path(options.file).stem().string() + ".model.json"
                               : options.name;
  const std::string url = WEIR_TRY(drop_dataset(
      *context, name, options.file, [&](store::FileStore& store, const std::string& path) {
        return upload_bytes(store, options.file, imported.document, path, context->clock());
      }));
  tell_of(manifest, json, "dataset", url);
  return {};
}

}  // namespace weir::cli
