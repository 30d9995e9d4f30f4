// W3C Trace Context: which trace something belongs to, and under which span.
//
//   traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
//
// Threads: pure functions, and random ones from any thread. Errors: none; what is no traceparent
// gives nullopt.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir::trace {

inline constexpr std::size_t kTraceStateBytesMax = 512;

struct TraceContext {
  std::string trace_id;  // 32 lower-case hexadecimal digits
  std::string span_id;   // 16 of them
  bool sampled = false;
  std::string state;  // tracestate, as it came

  bool operator==(const TraceContext&) const = default;
};

std::optional<TraceContext> parse_traceparent(std::string_view traceparent,
                                              std::string_view tracestate = {});
std::string traceparent_of(const TraceContext& context);

// What nobody else has.
std::string random_trace_id();
std::string random_span_id();
// The same for the same name, in every process that knows it.
TraceContext derived_context(std::string_view name);

}  // namespace weir::trace
