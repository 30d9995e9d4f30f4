// What the variables of OpenTelemetry say of traces ("OpenTelemetry Environment Variable
// Specification", "OTLP Exporter"): those that are told in docs/operations.md.
//
// Threads: a pure function. Errors: kBadConfig, naming the variable, never a header's value.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace weir::trace {

enum class Root { kAlways, kNever, kRatio };

struct Sampler {
  bool by_parent = true;  // what a parent says counts, where there is one
  Root root = Root::kAlways;
  double ratio = 1;

  bool samples(const std::string& trace_id, std::optional<bool> parent_sampled) const;
};

struct OtelOptions {
  std::string url;  // "http://127.0.0.1:4318/v1/traces"; empty: traces are not exported
  std::vector<std::pair<std::string, std::string>> headers;
  std::string certificate;  // PEM, of the authority; empty: the system's
  Millis timeout{10'000};   // of an export
  Sampler sampler;
  std::vector<std::pair<std::string, std::string>> resource;  // service.name first
  std::size_t queue_spans_max = 2'048;
  std::size_t batch_spans_max = 512;
  Millis delay{5'000};                // between two exports
  std::vector<std::string> warnings;  // of what is not understood
};

// For logs: without a user, a password and a query, which may be secrets.
std::string shown_url(std::string_view url);

Result<OtelOptions> otel_options(const std::map<std::string, std::string>& environment);

}  // namespace weir::trace
