#include "trace/tracer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "base/simulated_clock.h"
#include "trace/otlp_json.h"

namespace weir::trace {
namespace {

using Json = nlohmann::json;

// A collector that answers as it is told, or not before it is told to.
class Collector {
 public:
  class Line final : public Poster {
   public:
    explicit Line(Collector& collector) : collector_(collector) {}
    Result<Posted> post(const std::string& body, Millis) override { return collector_.take(body); }
    void end_within(Millis) override { collector_.let_go(); }

   private:
    Collector& collector_;
  };
  std::unique_ptr<Poster> line() { return std::make_unique<Line>(*this); }

  void answer(std::vector<Result<Posted>> answers) {
    const std::lock_guard lock(mutex_);
    answers_ = std::move(answers);
  }
  void hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }
  void let_go() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }
  void wait_for_posts(std::size_t count) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(
        changed_.wait_for(lock, std::chrono::seconds(30), [&] { return bodies_.size() >= count; }));
  }
  std::vector<Json> spans() {
    const std::lock_guard lock(mutex_);
    std::vector<Json> found;
    for (const auto& body : bodies_) {
      const Json told = Json::parse(body);
      for (const auto& span : told["resourceSpans"][0]["scopeSpans"][0]["spans"]) {
        found.push_back(span);
      }
    }
    return found;
  }
  std::size_t posts() {
    const std::lock_guard lock(mutex_);
    return bodies_.size();
  }

 private:
  Result<Posted> take(const std::string& body) {
    std::unique_lock lock(mutex_);
    const std::size_t number = bodies_.size();
    bodies_.push_back(body);
    changed_.notify_all();
    changed_.wait(lock, [&] { return !held_; });
    if (number < answers_.size()) return answers_[number];
    return Posted{200, "{}"};
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> bodies_;
  std::vector<Result<Posted>> answers_;
  bool held_ = false;
};

OtelOptions options_of(std::size_t queue, std::size_t batch) {
  OtelOptions options;
  options.url = "http://collector/v1/traces";
  options.resource = {{"service.name", "weir"}};
  options.queue_spans_max = queue;
  options.batch_spans_max = batch;
  return options;
}

Span span_named(const Tracer& tracer, const std::string& name) {
  Span span;
  span.context = *tracer.begin(std::nullopt);
  span.name = name;
  return span;
}

TEST(OtlpJson, has_the_shape_that_a_collector_reads) {
  Span span;
  span.context = {std::string(32, 'a'), std::string(16, 'b'), true, "v=1"};
  span.parent_id = std::string(16, 'c');
  span.name = "POST /v1/messages";
  span.kind = SpanKind::kServer;
  span.begin_ns = 1'700'000'000'123'456'789;
  span.end_ns = 5;  // a clock that was set back
  span.attributes = {
      {"text", std::string("x\xff")}, {"whole", std::int64_t{7}}, {"number", 0.5}, {"flag", true}};
  span.error = "too late";
  const auto json = Json::parse(otlp_json({{"service.name", "weir"}}, {span}));
  const auto& resource = json["resourceSpans"][0];
  EXPECT_EQ(resource["resource"]["attributes"],
            Json::parse(R"([{"key":"service.name","value":{"stringValue":"weir"}}])"));
  const auto& told = resource["scopeSpans"][0]["spans"][0];
  EXPECT_EQ(told["traceId"], std::string(32, 'a'));
  EXPECT_EQ(told["spanId"], std::string(16, 'b'));
  EXPECT_EQ(told["parentSpanId"], std::string(16, 'c'));
  EXPECT_EQ(told["kind"], 2);
  EXPECT_EQ(told["startTimeUnixNano"], "1700000000123456789");
  EXPECT_EQ(told["endTimeUnixNano"], "1700000000123456789") << "not before its begin";
  EXPECT_EQ(told["attributes"][1]["value"]["intValue"], "7");
  EXPECT_EQ(told["attributes"][3]["value"]["boolValue"], true);
  EXPECT_EQ(told["status"], Json::parse(R"({"message":"too late","code":2})"));
}

TEST(OtlpJson, reads_how_many_spans_were_not_taken) {
  EXPECT_EQ(rejected_spans(R"({"partialSuccess":{"rejectedSpans":"3"}})"), 3u);
  EXPECT_EQ(rejected_spans(R"({"partialSuccess":{"rejectedSpans":4}})"), 4u);
  for (const char* other : {"", "{}", "nonsense", R"({"partialSuccess":{}})",
                            R"({"partialSuccess":{"rejectedSpans":"-1"}})"}) {
    EXPECT_EQ(rejected_spans(other), 0u) << other;
  }
}

