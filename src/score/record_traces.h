// What the headers of feature records say of their traces (W3C Trace Context), handed on to the
// predictions; and, where traces are exported, a span for each sampled record's scoring, from when
// it was scored to when its answer was committed.
//
// Dead letters have all headers of their record anyway. Owner: the scorer. Threads: one. Errors:
// none. Limits: kSpansMax spans of a transaction; what is above them is dropped and counted.
#pragma once

#include <string>
#include <vector>

#include "stream/records.h"
#include "trace/tracer.h"

namespace weir::score {

class RecordTraces {
 public:
  static constexpr std::size_t kSpansMax = 1'000;

  // `tracer` may be null: then headers are handed on, and that is all.
  RecordTraces(trace::Tracer* tracer, std::string topic, std::string member)
      : tracer_(tracer), topic_(std::move(topic)), member_(std::move(member)) {}

  // The next record that is scored: what its prediction carries; null for nothing. Good until the
  // next call.
  const stream::Headers* begin(const stream::RecordBatch& batch, std::size_t index,
                               std::uint64_t version, std::uint64_t epoch);
  // It has become a dead letter.
  void dead();
  // The transaction of all records since the last call of either was committed, or came to nothing.
  void committed();
  void forget() { spans_.clear(); }

 private:
  trace::TraceContext begin_span(const trace::TraceContext& parent, const stream::Record& record,
                                 std::uint64_t version, std::uint64_t epoch);

  trace::Tracer* const tracer_;
  const std::string topic_;
  const std::string member_;
  std::vector<trace::Span> spans_;
  bool has_span_ = false;  // the record at hand
  stream::Headers carried_;
};

}  // namespace weir::score
