// What is known of a model version: the document that lies beside model.json.
//
// Written once, before the version is published, and never changed. Threads: a plain value.
// Errors: parse gives kCorrupt for a document that is not whole, kUnsupported for a newer format.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/fit_report.h"
#include "record/control.h"
#include "record/inputs.h"
#include "record/schema.h"
#include "registry/feature_settings.h"
#include "registry/model_document.h"
#include "registry/quality.h"

namespace weir::registry {

// Figures on held-out rows, in units of the target.
struct HeldOutMetrics {
  double rmse = 0;
  double mae = 0;
  double r2 = 0;               // 1 - SSE/SST about the held-out mean
  std::uint64_t mae_rows = 0;  // rows behind mae; fewer than held_out where the sample was bounded
};

// What of the settings shapes boosted trees.
struct BoostedSettings {
  std::uint64_t trees = 200;
  std::uint64_t depth = 4;
  double learning_rate = 0.1;
  std::uint64_t rows_max = 100'000;

  bool operator==(const BoostedSettings&) const = default;
};

// A model that was trained, and kept or not.
struct Candidate {
  std::string algorithm;
  std::uint64_t rows = 0;     // that it learned from
  bool has_held_out = false;  // false where no row was held out, or it could not be trained
  HeldOutMetrics held_out;    // all of it over the same `mae_rows` rows for each candidate
  std::string failure;        // why there is none; empty where there is one
};

// "number", "category", …: one for each feature; none where each is a number.
std::vector<std::string> feature_types_of(const record::Inputs& inputs);

// As they stand in a manifest. Those from JSON throw nlohmann's exceptions for what is not whole.
nlohmann::ordered_json features_to_json(const FeatureSettings& features);
FeatureSettings features_from_json(const nlohmann::json& json);
nlohmann::ordered_json boosted_to_json(const BoostedSettings& boosted);
BoostedSettings boosted_from_json(const nlohmann::json& json);

struct Manifest {
  std::uint64_t version = 0;
  std::string algorithm;
  record::Schema schema;
  record::DatasetIdentity dataset;  // where and as it was when it was taken up
  std::string dataset_sha256;  // of its bytes one after the other; empty where no one saw them so
  std::string splits_sha256;   // the digest of its splits, where those were read apart
  std::uint64_t split_bytes = 0;  // where the splits were cut; 0 in old manifests
  std::uint64_t rows = 0;         // = rows_trained + rows_held_out + rows_refused
  std::uint64_t rows_trained = 0;
  std::uint64_t rows_held_out = 0;
  std::uint64_t rows_refused = 0;
  std::map<std::string, std::uint64_t> refused_by_reason;
  std::uint64_t seed = 0;
  double test_fraction = 0;
  std::vector<std::string> drop_columns;  // the settings that it was trained with
  bool intercept = true;
  std::optional<double> ridge = 0.0;        // model.ridge: the penalty, or nullopt for `auto`
  std::string wanted_algorithm = "linear";  // model.algorithm: may be "auto"
  BoostedSettings boosted;
  FeatureSettings features;
  std::vector<std::string> feature_types;
  std::vector<Candidate> candidates;  // empty in manifests from before there were kinds of model
  HeldOutMetrics held_out;
  std::optional<model::FitReport> fit;    // of a linear model, without its notes; not in old ones
  std::optional<QualityVerdict> quality;  // where model.require asked for something
  std::optional<ModelOrigin>
      imported;                      // where the model was trained elsewhere, not on the data set
  bool has_held_out = false;         // false where no row was held out: then held_out means nothing
  std::vector<std::string> notes;    // verdicts on columns: constant, dependent
  std::uint64_t parent_version = 0;  // the model in force when this one was begun, 0 = none
  std::string program_version;
  std::string trained_at;  // RFC 3339
  double training_seconds = 0;
  std::string model_sha256;  // of model.json, byte for byte

  std::string to_json() const;
  // Who was compared, for people: "linear 4.433, boosted 2.974 (RMSE)"; empty where only one kind
  // was trained.
  std::string comparison() const;
  static Result<Manifest> parse(std::string_view json);
};

}  // namespace weir::registry
