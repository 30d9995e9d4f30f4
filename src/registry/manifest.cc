#include "registry/manifest.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "record/json_number.h"
#include "registry/fit_json.h"

namespace weir::registry {
namespace {

using Json = nlohmann::ordered_json;
using record::unsigned_at;

constexpr int kFormatVersion = 1;

Json dataset_json(const Manifest& manifest) {
  return {{"path", manifest.dataset.path},
          {"bytes", manifest.dataset.length},
          {"modified_ms", manifest.dataset.modified_ms},
          {"file_id", manifest.dataset.file_id},
          {"sha256", manifest.dataset_sha256},
          {"splits_sha256", manifest.splits_sha256},
          {"split_bytes", manifest.split_bytes},
          {"rows", manifest.rows},
          {"rows_trained", manifest.rows_trained},
          {"rows_held_out", manifest.rows_held_out},
          {"rows_refused", manifest.rows_refused},
          {"refused_by_reason", manifest.refused_by_reason}};
}

void read_dataset(const nlohmann::json& json, Manifest& manifest) {
  manifest.dataset.path = json.at("path");
  manifest.dataset.length = unsigned_at(json, "bytes");
  manifest.dataset.modified_ms = json.at("modified_ms");
  manifest.dataset.file_id = json.at("file_id");
  manifest.dataset_sha256 = json.at("sha256");
  if (json.contains("splits_sha256")) {
    manifest.splits_sha256 = json.at("splits_sha256");
    manifest.split_bytes = unsigned_at(json, "split_bytes");
  }
  manifest.rows = unsigned_at(json, "rows");
  manifest.rows_trained = unsigned_at(json, "rows_trained");
  manifest.rows_held_out = unsigned_at(json, "rows_held_out");
  manifest.rows_refused = unsigned_at(json, "rows_refused");
  manifest.refused_by_reason =
      json.at("refused_by_reason").get<std::map<std::string, std::uint64_t>>();
}

// The keys are those of the settings and of "held_out", but that one number of rows is behind all.
Json training_json(const Manifest& manifest) {
  Json candidates = Json::array();
  for (const Candidate& candidate : manifest.candidates) {
    Json json = {{"algorithm", candidate.algorithm}, {"rows", candidate.rows}};
    json["held_out"] = nullptr;
    if (candidate.has_held_out) {
      json["held_out"] = {{"rmse", candidate.held_out.rmse},
                          {"mae", candidate.held_out.mae},
                          {"r2", candidate.held_out.r2},
                          {"rows", candidate.held_out.mae_rows}};
    }
    json["failure"] = candidate.failure;
    candidates.push_back(std::move(json));
  }
  return {{"algorithm", manifest.wanted_algorithm},
          {"boosted", boosted_to_json(manifest.boosted)},
          {"candidates", std::move(candidates)}};
}

void read_training(const nlohmann::json& json, Manifest& manifest) {
  manifest.wanted_algorithm = json.at("algorithm");
  manifest.boosted = boosted_from_json(json.at("boosted"));
  for (const auto& from : json.at("candidates")) {
    Candidate candidate;
    candidate.algorithm = from.at("algorithm");
    candidate.rows = unsigned_at(from, "rows");
    candidate.failure = from.at("failure");
    const auto& held_out = from.at("held_out");
    candidate.has_held_out = !held_out.is_null();
    if (candidate.has_held_out) {
      candidate.held_out = {held_out.at("rmse"), held_out.at("mae"), held_out.at("r2"),
                            unsigned_at(held_out, "rows")};
    }
    manifest.candidates.push_back(std::move(candidate));
  }
}

}  // namespace

nlohmann::ordered_json features_to_json(const FeatureSettings& features) {
  return {{"types", features.types},
          {"missing", features.missing},
          {"missing_words", features.missing_words},
          {"categories_max", features.categories_max},
          {"standardise", features.standardise},
          {"log", features.log},
          {"interactions", features.interactions}};
}

FeatureSettings features_from_json(const nlohmann::json& json) {
  FeatureSettings features;
  features.types = json.at("types").get<std::vector<std::string>>();
  features.missing = json.at("missing");
  features.missing_words = json.at("missing_words").get<std::vector<std::string>>();
  features.categories_max = unsigned_at(json, "categories_max");
  features.standardise = json.at("standardise");
  features.log = json.at("log").get<std::vector<std::string>>();
  features.interactions = json.at("interactions").get<std::vector<std::string>>();
  return features;
}

nlohmann::ordered_json boosted_to_json(const BoostedSettings& boosted) {
  return {{"trees", boosted.trees},
          {"depth", boosted.depth},
          {"learning_rate", boosted.learning_rate},
          {"rows_max", boosted.rows_max}};
}

BoostedSettings boosted_from_json(const nlohmann::json& json) {
  return {unsigned_at(json, "trees"), unsigned_at(json, "depth"), json.at("learning_rate"),
          unsigned_at(json, "rows_max")};
}

std::vector<std::string> feature_types_of(const record::Inputs& inputs) {
  std::vector<std::string> types;
  for (const record::Input& input : inputs.columns) {
    types.emplace_back(record::input_kind_name(input.kind));
  }
  return types;
}

std::string Manifest::to_json() const {
  Json json;
  json["format"] = "weirkeeper-manifest";
  json["format_version"] = kFormatVersion;
  json["version"] = version;
  json["algorithm"] = algorithm;
  json["schema"] = {{"target", schema.target}, {"features", Json::array()}};
  for (std::size_t i = 0; i < schema.features.size(); ++i) {
    json["schema"]["features"].push_back(
        {{"name", schema.features[i]},
         {"type", i < feature_types.size() ? feature_types[i] : "number"}});
  }
  json["schema"]["sha256"] = schema.hash();
  json["dataset"] = dataset_json(*this);
  json["split"] = {{"seed", seed}, {"test_fraction", test_fraction}};
  json["settings"] = {{"drop_columns", drop_columns},
                      {"intercept", intercept},
                      {"ridge", ridge ? Json(*ridge) : Json("auto")}};
  json["settings"]["features"] = features_to_json(features);
  if (has_held_out) {
    json["held_out"] = {{"rmse", held_out.rmse},
                        {"mae", held_out.mae},
                        {"r2", held_out.r2},
                        {"mae_rows", held_out.mae_rows}};
  } else {
    json["held_out"] = nullptr;
  }
  json["training"] = training_json(*this);
  if (fit) json["fit"] = fit_to_json(*fit);
  if (imported) json["imported"] = origin_to_json(*imported);
  if (quality) json["quality"] = quality_to_json(*quality);
  json["notes"] = notes;
  json["parent_version"] = parent_version;
  json["program_version"] = program_version;
  json["trained_at"] = trained_at;
  json["training_seconds"] = training_seconds;
  json["model_sha256"] = model_sha256;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string Manifest::comparison() const {
  if (candidates.size() < 2) return {};
  std::string text;
  for (const Candidate& candidate : candidates) {
    char figure[32];
    std::snprintf(figure, sizeof figure, "%.4g", candidate.held_out.rmse);
    text += (text.empty() ? "" : ", ") + candidate.algorithm + " " +
            (candidate.has_held_out      ? figure
             : candidate.failure.empty() ? "-"
                                         : "failed");
  }
  return text + " (RMSE)";
}

Result<Manifest> Manifest::parse(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("format") || json["format"] != "weirkeeper-manifest") {
    return fail(Code::kCorrupt, "not a model manifest, or not a whole one");
  }
  try {
    if (json.at("format_version").get<int>() > kFormatVersion) {
      return fail(Code::kUnsupported, "the manifest was written by a newer version of the program");
    }
    Manifest manifest;
    manifest.version = unsigned_at(json, "version");
    manifest.algorithm = json.at("algorithm");
    manifest.schema.target = json.at("schema").at("target");
    for (const auto& feature : json.at("schema").at("features")) {
      manifest.schema.features.push_back(feature.at("name"));
      manifest.feature_types.push_back(feature.at("type"));
    }
    if (manifest.schema.hash() != json.at("schema").at("sha256").get<std::string>()) {
      return fail(Code::kCorrupt, "the manifest's schema does not match its hash");
    }
    read_dataset(json.at("dataset"), manifest);
    manifest.seed = unsigned_at(json.at("split"), "seed");
    manifest.test_fraction = json.at("split").at("test_fraction");
    if (json.contains("settings")) {  // the first manifests had none
      manifest.drop_columns = json["settings"].at("drop_columns").get<std::vector<std::string>>();
      manifest.intercept = json["settings"].at("intercept");
      const auto& ridge = json["settings"].at("ridge");
      manifest.ridge.reset();
      if (ridge != "auto") manifest.ridge = ridge.get<double>();
      if (json["settings"].contains("features")) {  // the first ones knew of none
        manifest.features = features_from_json(json["settings"]["features"]);
      }
    }
    if (json.contains("training")) read_training(json["training"], manifest);  // younger still
    const auto& held_out = json.at("held_out");
    manifest.has_held_out = !held_out.is_null();
    if (manifest.has_held_out) {
      manifest.held_out = {held_out.at("rmse"), held_out.at("mae"), held_out.at("r2"),
                           unsigned_at(held_out, "mae_rows")};
    }
    if (json.contains("fit")) manifest.fit = fit_from_json(json["fit"]);
    if (json.contains("imported")) manifest.imported = origin_from_json(json["imported"]);
    if (json.contains("quality")) manifest.quality = quality_from_json(json["quality"]);
    manifest.notes = json.at("notes").get<std::vector<std::string>>();
    manifest.parent_version = unsigned_at(json, "parent_version");
    manifest.program_version = json.at("program_version");
    manifest.trained_at = json.at("trained_at");
    manifest.training_seconds = json.at("training_seconds");
    manifest.model_sha256 = json.at("model_sha256");
    return manifest;
  } catch (const nlohmann::json::exception& e) {
    return fail(Code::kCorrupt, std::string("the manifest is not as it should be: ") + e.what());
  }
}

}  // namespace weir::registry
