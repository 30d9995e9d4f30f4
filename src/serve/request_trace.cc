#include "serve/request_trace.h"

#include "base/text.h"

namespace weir::serve {
namespace {

bool is_asked_by_machines(const std::string& route) {
  return route == "/livez" || route == "/readyz" || route == "/metrics" ||
         route.starts_with("/v2/health/");
}

}  // namespace

stream::Headers trace_headers(const http::Request& request) {
  stream::Headers headers;
  for (const std::string_view name : {"traceparent", "tracestate"}) {
    if (const auto value = request.header(name)) headers.emplace_back(name, *value);
  }
  return headers;
}

std::optional<RequestTrace> RequestTrace::begin(trace::Tracer* tracer, http::Request& request,
                                                const Route& route) {
  if (!tracer || is_asked_by_machines(route.pattern)) return std::nullopt;
  const auto told = request.header("traceparent");
  const auto parent =
      told ? trace::parse_traceparent(*told, request.header("tracestate").value_or(""))
           : std::nullopt;
  const auto context = tracer->begin(parent);
  if (!context) return std::nullopt;
  http::set_field(request.headers, "traceparent", trace::traceparent_of(*context));
  trace::Span span;
  span.context = *context;
  if (parent) span.parent_id = parent->span_id;
  span.name = route.method + " " + route.pattern;
  span.kind = trace::SpanKind::kServer;
  span.begin_ns = tracer->now_ns();
  span.attributes = {{"http.request.method", request.method},
                     {"http.route", route.pattern},
                     {"url.path", one_line(request.target.substr(0, request.target.find('?')))},
                     {"url.scheme", std::string(request.secure ? "https" : "http")}};
  return RequestTrace(*tracer, std::move(span));
}

void RequestTrace::end(unsigned status) {
  span_.end_ns = tracer_->now_ns();
  span_.attributes.emplace_back("http.response.status_code", static_cast<std::int64_t>(status));
  if (status >= 500) span_.error = std::string(http::status_text(status));
  tracer_->end(std::move(span_));
}

}  // namespace weir::serve
