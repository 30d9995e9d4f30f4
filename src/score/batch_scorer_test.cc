#include "score/batch_scorer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/linear_model.h"

namespace weir::score {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

struct Sent {
  std::string topic;
  std::optional<std::string> key;
  std::string value;
  stream::Headers headers;
};

std::string header(const Sent& sent, std::string_view name) {
  for (const auto& [key, value] : sent.headers) {
    if (key == name) return value;
  }
  return "";
}

// A broker that takes records of so many bytes.
class SmallSink final : public stream::TransactionalSink {
 public:
  explicit SmallSink(std::size_t record_bytes_max) : record_bytes_max_(record_bytes_max) {}

  Status begin() override { return {}; }
  Status send(const stream::OutRecord& record) override {
    Sent one{std::string(record.topic), std::nullopt, std::string(record.value), {}};
    if (record.key) one.key = std::string(*record.key);
    if (record.headers) one.headers = *record.headers;
    std::size_t bytes = one.value.size() + one.key.value_or("").size();
    for (const auto& [name, value] : one.headers) bytes += name.size() + value.size();
    if (bytes > record_bytes_max_) return fail(Code::kInvalidArgument, "too large");
    sent.push_back(std::move(one));
    return {};
  }
  Status commit(std::string_view, std::span<const stream::PartitionOffset>,
                const stream::GroupMetadata*) override {
    return {};
  }
  Status abort() override { return {}; }

  std::vector<Sent> sent;

 private:
  const std::size_t record_bytes_max_;
};

class OneRecord final : public stream::RecordBatch {
 public:
  OneRecord(std::string key, std::string value, stream::Headers headers = {})
      : key_(std::move(key)), value_(std::move(value)), headers_(std::move(headers)) {
    record_.partition = 2;
    record_.offset = 40;
    record_.key = key_;
    record_.value = value_;
  }
  std::span<const stream::Record> records() const override { return {&record_, 1}; }
  stream::Headers headers(std::size_t) const override { return headers_; }
  std::optional<std::string_view> header(std::size_t, const std::string& name) const override {
    std::optional<std::string_view> last;
    for (const auto& [one, value] : headers_) {
      if (one == name) last = value;
    }
    return last;
  }
  std::shared_ptr<const stream::GroupMetadata> group() const override { return nullptr; }

 private:
  const std::string key_;
  const std::string value_;
  const stream::Headers headers_;
  stream::Record record_;
};

class BatchScorerTest : public ::testing::Test {
 protected:
  BatchScorer scorer_{{"p", "p.features", "p.predictions", "p.dead", "scorer-0"},
                      std::make_shared<model::LinearModel>(model_of_a_third()),
                      7,
                      9};

 private:
  static model::LinearModel model_of_a_third() {
    record::Schema schema;
    schema.features = {"x"};
    schema.target = "y";
    return *model::LinearModel::make(schema, 0, {1.0 / 3});
  }
};

TEST_F(BatchScorerTest, makes_a_record_a_prediction_with_its_key) {
  SmallSink sink(1000);
  const auto counts = scorer_.score(OneRecord("k", R"({"x": 1})"), sink);
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->scored, 1U);
  ASSERT_EQ(sink.sent.size(), 1U);
  EXPECT_EQ(sink.sent[0].topic, "p.predictions");
  EXPECT_EQ(sink.sent[0].key, "k");
}

constexpr const char* kTraceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST_F(BatchScorerTest, hands_the_trace_of_a_record_on_to_its_prediction) {
  RecordTraces traces(nullptr, "p.features", "scorer-0");
  SmallSink sink(1000);
  const auto score = [&](stream::Headers headers) {
    ASSERT_TRUE(scorer_.score(OneRecord("k", R"({"x": 1})", std::move(headers)), sink, &traces));
  };
  score({{"own", "header"}, {"traceparent", kTraceparent}, {"tracestate", "v=1"}});
  score({{"traceparent", "nonsense"}});
  score({{"traceparent", kTraceparent}, {"tracestate", std::string(600, 'x')}});
  score({});
  ASSERT_EQ(sink.sent.size(), 4U);
  EXPECT_EQ(sink.sent[0].headers,
            (stream::Headers{{"traceparent", kTraceparent}, {"tracestate", "v=1"}}));
  EXPECT_THAT(sink.sent[1].headers, IsEmpty());
  EXPECT_EQ(sink.sent[2].headers, (stream::Headers{{"traceparent", kTraceparent}}));
  EXPECT_THAT(sink.sent[3].headers, IsEmpty());
}

// Takes all that is posted.
class Collector final : public trace::Poster {
 public:
  explicit Collector(std::string& posted) : posted_(posted) {}
  Result<trace::Posted> post(const std::string& body, Millis) override {
    posted_ += body;
    return trace::Posted{200, "{}"};
  }
  void end_within(Millis) override {}

 private:
  std::string& posted_;
};

