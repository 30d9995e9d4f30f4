#include "train/epoch_trace.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/simulated_clock.h"

namespace weir::train {
namespace {

using Json = nlohmann::json;

// Takes all that is posted.
class Collector final : public trace::Poster {
 public:
  explicit Collector(std::vector<Json>& spans) : spans_(spans) {}
  Result<trace::Posted> post(const std::string& body, Millis) override {
    const Json told = Json::parse(body);
    for (const Json& span : told["resourceSpans"][0]["scopeSpans"][0]["spans"]) {
      spans_.push_back(span);
    }
    return trace::Posted{200, "{}"};
  }
  void end_within(Millis) override {}

 private:
  std::vector<Json>& spans_;
};

class EpochTraceTest : public ::testing::Test {
 protected:
  EpochTraceTest() {
    begun.type = record::ControlType::kHalt;
    begun.epoch = 7;
    begun.at = format_time(clock.wall());
    begun.dataset.emplace().path = "/dataset/a.csv";
    resume.type = record::ControlType::kResume;
    resume.epoch = 7;
    resume.version = 7;
    make_tracer({});
  }
  void make_tracer(trace::Sampler sampler) {
    trace::OtelOptions options;
    options.url = "http://collector";
    options.sampler = sampler;
    tracer = std::make_unique<trace::Tracer>(options, clock, std::make_unique<Collector>(spans));
  }
  // In the order in which they ended.
  std::vector<Json> ended() {
    tracer.reset();
    return spans;
  }
  static std::string attribute(const Json& span, const std::string& key) {
    for (const Json& one : span["attributes"]) {
      if (one["key"] == key) return one["value"].dump();
    }
    return "";
  }

  SimulatedClock clock;
  std::vector<Json> spans;
  std::unique_ptr<trace::Tracer> tracer;
  record::ControlRecord begun;
  record::ControlRecord resume;
};

TEST_F(EpochTraceTest, has_a_span_for_each_phase_below_that_of_the_epoch) {
  EpochTrace epoch(tracer.get(), "p");
  for (const char* name : {"halt", "train", "train", "publish", "resume"}) {
    epoch.phase(begun, name);
    clock.advance(Millis{1'000});
  }
  epoch.resumed(begun, resume);
  const auto told = ended();
  ASSERT_EQ(told.size(), 5u);
  const Json& root = told[4];
  EXPECT_EQ(root["name"], "epoch");
  EXPECT_FALSE(root.contains("parentSpanId"));
  EXPECT_EQ(attribute(root, "weir.epoch"), R"({"intValue":"7"})");
  EXPECT_EQ(attribute(root, "weir.outcome"), R"({"stringValue":"trained"})");
  EXPECT_EQ(std::stoll(root["endTimeUnixNano"].get<std::string>()) -
                std::stoll(root["startTimeUnixNano"].get<std::string>()),
            5'000'000'000);
  std::string names;
  for (std::size_t i = 0; i < 4; ++i) {
    names += told[i]["name"].get<std::string>() + " ";
    EXPECT_EQ(told[i]["parentSpanId"], root["spanId"]);
    EXPECT_EQ(told[i]["traceId"], root["traceId"]);
  }
  EXPECT_EQ(names, "halt train publish resume ");
  EXPECT_EQ(told[1]["endTimeUnixNano"], told[2]["startTimeUnixNano"]);
}

TEST_F(EpochTraceTest, tells_of_tries_that_failed_and_of_an_epoch_without_a_model) {
  EpochTrace epoch(tracer.get(), "p");
  epoch.phase(begun, "train");
  epoch.failed("the store is away");
  epoch.phase(begun, "train");
  epoch.failed("line 3 is bad");
  epoch.phase(begun, "resume");
  resume.outcome = record::Outcome::kRefused;
  resume.reason = "line 3 is bad";
  epoch.resumed(begun, resume);
  const auto told = ended();
  ASSERT_EQ(told.size(), 4u);
  EXPECT_EQ(told[0]["status"]["message"], "the store is away");
  EXPECT_EQ(told[1]["status"]["message"], "line 3 is bad");
  EXPECT_TRUE(told[2]["status"].empty());
  EXPECT_EQ(told[3]["status"]["code"], 2);
}

TEST_F(EpochTraceTest, of_a_leader_that_takes_over_is_the_same_trace) {
  EpochTrace before(tracer.get(), "p");
  before.phase(begun, "halt");
  before.phase(begun, "train");
  EpochTrace after(tracer.get(), "p");
  after.phase(begun, "train");
  after.resumed(begun, resume);
  const auto told = ended();
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[0]["traceId"], told[2]["traceId"]);
  EXPECT_EQ(told[0]["parentSpanId"], told[2]["spanId"]);
  EXPECT_EQ(told[1]["parentSpanId"], told[2]["spanId"]);
}

TEST_F(EpochTraceTest, has_no_phase_that_outlives_the_leadership_it_began_under) {
  EpochTrace epoch(tracer.get(), "p");
  epoch.phase(begun, "train");
  epoch.deposed();
  epoch.deposed();
  // Elected again, for an epoch that another has begun meanwhile.
  auto next = begun;
  next.epoch = begun.epoch + 1;
  epoch.phase(next, "train");
  epoch.resumed(next, resume);
  const auto told = ended();
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[0]["status"]["message"], "another trainer leads now");
  EXPECT_NE(told[0]["traceId"], told[2]["traceId"]);
  EXPECT_EQ(told[1]["traceId"], told[2]["traceId"]);
  EXPECT_TRUE(told[1]["status"].empty());
}

TEST_F(EpochTraceTest, is_none_where_it_is_not_sampled_or_nothing_is_exported) {
  EpochTrace nowhere(nullptr, "p");
  nowhere.phase(begun, "halt");
  nowhere.failed("x");
  nowhere.resumed(begun, resume);
  make_tracer({true, trace::Root::kNever, 1});
  EpochTrace epoch(tracer.get(), "p");
  epoch.phase(begun, "halt");
  epoch.resumed(begun, resume);
  EXPECT_TRUE(ended().empty());
}

}  // namespace
}  // namespace weir::train
