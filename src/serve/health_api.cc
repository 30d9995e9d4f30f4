#include "serve/health_api.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "serve/answering.h"
#include "serve/cache_api.h"
#include "serve/flow_json.h"
#include "serve/metrics_page.h"
#include "serve/parameters.h"
#include "serve/prediction_json.h"
#include "serve/prometheus_text.h"
#include "serve/status_json.h"

namespace weir::serve {
namespace {

using Json = nlohmann::ordered_json;

// The follower looks once a second.
constexpr Millis kViewOldAfter{10'000};

std::string age_text(SteadyTime since, Clock& clock) {
  const auto age = std::chrono::duration_cast<Millis>(clock.steady() - since).count();
  return std::to_string(age / 1000) + " s ago";
}

// Why requests could not be served now, by check; nothing where they can.
class Checks {
 public:
  void add(const std::string& name, const std::string& trouble) {
    json_[name] = {{"ok", trouble.empty()}, {"reason", nullptr}};
    if (!trouble.empty()) json_[name]["reason"] = trouble;
    good_ = good_ && trouble.empty();
  }
  bool good() const { return good_; }
  const Json& json() const { return json_; }

 private:
  Json json_ = Json::object();
  bool good_ = true;
};

void add_requests(MetricsPage& page, const RequestMetrics& metrics) {
  const auto all = metrics.snapshot();
  const auto labels_of = [](const RequestMetrics::Key& key) {
    return Labels{{"method", key.method},
                  {"route", key.route},
                  {"status", std::to_string(key.status_class) + "xx"}};
  };
  page.begin_histogram("weir_gateway_request_duration_seconds",
                       "From the end of a request's head to its answer.");
  for (const auto& [key, series] : all) {
    std::uint64_t below = 0;
    for (std::size_t i = 0; i <= RequestMetrics::kBuckets.size(); ++i) {
      below += series.buckets[i];
      Labels labels = labels_of(key);
      labels.emplace_back("le", i < RequestMetrics::kBuckets.size()
                                    ? format_double(RequestMetrics::kBuckets[i])
                                    : "+Inf");
      page.sample_of("_bucket", static_cast<double>(below), labels);
    }
    page.sample_of("_sum", series.seconds, labels_of(key));
    page.sample_of("_count", static_cast<double>(series.count), labels_of(key));
  }
}

void add_server(MetricsPage& page, const http::ServerCounters& counters) {
  page.gauge("weir_gateway_connections_open", "Connections of clients, now.",
             static_cast<double>(counters.connections_open));
  page.counter("weir_gateway_connections_total", "Connections of clients, so far.",
               counters.connections);
  page.counter("weir_gateway_connections_refused_total", "Connections over the limit.",
               counters.connections_refused);
  page.counter("weir_gateway_faults_total", "Requests that were no HTTP, or did not come whole.",
               counters.faults);
}

void add_pushes(MetricsPage& page, const PushQueue& pushes) {
  const PushCounters& counters = pushes.counters();
  page.counter("weir_gateway_pushed_records_total", "Records written to the features topic.",
               counters.pushed);
  page.counter("weir_gateway_repeated_records_total", "Records that were there already.",
               counters.repeated);
  page.counter("weir_gateway_push_transactions_total", "Transactions that pushed records.",
               counters.transactions);
  page.gauge("weir_gateway_push_waiting_requests", "Requests whose records are not written yet.",
             static_cast<double>(pushes.waiting()));
  page.gauge("weir_gateway_push_ready", "1 where records can be pushed ('/readyz' says why not).",
             pushes.trouble().empty() ? 1 : 0);
}

void add_actuals(MetricsPage& page, const ActualsQueue& actuals) {
  page.counter("weir_gateway_actuals_total", "True values written to the actuals topic.",
               actuals.written());
  page.gauge("weir_gateway_actuals_waiting_requests",
             "Requests whose true values are not written yet.",
             static_cast<double>(actuals.waiting()));
}

void add_feed(MetricsPage& page, const predictions::FeedProgress& progress) {
  page.begin_gauge("weir_gateway_feed_lag_records",
                   "How far the prediction store is behind a topic.");
  for (const auto& lag : progress.lag()) {
    page.sample(static_cast<double>(lag.behind), {{"topic", lag.topic}});
  }
  page.counter("weir_gateway_feed_records_total", "Feature records kept, so far.",
               progress.records());
  page.counter("weir_gateway_feed_answers_total", "Predictions and dead letters kept, so far.",
               progress.answers());
  page.counter("weir_gateway_feed_refills_total", "How often the store had lost its content.",
               progress.refills());
}

Checks look(const Parts& parts) {
  Checks checks;
  const auto view = parts.live.view();
  const auto trouble = parts.live.trouble();
  const bool old = view && parts.clock.steady() - view->looked_at > kViewOldAfter;
  checks.add("kafka", trouble ? trouble->message()
                      : !view ? "the control log has not been read yet"
                      : old   ? "it last answered " + age_text(view->looked_at, parts.clock)
                              : "");
  checks.add("model", !view                               ? "the control log has not been read yet"
                      : view->status.control.version == 0 ? "no model is in force yet"
                      : view->model_trouble               ? view->model_trouble->message()
                      : !view->model                      ? "it is being loaded"
                                                          : "");
  checks.add("push", parts.pushes.trouble());
  const auto feed = parts.progress.trouble();
  checks.add("predictions", feed ? feed->message() : "");
  return checks;
}

void add_checks(MetricsPage& page, const Parts& parts) {
  page.begin_gauge("weir_gateway_check", "1 where a check of '/readyz' is passed, which says why.");
  const Checks checks = look(parts);
  for (const auto& [name, check] : checks.json().items()) {
    page.sample(check["ok"].get<bool>() ? 1 : 0, {{"check", name}});
  }
  if (const auto view = parts.live.view()) {
    const std::chrono::duration<double> age = parts.clock.steady() - view->looked_at;
    page.gauge("weir_gateway_view_age_seconds",
               "So old is what the metrics of the pipeline say: Kafka's last answer.", age.count());
  }
}

void add_spans(MetricsPage& page, const trace::Tracer* tracer) {
  page.counter("weir_trace_spans_exported_total", "Spans that a collector has taken.",
               tracer ? tracer->counters().exported.load() : 0);
  page.counter("weir_trace_spans_dropped_total",
               "Spans without room, or that the collector did not take.",
               tracer ? tracer->counters().dropped.load() : 0);
}

}  // namespace

// Probes may have a parameter that keeps caches away, and Prometheus those of its settings: what
// tells of health takes any.
void HealthApi::add_routes(Router& router) {
  router.add({"GET", "/livez", Permission::kOpen, Where::kAtOnce, 0, false,
              [](Call, http::Reply reply) { reply.send(json_response("{\"ok\":true}")); }});
  router.add({"GET", "/readyz", Permission::kRead, Where::kAtOnce, 0, false,
              [this](Call, http::Reply reply) { reply.send(ready()); }});
  router.add({"GET", "/metrics", Permission::kRead, Where::kWorkers, 0, false,
              [this](Call, http::Reply reply) { reply.send(metrics()); }});
  router.add({"GET", "/v1/status", Permission::kRead, Where::kAtOnce, 0, false,
              answering([this](const Call& call) { return status(call); })});
}

http::Response HealthApi::ready() const {
  const Checks checks = look(parts_);
  return json_response(to_text({{"ready", checks.good()}, {"checks", checks.json()}}),
                       checks.good() ? 200 : 503);
}

http::Response HealthApi::metrics() const {
  const auto view = parts_.live.view();
  std::string text;
  if (view) {
    text = prometheus_text(view->status, parts_.pipeline, parts_.features_topic, parts_.clock);
  }
  MetricsPage page(parts_.pipeline);
  if (const http::Server* server = server_) add_server(page, server->counters());
  add_requests(page, metrics_);
  add_pushes(page, parts_.pushes);
  add_actuals(page, parts_.actuals);
  add_feed(page, parts_.progress);
  add_flow(page, parts_.flow.figures());
  add_cache_metrics(page, cache_users(parts_));
  add_checks(page, parts_);
  add_spans(page, parts_.tracer);
  http::Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = text + page.take();
  return response;
}

Result<http::Response> HealthApi::status(const Call& call) const {
  WEIR_TRY(only_parameters(call.request, {}));
  const auto view = WEIR_TRY(parts_.live.view_or_trouble());
  return json_response(to_text(status_json(view->status, parts_.pipeline, parts_.clock)));
}

}  // namespace weir::serve