TEST_F(BatchScorerTest, makes_a_span_of_each_sampled_record_once_its_answer_is_committed) {
  std::string posted;
  SmallSink sink(1000);
  trace::OtelOptions options;
  options.url = "http://collector";
  auto tracer =
      std::make_unique<trace::Tracer>(options, system_clock(), std::make_unique<Collector>(posted));
  RecordTraces traces(tracer.get(), "p.features", "scorer-0");
  const auto score = [&](const std::string& value, const std::string& traceparent) {
    ASSERT_TRUE(
        scorer_.score(OneRecord("k", value, {{"traceparent", traceparent}}), sink, &traces));
  };
  score(R"({"x": 1})", kTraceparent);
  traces.forget();  // the transaction came to nothing
  score(R"({"x": 1})", kTraceparent);
  score(R"({"x": 1})", std::string(kTraceparent, 53) + "00");
  score("garbage", kTraceparent);
  traces.committed();
  tracer.reset();
  ASSERT_EQ(sink.sent.size(), 4U);
  const std::string carried = header(sink.sent[1], "traceparent");
  EXPECT_EQ(carried.substr(0, 36), std::string(kTraceparent, 36));
  EXPECT_NE(carried, kTraceparent);
  EXPECT_EQ(header(sink.sent[2], "traceparent"), std::string(kTraceparent, 53) + "00");
  EXPECT_EQ(header(sink.sent[3], "traceparent"), kTraceparent) << "a dead letter keeps its headers";
  EXPECT_THAT(posted, HasSubstr(R"("spanId":")" + carried.substr(36, 16) + "\""));
  EXPECT_THAT(posted, HasSubstr(R"("parentSpanId":"b7ad6b7169203331")"));
  std::size_t spans = 0;
  for (std::size_t at = 0; (at = posted.find("\"spanId\"", at)) != posted.npos; ++at) ++spans;
  EXPECT_EQ(spans, 2U) << posted;
  EXPECT_THAT(posted, HasSubstr("dead letter"));
}

// Rows of a few bytes become numbers of twenty: a prediction can be larger than its record.
TEST_F(BatchScorerTest, gives_a_prediction_that_no_broker_takes_to_the_dead_letters) {
  std::string message = R"({"sample": {"x": {)";
  for (int row = 0; row < 100; ++row) {
    message += (row > 0 ? "," : "") + ("\"" + std::to_string(row) + "\":1");
  }
  message += "}}}";
  SmallSink sink(1500);
  const auto counts = scorer_.score(OneRecord("k", message), sink);
  ASSERT_TRUE(counts) << counts.error().message();
  EXPECT_EQ(counts->scored, 0U);
  EXPECT_EQ(counts->dead, 1U);
  ASSERT_EQ(sink.sent.size(), 1U);
  EXPECT_EQ(sink.sent[0].topic, "p.dead");
  EXPECT_EQ(sink.sent[0].key, "k");
  EXPECT_EQ(header(sink.sent[0], "__connect.errors.exception.class.name"),
            "weir.refusal.prediction_too_large");
}

TEST_F(BatchScorerTest, leaves_the_value_out_of_a_dead_letter_that_is_too_large) {
  SmallSink sink(1000);
  ASSERT_TRUE(scorer_.score(OneRecord("k", std::string(900, '-'), {{"own", "header"}}), sink));
  ASSERT_EQ(sink.sent.size(), 1U);
  EXPECT_EQ(sink.sent[0].key, "k");
  EXPECT_THAT(sink.sent[0].value, IsEmpty());
  EXPECT_EQ(header(sink.sent[0], "own"), "header");
  EXPECT_THAT(header(sink.sent[0], "weir.value.left.out"), Not(IsEmpty()));
}

// Else the records behind it would never be scored.
TEST_F(BatchScorerTest, tells_at_least_the_place_of_a_record_whose_key_and_headers_are_too_large) {
  for (const bool is_good : {true, false}) {
    SmallSink sink(1000);
    const std::string value = is_good ? R"({"x": 1})" : "garbage";
    const auto counts = scorer_.score(
        OneRecord(std::string(500, 'k'), value, {{"own", std::string(490, 'h')}}), sink);
    ASSERT_TRUE(counts) << counts.error().message();
    ASSERT_EQ(sink.sent.size(), 1U);
    if (is_good) {
      EXPECT_EQ(sink.sent[0].topic, "p.predictions");
      continue;
    }
    EXPECT_EQ(sink.sent[0].topic, "p.dead");
    EXPECT_EQ(sink.sent[0].key, std::nullopt);
    EXPECT_THAT(header(sink.sent[0], "weir.record.left.out"), Not(IsEmpty()));
    EXPECT_EQ(header(sink.sent[0], "__connect.errors.partition"), "2");
    EXPECT_EQ(header(sink.sent[0], "__connect.errors.offset"), "40");
  }
}

}  // namespace
}  // namespace weir::score
