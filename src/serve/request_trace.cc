#include "serve/request_trace.h"

#include <algorithm>

#include "base/text.h"

namespace weir::serve {
namespace {

bool is_asked_by_machines(const std::string& route) {
  return route == "/livez" || route == "/readyz" || route == "/metrics" ||
         route.starts_with("/v2/health/");
}

bool is_named(std::string_view name, std::string_view other) {
  return name.size() == other.size() &&
         std::equal(name.begin(), name.end(), other.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
         });
}

}  // namespace

std::optional<RequestTrace> RequestTrace::begin(trace::Tracer* tracer, http::Request& request,
                                                const Route& route) {
  if (!tracer || is_asked_by_machines(route.pattern)) return std::nullopt;
  const auto told = request.header("traceparent");
  const auto parent =
      told ? trace::parse_traceparent(*told, request.header("tracestate").value_or(""))
           : std::nullopt;
  const auto context = tracer->begin(parent);
  if (!context) return std::nullopt;
  std::erase_if(request.headers,
                [](const auto& field) { return is_named(field.first, "traceparent"); });
  request.headers.emplace_back("traceparent", trace::traceparent_of(*context));
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
