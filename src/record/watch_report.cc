#include "record/watch_report.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "record/json_number.h"

namespace weir::record {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

std::string bounded(std::string_view words) { return beginning_of(words, kWordsBytesMax); }

// JSON has no infinity: what is beyond all numbers is told as the largest.
double finite(double figure) {
  constexpr double kMost = std::numeric_limits<double>::max();
  return std::isnan(figure) ? kMost : std::clamp(figure, -kMost, kMost);
}

std::optional<double> number_or_none(const Json& json, const char* key) {
  if (!json.contains(key)) return std::nullopt;
  return json.at(key).get<double>();
}

OrderedJson accuracy_json(const WatchedAccuracy& accuracy) {
  OrderedJson json = {{"pairs", accuracy.pairs},       {"pairs_min", accuracy.pairs_min},
                      {"joined", accuracy.joined},     {"waiting", accuracy.waiting},
                      {"refused", accuracy.refused},   {"one_in", accuracy.one_in},
                      {"rmse", finite(accuracy.rmse)}, {"mae", finite(accuracy.mae)}};
  if (accuracy.rmse_max) json["rmse_max"] = *accuracy.rmse_max;
  if (accuracy.held_out_rmse) json["held_out_rmse"] = *accuracy.held_out_rmse;
  json["too_high"] = accuracy.too_high;
  json["since"] = accuracy.since;
  return json;
}

WatchedAccuracy read_accuracy(const Json& json) {
  WatchedAccuracy accuracy;
  accuracy.pairs = unsigned_or_0(json, "pairs");
  accuracy.pairs_min = unsigned_or_0(json, "pairs_min");
  accuracy.joined = unsigned_or_0(json, "joined");
  accuracy.waiting = unsigned_or_0(json, "waiting");
  accuracy.refused = unsigned_or_0(json, "refused");
  accuracy.one_in = unsigned_or_0(json, "one_in");
  accuracy.rmse = json.value("rmse", 0.0);
  accuracy.mae = json.value("mae", 0.0);
  accuracy.rmse_max = number_or_none(json, "rmse_max");
  accuracy.held_out_rmse = number_or_none(json, "held_out_rmse");
  accuracy.too_high = json.value("too_high", false);
  accuracy.since = bounded(json.value("since", std::string()));
  return accuracy;
}

}  // namespace

OrderedJson watch_report_json(const WatchReport& report) {
  OrderedJson json = {{"version", report.version},
                      {"epoch", report.epoch},
                      {"rows", report.rows},
                      {"rows_min", report.rows_min},
                      {"model_rows", report.model_rows},
                      {"refused", report.refused}};
  if (report.psi_max) json["psi_max"] = *report.psi_max;
  json["features_known"] = report.features_known;
  json["drifting"] = report.drifting;
  json["drift_since"] = report.drift_since;
  json["features"] = OrderedJson::array();
  for (std::size_t i = 0; i < std::min(report.features.size(), kFeaturesToldMax); ++i) {
    const WatchedFeature& one = report.features[i];
    json["features"].push_back({{"feature", bounded(one.feature)},
                                {"psi", finite(one.psi)},
                                {"by_chance", finite(one.by_chance)},
                                {"drifts", one.drifts},
                                {"since", one.since}});
  }
  json["accuracy"] = accuracy_json(report.accuracy);
  json["events"] = OrderedJson::array();
  const std::size_t events = std::min(report.events.size(), kEventsToldMax);
  for (std::size_t i = report.events.size() - events; i < report.events.size(); ++i) {
    json["events"].push_back(
        {{"at", report.events[i].at}, {"words", bounded(report.events[i].words)}});
  }
  return json;
}

WatchReport read_watch_report(const Json& json) {
  WatchReport report;
  report.version = unsigned_or_0(json, "version");
  report.epoch = unsigned_or_0(json, "epoch");
  report.rows = unsigned_or_0(json, "rows");
  report.rows_min = unsigned_or_0(json, "rows_min");
  report.model_rows = unsigned_or_0(json, "model_rows");
  report.refused = unsigned_or_0(json, "refused");
  report.psi_max = number_or_none(json, "psi_max");
  report.features_known = unsigned_or_0(json, "features_known");
  report.drifting = unsigned_or_0(json, "drifting");
  report.drift_since = bounded(json.value("drift_since", std::string()));
  if (json.contains("features")) {
    for (const Json& one : json.at("features")) {
      if (report.features.size() == kFeaturesToldMax) break;
      report.features.push_back({bounded(one.at("feature").get<std::string>()),
                                 one.at("psi").get<double>(), one.value("by_chance", 0.0),
                                 one.value("drifts", false),
                                 bounded(one.value("since", std::string()))});
    }
  }
  if (json.contains("accuracy")) report.accuracy = read_accuracy(json.at("accuracy"));
  if (json.contains("events")) {
    for (const Json& one : json.at("events")) {
      if (report.events.size() == kEventsToldMax) break;
      report.events.push_back(
          {bounded(one.at("at").get<std::string>()), bounded(one.at("words").get<std::string>())});
    }
  }
  return report;
}

}  // namespace weir::record
