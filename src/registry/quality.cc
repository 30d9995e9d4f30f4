#include "registry/quality.h"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace weir::registry {
namespace {

using Json = nlohmann::ordered_json;

Json number_json(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::optional<double> number_at(const nlohmann::json& json, const char* name) {
  const auto& value = json.at(name);
  return value.is_null() ? std::nullopt : std::optional<double>(value.get<double>());
}

Json figures_json(const QualityFigures& figures) {
  return {{"rmse", number_json(figures.rmse)}, {"r2", number_json(figures.r2)}};
}

QualityFigures figures_from(const nlohmann::json& json) {
  return {number_at(json, "rmse"), number_at(json, "r2")};
}

std::string text_of(const std::optional<double>& value) {
  if (!value) return "undefined";
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", *value);
  return text;
}

}  // namespace

Json quality_to_json(const QualityVerdict& verdict) {
  return {{"required",
           {{"r2", number_json(verdict.required.r2)},
            {"worse_than_live_max_percent", number_json(verdict.required.worse_than_live_max)}}},
          {"rows", verdict.rows},
          {"candidate", figures_json(verdict.candidate)},
          {"live_version", verdict.live_version},
          {"live", verdict.live ? figures_json(*verdict.live) : Json(nullptr)},
          {"not_compared", verdict.not_compared}};
}

QualityVerdict quality_from_json(const nlohmann::json& json) {
  QualityVerdict verdict;
  const auto& required = json.at("required");
  verdict.required = {number_at(required, "r2"),
                      number_at(required, "worse_than_live_max_percent")};
  verdict.rows = json.at("rows").get<std::uint64_t>();
  verdict.candidate = figures_from(json.at("candidate"));
  verdict.live_version = json.at("live_version").get<std::uint64_t>();
  if (!json.at("live").is_null()) verdict.live = figures_from(json.at("live"));
  verdict.not_compared = json.at("not_compared").get<std::string>();
  return verdict;
}

std::string quality_text(const QualityVerdict& verdict) {
  std::string text = "R² " + text_of(verdict.candidate.r2);
  if (verdict.required.r2) text += " (at least " + text_of(verdict.required.r2) + " required)";
  text += ", RMSE " + text_of(verdict.candidate.rmse);
  if (verdict.live) {
    text += ", that of model " + std::to_string(verdict.live_version) + " " +
            text_of(verdict.live->rmse);
    if (verdict.required.worse_than_live_max) {
      text += " (at most " + text_of(verdict.required.worse_than_live_max) + " % worse allowed)";
    }
  } else if (!verdict.not_compared.empty()) {
    text += ", not compared with the model in force: " + verdict.not_compared;
  }
  return text + ", on " + std::to_string(verdict.rows) + " held-out rows";
}

}  // namespace weir::registry
