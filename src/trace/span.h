// Something that was done, from when to when, within a trace.
//
// Threads: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "trace/context.h"

namespace weir::trace {

enum class SpanKind { kInternal = 1, kServer = 2, kClient = 3, kProducer = 4, kConsumer = 5 };

using AttributeValue = std::variant<std::string, std::int64_t, double, bool>;
using Attributes = std::vector<std::pair<std::string, AttributeValue>>;

struct Span {
  TraceContext context;
  std::string parent_id;  // empty: none
  std::string name;
  SpanKind kind = SpanKind::kInternal;
  std::int64_t begin_ns = 0;  // since 1970
  std::int64_t end_ns = 0;
  Attributes attributes;
  std::optional<std::string> error;  // why it failed
};

}  // namespace weir::trace