TEST(TracerThreads, sends_a_batch_once_there_are_enough_and_the_rest_at_its_end) {
  Collector collector;
  SimulatedClock clock;
  {
    Tracer tracer(options_of(100, 10), clock, collector.line());
    for (int i = 0; i < 25; ++i) tracer.end(span_named(tracer, std::to_string(i)));
    collector.wait_for_posts(1);
  }
  const auto spans = collector.spans();
  ASSERT_EQ(spans.size(), 25u);
  for (std::size_t i = 0; i < spans.size(); ++i) EXPECT_EQ(spans[i]["name"], std::to_string(i));
}

TEST(TracerThreads, drops_what_finds_no_room_and_holds_nobody_up) {
  Collector collector;
  collector.hold();
  SimulatedClock clock;
  Tracer tracer(options_of(20, 10), clock, collector.line());
  for (int i = 0; i < 10; ++i) tracer.end(span_named(tracer, "first"));
  collector.wait_for_posts(1);  // and it does not answer
  for (int i = 0; i < 100; ++i) tracer.end(span_named(tracer, "later"));
  EXPECT_EQ(tracer.counters().dropped, 80u);
  collector.let_go();
}

TEST(TracerThreads, tries_again_where_the_collector_is_away_and_gives_up_where_it_refuses) {
  Collector collector;
  collector.answer({fail(Code::kUnavailable, "away"), Posted{503, ""}, Posted{200, "{}"},
                    Posted{400, ""}, Posted{200, R"({"partialSuccess":{"rejectedSpans":"4"}})"}});
  SimulatedClock clock;
  auto tracer = std::make_unique<Tracer>(options_of(100, 10), clock, collector.line());
  for (int i = 0; i < 10; ++i) tracer->end(span_named(*tracer, "a"));
  collector.wait_for_posts(3);
  for (int i = 0; i < 20; ++i) tracer->end(span_named(*tracer, "b"));
  collector.wait_for_posts(5);
  const TracerCounters& counters = tracer->counters();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (counters.exported + counters.dropped < 30 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_EQ(counters.exported, 16u);
  EXPECT_EQ(counters.dropped, 14u);
  EXPECT_EQ(collector.posts(), 5u);
}

TEST(TracerThreads, ends_soon_where_the_collector_does_not_answer) {
  Collector collector;
  collector.hold();
  SimulatedClock clock;
  auto tracer = std::make_unique<Tracer>(options_of(100, 10), clock, collector.line());
  for (int i = 0; i < 50; ++i) tracer->end(span_named(*tracer, "a"));
  collector.wait_for_posts(1);
  collector.answer(std::vector<Result<Posted>>(50, fail(Code::kTimeout, "no answer")));
  tracer.reset();
  EXPECT_LE(collector.posts(), 2u) << "it went on with a collector that had just failed";
}

TEST(Tracer, is_none_where_nothing_is_exported) {
  EXPECT_EQ(Tracer::make({}, system_clock()), nullptr);
}

TEST(Tracer, gives_children_their_parents_trace_and_decision) {
  Collector collector;
  SimulatedClock clock;
  const Tracer tracer(options_of(10, 10), clock, collector.line());
  const auto root = tracer.begin(std::nullopt);
  ASSERT_TRUE(root);
  const auto child = tracer.begin(root);
  ASSERT_TRUE(child);
  EXPECT_EQ(child->trace_id, root->trace_id);
  EXPECT_NE(child->span_id, root->span_id);
  TraceContext unsampled = *root;
  unsampled.sampled = false;
  EXPECT_FALSE(tracer.begin(unsampled));
}

TEST(Tracer, tells_the_time_of_the_wall) {
  Collector collector;
  SimulatedClock clock;
  const Tracer tracer(options_of(10, 10), clock, collector.line());
  const auto wall = [&] { return clock.wall().time_since_epoch().count() * 1'000'000; };
  EXPECT_EQ(tracer.now_ns(), wall());
  clock.advance(Millis{1'234});
  EXPECT_EQ(tracer.now_ns(), wall());
}

}  // namespace
}  // namespace weir::trace
