#include "trace/context.h"

#include <algorithm>
#include <random>

#include "base/sha256.h"

namespace weir::trace {
namespace {

constexpr std::size_t kTraceDigits = 32;
constexpr std::size_t kSpanDigits = 16;
// version-trace-span-flags
constexpr std::size_t kLength = 2 + 1 + kTraceDigits + 1 + kSpanDigits + 1 + 2;

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view digits) { return digits.find_first_not_of('0') == digits.npos; }

std::string random_digits(std::size_t count) {
  thread_local std::mt19937_64 random = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  std::string digits(count, '0');
  do {
    for (std::size_t i = 0; i < count; ++i) {
      digits[i] = "0123456789abcdef"[random() >> 60];
    }
  } while (is_zero(digits));
  return digits;
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view traceparent,
                                              std::string_view tracestate) {
  if (traceparent.size() < kLength) return std::nullopt;
  const std::string_view version = traceparent.substr(0, 2);
  const std::string_view trace_id = traceparent.substr(3, kTraceDigits);
  const std::string_view span_id = traceparent.substr(4 + kTraceDigits, kSpanDigits);
  const std::string_view flags = traceparent.substr(5 + kTraceDigits + kSpanDigits, 2);
  const bool dashes = traceparent[2] == '-' && traceparent[3 + kTraceDigits] == '-' &&
                      traceparent[4 + kTraceDigits + kSpanDigits] == '-';
  if (!dashes || !is_hex(version) || !is_hex(trace_id) || !is_hex(span_id) || !is_hex(flags)) {
    return std::nullopt;
  }
  // A later version may say more, behind another dash.
  const std::string_view rest = traceparent.substr(kLength);
  if (version == "ff" || (version == "00" && !rest.empty())) return std::nullopt;
  if (!rest.empty() && rest.front() != '-') return std::nullopt;
  if (is_zero(trace_id) || is_zero(span_id)) return std::nullopt;
  TraceContext context;
  context.trace_id = std::string(trace_id);
  context.span_id = std::string(span_id);
  const char low = flags[1];
  context.sampled = ((low >= 'a' ? low - 'a' + 10 : low - '0') & 1) != 0;
  if (tracestate.size() <= kTraceStateBytesMax) context.state = std::string(tracestate);
  return context;
}

std::string traceparent_of(const TraceContext& context) {
  return "00-" + context.trace_id + "-" + context.span_id + (context.sampled ? "-01" : "-00");
}

std::string random_trace_id() { return random_digits(kTraceDigits); }
std::string random_span_id() { return random_digits(kSpanDigits); }

TraceContext derived_context(std::string_view name) {
  const std::string digits = sha256_hex(name);
  return {digits.substr(0, kTraceDigits), digits.substr(kTraceDigits, kSpanDigits), true, ""};
}

}  // namespace weir::trace
