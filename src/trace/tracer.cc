#include "trace/tracer.h"

#include <algorithm>
#include <cstdlib>

#include "base/log.h"
#include "trace/otlp_json.h"

namespace weir::trace {
namespace {

constexpr Millis kFirstPause{500};
// The wall's clock has a grain of a millisecond; more than this between the two means that it was
// set.
constexpr std::int64_t kClockStepNs = 50'000'000;

std::int64_t ns_of(SteadyTime time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}
std::int64_t ns_of(WallTime time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

}  // namespace

std::unique_ptr<Tracer> Tracer::make(OtelOptions options, Clock& clock) {
  for (const std::string& warning : options.warnings) log::warn(warning);
  if (options.url.empty()) return nullptr;
  log::debug("traces are exported", {{"url", shown_url(options.url)}});
  auto poster =
      make_http_poster({options.url, shown_url(options.url), options.headers, options.certificate});
  return std::make_unique<Tracer>(std::move(options), clock, std::move(poster));
}

Tracer::Tracer(OtelOptions options, Clock& clock, std::unique_ptr<Poster> poster)
    : options_(std::move(options)), clock_(clock), poster_(std::move(poster)) {
  thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

Tracer::~Tracer() {
  poster_->end_within(kLastExport);
  thread_.request_stop();
}

std::optional<TraceContext> Tracer::begin(const std::optional<TraceContext>& parent) const {
  TraceContext context;
  context.trace_id = parent ? parent->trace_id : random_trace_id();
  const auto told = parent ? std::optional(parent->sampled) : std::nullopt;
  if (!options_.sampler.samples(context.trace_id, told)) return std::nullopt;
  context.span_id = random_span_id();
  context.sampled = true;
  if (parent) context.state = parent->state;
  return context;
}

std::int64_t Tracer::now_ns() const {
  const std::int64_t steady = ns_of(clock_.steady());
  const std::int64_t wall = ns_of(clock_.wall());
  const std::lock_guard lock(time_mutex_);
  if (std::abs(steady + wall_minus_steady_ns_ - wall) > kClockStepNs) {
    wall_minus_steady_ns_ = wall - steady;
  }
  return steady + wall_minus_steady_ns_;
}

void Tracer::end(Span span) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= options_.queue_spans_max) {
      ++counters_.dropped;
      return;
    }
    queue_.push_back(std::move(span));
    if (queue_.size() < options_.batch_spans_max) return;
  }
  changed_.notify_one();
}

// Up to a batch; with `full` a whole one or nothing.
std::vector<Span> Tracer::take(bool full) {
  const std::lock_guard lock(mutex_);
  if (full && queue_.size() < options_.batch_spans_max) return {};
  const auto count = static_cast<std::ptrdiff_t>(std::min(queue_.size(), options_.batch_spans_max));
  std::vector<Span> batch(std::make_move_iterator(queue_.begin()),
                          std::make_move_iterator(queue_.begin() + count));
  queue_.erase(queue_.begin(), queue_.begin() + count);
  return batch;
}

void Tracer::work(const std::stop_token& stop) {
  bool taken = true;
  const auto deliver = [&](const std::vector<Span>& batch) {
    // At the end nobody waits for a collector that has just failed.
    if (taken || !stop.stop_requested()) taken = send(batch, stop);
    if (!taken) counters_.dropped += batch.size();
  };
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop, options_.delay,
                        [this] { return queue_.size() >= options_.batch_spans_max; });
    }
    for (auto batch = take(false); !batch.empty(); batch = take(true)) deliver(batch);
  }
  for (auto batch = take(false); !batch.empty(); batch = take(false)) deliver(batch);
}

bool Tracer::send(const std::vector<Span>& batch, const std::stop_token& stop) {
  const std::string body = otlp_json(options_.resource, batch);
  Millis pause = kFirstPause;
  for (int tries = 1;; ++tries) {
    bool again = false;
    if (try_to_send(body, batch.size(), again)) return true;
    if (!again || tries == kTriesMax || stop.stop_requested()) return false;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, pause, [] { return false; });
    pause *= 2;
  }
}

bool Tracer::try_to_send(const std::string& body, std::size_t spans, bool& again) {
  const auto posted = poster_->post(body, options_.timeout);
  if (!posted) {
    again = true;
    tell_trouble(posted.error().message());
    return false;
  }
  if (posted->status / 100 != 2) {
    again = posted->status == 429 || posted->status == 502 || posted->status == 503 ||
            posted->status == 504;
    tell_trouble(shown_url(options_.url) + " answers " + std::to_string(posted->status));
    return false;
  }
  const std::uint64_t rejected = std::min<std::uint64_t>(rejected_spans(posted->body), spans);
  counters_.exported += spans - rejected;
  counters_.dropped += rejected;
  if (in_trouble_) log::info("traces are exported again", {{"url", shown_url(options_.url)}});
  in_trouble_ = false;
  return true;
}

void Tracer::tell_trouble(const std::string& why) {
  if (in_trouble_) return;
  in_trouble_ = true;
  log::warn("traces are not exported; nothing else depends on them", {{"reason", why}});
}

}  // namespace weir::trace
