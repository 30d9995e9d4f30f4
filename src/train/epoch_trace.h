// An epoch as a trace: a span from its begin to its resume, and one for each phase of it (halt,
// train, publish, resume).
//
// The ids follow from the pipeline, the epoch and when it was begun, so that a leader that ends
// what another has begun adds to the same trace. Owner: the trainer. Threads: one. Errors: none.
#pragma once

#include <optional>
#include <string>

#include "record/control.h"
#include "trace/tracer.h"

namespace weir::train {

class EpochTrace {
 public:
  // `tracer` may be null: then all of this does nothing.
  EpochTrace(trace::Tracer* tracer, std::string pipeline)
      : tracer_(tracer), pipeline_(std::move(pipeline)) {}

  // The phase before has ended, and this one has begun. The same once more changes nothing.
  void phase(const record::ControlRecord& begun, const std::string& name);
  // The phase at hand has failed; it may be followed by the same again.
  void failed(const std::string& why);
  void resumed(const record::ControlRecord& begun, const record::ControlRecord& resume);
  // Who led leads no more: what was at hand ends here, for another carries it on.
  void deposed();

 private:
  struct Phase {
    std::string name;
    trace::TraceContext root;  // of its epoch
    std::int64_t begin_ns = 0;
    std::optional<std::string> error;
  };
  // The epoch's own span; nullopt where it is not sampled.
  std::optional<trace::TraceContext> root(const record::ControlRecord& begun) const;
  void end_phase();

  trace::Tracer* const tracer_;
  const std::string pipeline_;
  std::optional<Phase> phase_;
};

}  // namespace weir::train
