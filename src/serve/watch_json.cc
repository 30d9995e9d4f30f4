#include "serve/watch_json.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace weir::serve {
namespace {

using Json = nlohmann::ordered_json;
using record::WatchedAccuracy;
using record::WatchReport;

constexpr std::size_t kNamedMax = 3;  // features, in words

std::string figure(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json number_or_null(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::string drift_words(const WatchReport& report) {
  if (!report.psi_max) return "nothing is judged: watch.psi_max is none";
  if (report.version == 0) return "there is no model yet to compare with";
  if (report.rows < report.rows_min) {
    return "too few rows have come to tell: " + std::to_string(report.rows) + " of " +
           std::to_string(report.rows_min);
  }
  const std::string bound = "the bound is " + figure(*report.psi_max);
  if (report.drifting == 0) {
    if (report.features.empty()) return "no feature drifts; " + bound;
    const auto& worst = report.features.front();
    return "no feature drifts: the population stability index is " + figure(worst.psi) +
           " at most ('" + one_line(worst.feature) + "'); " + bound;
  }
  std::string names;
  std::size_t named = 0;
  for (const auto& one : report.features) {
    if (!one.drifts || named == kNamedMax) continue;
    names += (named++ > 0 ? ", '" : "'") + one_line(one.feature) + "' (" + figure(one.psi) + ")";
  }
  if (report.drifting > named) names += " and " + std::to_string(report.drifting - named) + " more";
  return std::to_string(report.drifting) + " of " + std::to_string(report.features_known) +
         (report.drifting == 1 ? " features drifts" : " features drift") +
         " away from what model " + std::to_string(report.version) + " was made of: " + names +
         ", by population stability index; " + bound;
}

std::string accuracy_words(const WatchReport& report) {
  const WatchedAccuracy& accuracy = report.accuracy;
  if (!accuracy.rmse_max) return "nothing is judged: watch.rmse_max is none";
  if (report.version == 0) return "there is no model yet to measure";
  if (accuracy.pairs < accuracy.pairs_min) {
    return "too few true values have come to tell: " + std::to_string(accuracy.pairs) + " of " +
           std::to_string(accuracy.pairs_min);
  }
  return std::string("the predictions of model ") + std::to_string(report.version) +
         (accuracy.too_high ? " have become worse than they may be" : " are good enough") +
         ": RMSE " + figure(accuracy.rmse) + " over the last " + std::to_string(accuracy.pairs) +
         " true values; the bound is " + figure(*accuracy.rmse_max);
}

Json drift_json(const WatchReport& report) {
  Json json = {{"rows", report.rows},
               {"rows_min", report.rows_min},
               {"model_rows", report.model_rows},
               {"rows_refused", report.refused},
               {"psi_max", number_or_null(report.psi_max)},
               {"features_known", report.features_known},
               {"features_drifting", report.drifting},
               {"features", Json::array()}};
  for (const auto& one : report.features) {
    json["features"].push_back({{"feature", one.feature},
                                {"psi", one.psi},
                                {"by_chance", one.by_chance},
                                {"drifts", one.drifts},
                                {"since", text_or_null(one.since)}});
  }
  return json;
}

Json accuracy_json(const WatchedAccuracy& accuracy) {
  const auto of_pairs = [&](double value) {
    return number_or_null(accuracy.pairs > 0 ? std::optional(value) : std::nullopt);
  };
  return {{"rmse", of_pairs(accuracy.rmse)},
          {"mae", of_pairs(accuracy.mae)},
          {"pairs", accuracy.pairs},
          {"pairs_min", accuracy.pairs_min},
          {"joined", accuracy.joined},
          {"waiting", accuracy.waiting},
          {"refused", accuracy.refused},
          {"followed_one_in", accuracy.one_in},
          {"rmse_max", number_or_null(accuracy.rmse_max)},
          {"held_out_rmse", number_or_null(accuracy.held_out_rmse)}};
}

}  // namespace

const gate::MemberTable::Member* watcher_of(const PipelineStatus& status) {
  for (const auto& member : status.members) {
    if (member.latest.progress.watch && !member.silent) return &member;
  }
  return nullptr;
}

std::vector<WatchAlarm> watch_alarms(const PipelineStatus& status) {
  std::vector<WatchAlarm> alarms;
  const gate::MemberTable::Member* watcher = watcher_of(status);
  if (!watcher) return alarms;
  const WatchReport& report = *watcher->latest.progress.watch;
  if (report.drifting > 0) alarms.push_back({"drift", drift_words(report)});
  if (report.accuracy.too_high) alarms.push_back({"accuracy", accuracy_words(report)});
  return alarms;
}

Json watch_json(const PipelineStatus& status, const std::string& pipeline, Clock& clock) {
  const gate::MemberTable::Member* watcher = watcher_of(status);
  if (!watcher) {
    return {{"pipeline", pipeline},
            {"watching", false},
            {"reason",
             "no watcher has been heard of lately; start 'weir watch', or 'weir run' with "
             "watch.enabled: true"}};
  }
  const WatchReport& report = *watcher->latest.progress.watch;
  Json json = {{"pipeline", pipeline},
               {"watching", true},
               {"member", watcher->latest.member},
               {"heard_of_ms", heard_ms(*watcher, clock)},
               {"summary", watcher->latest.progress.waiting_for},
               {"model", report.version},
               {"epoch", report.epoch}};
  json["alarms"] = {{{"kind", "drift"},
                     {"on", report.drifting > 0},
                     {"since", text_or_null(report.drift_since)},
                     {"words", drift_words(report)}},
                    {{"kind", "accuracy"},
                     {"on", report.accuracy.too_high},
                     {"since", text_or_null(report.accuracy.since)},
                     {"words", accuracy_words(report)}}};
  json["drift"] = drift_json(report);
  json["accuracy"] = accuracy_json(report.accuracy);
  json["events"] = Json::array();
  for (const auto& event : report.events) {
    json["events"].push_back({{"at", event.at}, {"words", event.words}});
  }
  return json;
}

}  // namespace weir::serve
