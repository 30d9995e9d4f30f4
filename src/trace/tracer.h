// Takes spans of whoever has done something, and sends them to a collector, a batch at a time.
//
// Nobody waits for it: a span that finds no room is dropped and counted; so is a batch that the
// collector has not taken after a few tries. There is none where nothing is exported (make() gives
// null), and whoever has a pointer to one may have a null one.
//
// Owner: cli; the roles and the server end before it. Threads: all calls from any. Errors: none;
// trouble with the collector is told in the log when it begins and ends. Limits: OtelOptions. Its
// end waits for the collector for kLastExport at most.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "trace/http_poster.h"
#include "trace/otel_options.h"
#include "trace/span.h"

namespace weir::trace {

struct TracerCounters {
  std::atomic<std::uint64_t> exported{0};
  std::atomic<std::uint64_t> dropped{0};  // no room, or not taken by the collector
};

class Tracer {
 public:
  static constexpr int kTriesMax = 4;
  static constexpr Millis kLastExport{1'000};

  // Null where the options say that nothing is exported.
  static std::unique_ptr<Tracer> make(OtelOptions options, Clock& clock);
  Tracer(OtelOptions options, Clock& clock, std::unique_ptr<Poster> poster);
  ~Tracer();
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  // A new span below `parent`, or of a new trace; nullopt where it is not sampled.
  std::optional<TraceContext> begin(const std::optional<TraceContext>& parent) const;
  // Whether a trace of this id, which has no parent, is sampled.
  bool samples(const std::string& trace_id) const {
    return options_.sampler.samples(trace_id, std::nullopt);
  }
  // Now, in nanoseconds since 1970: the wall's time, with the steady clock's grain.
  std::int64_t now_ns() const;
  void end(Span span);
  void drop(std::uint64_t spans) { counters_.dropped += spans; }

  const TracerCounters& counters() const { return counters_; }

 private:
  void work(const std::stop_token& stop);
  std::vector<Span> take(bool full);
  bool send(const std::vector<Span>& batch, const std::stop_token& stop);
  bool try_to_send(const std::string& body, std::size_t spans, bool& again);
  void tell_trouble(const std::string& why);

  const OtelOptions options_;
  Clock& clock_;
  const std::unique_ptr<Poster> poster_;
  TracerCounters counters_;
  bool in_trouble_ = false;  // of the thread

  mutable std::mutex time_mutex_;
  mutable std::int64_t wall_minus_steady_ns_ = 0;  // guarded by time_mutex_

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Span> queue_;  // guarded by mutex_
  std::jthread thread_;     // last: it ends first
};

}  // namespace weir::trace
