#include "train/dataset_import.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/sha256.h"
#include "base/text.h"
#include "model/metrics.h"
#include "registry/model_document.h"
#include "train/predict_rows.h"
#include "train/settings_in_manifest.h"

namespace weir::train {
namespace {

Status measure(const registry::ModelDocument& document, registry::Manifest& manifest) {
  const record::RowBlock& rows = document.rows;
  if (rows.rows == 0) return {};
  const std::vector<double> predictions = predict_rows(*document.model, rows);
  model::ErrorSums sums;
  for (std::size_t i = 0; i < rows.rows; ++i) {
    if (!std::isfinite(predictions[i])) {
      return fail(Code::kBadData, "the model predicts no finite number for row " +
                                      std::to_string(rows.row_numbers[i]) +
                                      " of those to measure it on");
    }
    sums.add(predictions[i], rows.value(i, rows.columns - 1));
  }
  const model::Metrics metrics = sums.metrics();
  if (!metrics.rmse) {
    manifest.notes.emplace_back("its errors are too large for their squares: no figures");
    return {};
  }
  manifest.has_held_out = true;
  manifest.held_out = {*metrics.rmse, metrics.mae.value_or(0), metrics.r_squared.value_or(0),
                       metrics.rows};
  if (!metrics.r_squared) {
    manifest.notes.emplace_back("the held-out target is constant: R² means nothing");
  }
  return {};
}

}  // namespace

Result<bool> is_model_document(store::FileStore& store, const registry::Dataset& dataset) {
  if (dataset.is_folder) return false;
  std::string head;
  const std::uint64_t length =
      std::min<std::uint64_t>(dataset.identity.length, registry::kModelDocumentHead);
  WEIR_TRY(store.read(dataset.identity.path, 0, length, [&](std::string_view bytes) -> Status {
    head += bytes;
    return {};
  }));
  return registry::begins_as_model_document(head);
}

Result<TrainedModel> import_model_document(std::string_view bytes, const TrainingOptions& options) {
  registry::ModelDocument document = WEIR_TRY(registry::parse_model_document(bytes));
  TrainedModel trained;
  registry::Manifest& manifest = trained.manifest;
  manifest.algorithm = std::string(document.model->algorithm());
  manifest.schema = document.model->schema();
  manifest.feature_types = registry::feature_types_of(document.model->inputs());
  manifest.dataset_sha256 = sha256_hex(bytes);
  manifest.rows = document.rows.rows;
  manifest.rows_held_out = document.rows.rows;
  // The settings that are in force: the same document, dropped again under them, is none that is
  // new.
  tell_settings(options, manifest);
  manifest.notes = document.origin.notes;
  WEIR_TRY(measure(document, manifest));
  manifest.imported = std::move(document.origin);
  trained.model_json = std::move(document.model_json);
  trained.test_csv =
      document.rows_csv.empty()
          ? registry::test_csv_of(manifest.schema, document.model->inputs(), document.rows)
          : std::move(document.rows_csv);
  trained.held_out_sample = std::move(document.rows);
  trained.model = std::move(document.model);
  return trained;
}

Result<TrainedModel> import_dataset(store::FileStore& store, const registry::Dataset& dataset,
                                    const TrainingOptions& options) {
  const std::string what = "importing the model " + store.url(dataset.identity.path);
  if (dataset.identity.length > registry::kModelDocumentBytesMax) {
    return fail(Code::kBadData,
                what + ": it has " + format_bytes(dataset.identity.length) + ", more than the " +
                    format_bytes(registry::kModelDocumentBytesMax) + " of a model with rows");
  }
  const std::string bytes =
      WEIR_TRY(store::read_all(store, dataset.identity.path, registry::kModelDocumentBytesMax));
  return during(import_model_document(bytes, options), what);
}

Result<TrainedModel> make_model(store::FileStore& store, const registry::Dataset& dataset,
                                const TrainingOptions& options, const TrainOnRows& train_on_rows,
                                const ProgressFunction& progress) {
  if (!WEIR_TRY(is_model_document(store, dataset))) return train_on_rows(dataset, progress);
  WEIR_TRY(progress({0, dataset.identity.length}));
  return import_dataset(store, dataset, options);
}

}  // namespace weir::train
