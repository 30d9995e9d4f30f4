#include "registry/fit_json.h"

#include <nlohmann/json.hpp>

#include "record/json_number.h"

namespace weir::registry {
namespace {

using Json = nlohmann::ordered_json;

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

std::optional<double> optional_at(const nlohmann::json& json, const char* name) {
  const nlohmann::json& value = json.at(name);
  if (value.is_null()) return std::nullopt;
  return value.get<double>();
}

Json estimate_json(const model::Estimate& estimate) {
  return {{"value", estimate.value},
          {"standard_error", or_null(estimate.standard_error)},
          {"t_value", or_null(estimate.t_value)}};
}

void read_estimate(const nlohmann::json& json, model::Estimate& estimate) {
  estimate.value = json.at("value");
  estimate.standard_error = optional_at(json, "standard_error");
  estimate.t_value = optional_at(json, "t_value");
}

Json ridge_json(const model::RidgeReport& ridge) {
  Json json = {{"automatic", ridge.automatic},
               {"penalty", ridge.penalty},
               {"effective_parameters", ridge.effective_parameters},
               {"curve", Json::array()}};
  for (const model::PenaltyTried& tried : ridge.curve) {
    json["curve"].push_back(
        {{"penalty", tried.penalty}, {"cross_validated_rmse", tried.cross_validated_rmse}});
  }
  return json;
}

model::RidgeReport ridge_from(const nlohmann::json& json) {
  model::RidgeReport ridge;
  ridge.automatic = json.at("automatic");
  ridge.penalty = json.at("penalty");
  ridge.effective_parameters = json.at("effective_parameters");
  for (const auto& tried : json.at("curve")) {
    ridge.curve.push_back({tried.at("penalty"), tried.at("cross_validated_rmse")});
  }
  return ridge;
}

}  // namespace

Json fit_to_json(const model::FitReport& report) {
  Json json;
  json["rows"] = report.rows;
  json["degrees_of_freedom"] = report.degrees_of_freedom;
  json["residual_standard_deviation"] = or_null(report.residual_standard_deviation);
  json["r2"] = or_null(report.r_squared);
  json["intercept"] = estimate_json(report.intercept);
  json["features"] = Json::array();
  for (const model::Estimate& feature : report.features) {
    Json entry = {{"name", feature.name}};
    entry.update(estimate_json(feature));
    entry["dropped"] = feature.dropped;
    json["features"].push_back(std::move(entry));
  }
  json["ridge"] = report.ridge ? ridge_json(*report.ridge) : Json(nullptr);
  return json;
}

model::FitReport fit_from_json(const nlohmann::json& json) {
  model::FitReport report;
  report.rows = record::unsigned_at(json, "rows");
  report.degrees_of_freedom = record::unsigned_at(json, "degrees_of_freedom");
  report.residual_standard_deviation = optional_at(json, "residual_standard_deviation");
  report.r_squared = optional_at(json, "r2");
  read_estimate(json.at("intercept"), report.intercept);
  for (const auto& entry : json.at("features")) {
    model::Estimate& feature = report.features.emplace_back();
    feature.name = entry.at("name");
    feature.dropped = entry.at("dropped");
    read_estimate(entry, feature);
  }
  if (!json.at("ridge").is_null()) report.ridge = ridge_from(json.at("ridge"));
  return report;
}

}  // namespace weir::registry
