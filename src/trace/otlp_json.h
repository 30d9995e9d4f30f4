// Spans as a body of OTLP over HTTP in JSON (opentelemetry-proto, ExportTraceServiceRequest).
//
// Threads: pure functions. Errors: none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trace/span.h"

namespace weir::trace {

std::string otlp_json(const std::vector<std::pair<std::string, std::string>>& resource,
                      const std::vector<Span>& spans);
// How many spans the answer says were not taken; 0 where it says nothing of the kind.
std::uint64_t rejected_spans(std::string_view answer);

}  // namespace weir::trace
