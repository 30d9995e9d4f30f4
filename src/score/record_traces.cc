#include "score/record_traces.h"

#include <algorithm>

namespace weir::score {
namespace {

const std::string kParent = "traceparent";
const std::string kState = "tracestate";

}  // namespace

const stream::Headers* RecordTraces::begin(const stream::RecordBatch& batch, std::size_t index,
                                           std::uint64_t version, std::uint64_t epoch) {
  has_span_ = false;
  const auto parent = batch.header(index, kParent);
  if (!parent) return nullptr;
  auto context = trace::parse_traceparent(*parent, batch.header(index, kState).value_or(""));
  if (!context) return nullptr;
  const stream::Record& record = batch.records()[index];
  if (tracer_) *context = begin_span(*context, record, version, epoch);
  carried_.clear();
  carried_.emplace_back(kParent, trace::traceparent_of(*context));
  if (!context->state.empty()) carried_.emplace_back(kState, context->state);
  return &carried_;
}

// The context that is handed on: the new span's, or the parent's where there is none.
trace::TraceContext RecordTraces::begin_span(const trace::TraceContext& parent,
                                             const stream::Record& record, std::uint64_t version,
                                             std::uint64_t epoch) {
  const auto context = tracer_->begin(parent);
  if (!context) return parent;
  if (spans_.size() == kSpansMax) {
    tracer_->drop(1);
    return parent;
  }
  trace::Span& span = spans_.emplace_back();
  has_span_ = true;
  span.context = *context;
  span.parent_id = parent.span_id;
  span.name = "score " + topic_;
  span.kind = trace::SpanKind::kConsumer;
  span.begin_ns = tracer_->now_ns();
  const auto whole = [](auto value) { return static_cast<std::int64_t>(value); };
  span.attributes = {{"messaging.system", std::string("kafka")},
                     {"messaging.operation.type", std::string("process")},
                     {"messaging.destination.name", topic_},
                     {"messaging.destination.partition.id", std::to_string(record.partition)},
                     {"messaging.kafka.offset", whole(record.offset)},
                     {"weir.member", member_},
                     {"weir.model", whole(version)},
                     {"weir.epoch", whole(epoch)},
                     {"weir.waited_ms",
                      std::max<std::int64_t>(span.begin_ns / 1'000'000 - record.timestamp_ms, 0)}};
  return *context;
}

void RecordTraces::dead() {
  if (has_span_) spans_.back().error = "the record has become a dead letter";
}

void RecordTraces::committed() {
  if (spans_.empty()) return;
  const std::int64_t now = tracer_->now_ns();
  for (trace::Span& span : spans_) {
    span.end_ns = now;
    tracer_->end(std::move(span));
  }
  spans_.clear();
}

}  // namespace weir::score
