#include "train/epoch_trace.h"

#include "base/time_text.h"

namespace weir::train {

std::optional<trace::TraceContext> EpochTrace::root(const record::ControlRecord& begun) const {
  if (!tracer_) return std::nullopt;
  trace::TraceContext context = trace::derived_context(
      "weir epoch\n" + pipeline_ + "\n" + std::to_string(begun.epoch) + "\n" + begun.at);
  if (!tracer_->samples(context.trace_id)) return std::nullopt;
  return context;
}

void EpochTrace::phase(const record::ControlRecord& begun, const std::string& name) {
  if (phase_ && phase_->name == name && !phase_->error) return;
  const auto context = root(begun);
  if (!context) return;
  end_phase();
  phase_ = Phase{name, *context, tracer_->now_ns(), std::nullopt};
}

void EpochTrace::failed(const std::string& why) {
  if (phase_) phase_->error = why;
}

void EpochTrace::deposed() {
  failed("another trainer leads now");
  end_phase();
}

void EpochTrace::end_phase() {
  if (!phase_) return;
  trace::Span span;
  span.context = phase_->root;
  span.context.span_id = trace::random_span_id();
  span.parent_id = phase_->root.span_id;
  span.name = phase_->name;
  span.begin_ns = phase_->begin_ns;
  span.end_ns = tracer_->now_ns();
  span.error = phase_->error;
  tracer_->end(std::move(span));
  phase_.reset();
}

void EpochTrace::resumed(const record::ControlRecord& begun, const record::ControlRecord& resume) {
  const auto context = root(begun);
  if (!context) return;
  end_phase();
  trace::Span span;
  span.context = *context;
  span.name = "epoch";
  span.end_ns = tracer_->now_ns();
  const auto at = parse_time(begun.at);
  span.begin_ns = at ? at->time_since_epoch().count() * 1'000'000 : span.end_ns;
  span.attributes = {{"weir.pipeline", pipeline_},
                     {"weir.epoch", static_cast<std::int64_t>(begun.epoch)},
                     {"weir.model", static_cast<std::int64_t>(resume.version)},
                     {"weir.outcome", std::string(record::outcome_name(resume.outcome))},
                     {"weir.halted", begun.type == record::ControlType::kHalt},
                     {"weir.trainer", resume.by}};
  if (begun.dataset) span.attributes.emplace_back("weir.dataset", begun.dataset->path);
  const bool well =
      resume.outcome == record::Outcome::kTrained || resume.outcome == record::Outcome::kRolledBack;
  if (!well) span.error = resume.reason;
  tracer_->end(std::move(span));
}

}  // namespace weir::train
