// A request as a span of its client's trace (traceparent), or of a new one; what is done for it is
// below that span.
//
// Owner: the reply of the request. Threads: begin on the server's, end on any. Errors: none.
#pragma once

#include <optional>

#include "http/message.h"
#include "serve/router.h"
#include "stream/records.h"
#include "trace/tracer.h"

namespace weir::serve {

// What a record that the request brings carries on, as it came or as RequestTrace has made it.
stream::Headers trace_headers(const http::Request& request);

class RequestTrace {
 public:
  // No span: nothing is exported, it is not sampled, or the route is one that is asked all the time
  // by machines. Else the request's traceparent names the new span from now on.
  static std::optional<RequestTrace> begin(trace::Tracer* tracer, http::Request& request,
                                           const Route& route);
  void end(unsigned status);

 private:
  RequestTrace(trace::Tracer& tracer, trace::Span span)
      : tracer_(&tracer), span_(std::move(span)) {}

  trace::Tracer* tracer_;
  trace::Span span_;
};

}  // namespace weir::serve
