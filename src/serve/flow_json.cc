#include "serve/flow_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace weir::serve {
namespace {

using Json = nlohmann::ordered_json;

// A thousandth is as exact as any of these is.
double rounded(double value) { return std::round(value * 1000) / 1000; }

template <typename Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json seconds_or_null(const std::optional<double>& value) {
  return value ? Json(rounded(*value)) : Json(nullptr);
}

}  // namespace

Json flow_json(const FlowFigures& figures, std::int64_t copy_behind) {
  Json json = {{"per_second",
                {{"arrived", rounded(figures.arrived_per_s)},
                 {"predicted", rounded(figures.predicted_per_s)},
                 {"dead", rounded(figures.dead_per_s)}}},
               {"answer_seconds", nullptr},
               {"lag", or_null(figures.lag)},
               {"copy_behind", copy_behind}};
  if (const auto& times = figures.answer_times) {
    json["answer_seconds"] = {{"p50", rounded(times->p50_s)},
                              {"p95", rounded(times->p95_s)},
                              {"p99", rounded(times->p99_s)},
                              {"answers", times->answers}};
  }
  Json steps = {{"from", format_time(figures.steps_from)},
                {"seconds", Flow::kStep.count() / 1000},
                {"arrived", Json::array()},
                {"predicted", Json::array()},
                {"dead", Json::array()},
                {"lag", Json::array()},
                {"p50", Json::array()},
                {"p95", Json::array()}};
  for (const FlowStep& step : figures.steps) {
    steps["arrived"].push_back(step.arrived);
    steps["predicted"].push_back(step.predicted);
    steps["dead"].push_back(step.dead);
    steps["lag"].push_back(or_null(step.lag));
    steps["p50"].push_back(seconds_or_null(step.p50_s));
    steps["p95"].push_back(seconds_or_null(step.p95_s));
  }
  json["steps"] = std::move(steps);
  return json;
}

Json alerts_json(const std::vector<Alert>& alerts) {
  Json json = {{"alerts", Json::array()}};
  for (const Alert& alert : alerts) {
    json["alerts"].push_back(
        {{"name", alert.name}, {"urgent", alert.urgent}, {"words", alert.words}});
  }
  return json;
}

void add_flow(MetricsPage& page, const FlowFigures& figures) {
  page.gauge("weir_flow_arrived_records_per_second", "Feature records that arrive, lately.",
             figures.arrived_per_s);
  page.gauge("weir_flow_predicted_records_per_second", "Records that are predicted, lately.",
             figures.predicted_per_s);
  page.gauge("weir_flow_dead_records_per_second", "Records that become dead letters, lately.",
             figures.dead_per_s);
  page.begin_gauge("weir_flow_answer_seconds",
                   "From a record's arrival to its answer, of the last minute.");
  if (const auto& times = figures.answer_times) {
    page.sample(times->p50_s, {{"part", "0.5"}});
    page.sample(times->p95_s, {{"part", "0.95"}});
    page.sample(times->p99_s, {{"part", "0.99"}});
  }
}

}  // namespace weir::serve
