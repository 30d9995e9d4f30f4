#include "score/replay.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "base/sha256.h"
#include "base/simulated_clock.h"
#include "format/prediction_message.h"
#include "model/linear_model.h"
#include "store/memory_file_store.h"
#include "stream/memory_broker.h"

namespace weir::score {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kPartitions = 2;
constexpr int kRecordsEach = 25;

class ReplayTest : public ::testing::Test {
 protected:
  ReplayTest() {
    options.pipeline = "p";
    options.features_topic = "p.features";
    options.own_topics = {"p.features", "p.predictions", "p.dead", "p.control", "p.members"};
    options.to = "again";
    options.partitions = 3;
    options.version = 4;
    options.batch_records_max = 4;
    options.transaction_records_max = 10;
    publish(4, 1.5);
    EXPECT_TRUE(broker.ensure_topics({{"p.features", kPartitions}}, Millis{0}));
    for (std::int32_t partition = 0; partition < kPartitions; ++partition) {
      for (int i = 0; i < kRecordsEach; ++i) {
        const std::string number = std::to_string(i + 100 * partition);
        broker.produce("p.features", "key" + number, R"({"a": )" + number + R"(, "b": 0.1})",
                       partition);
      }
    }
  }

  void publish(std::uint64_t version, double intercept) {
    const auto model = model::LinearModel::make({{"a", "b"}, "y"}, intercept, {2.0, -3.25});
    ASSERT_TRUE(model);
    registry::Manifest manifest;
    manifest.version = version;
    manifest.algorithm = "linear";
    manifest.schema = {{"a", "b"}, "y"};
    manifest.model_sha256 = sha256_hex(model->to_json());
    const Status published =
        models.publish(manifest, model->to_json(), "weir_row,a,b,y\n", CrashPoints{});
    ASSERT_TRUE(published) << published.error().message();
  }

  std::unique_ptr<Replay> open() {
    auto opened = Replay::open(options, broker, models, clock);
    EXPECT_TRUE(opened) << opened.error().message();
    return opened ? std::move(*opened) : nullptr;
  }
  Error refusal() {
    const auto opened = Replay::open(options, broker, models, clock);
    EXPECT_FALSE(opened);
    return opened ? Error(Code::kInternal, "was opened") : opened.error();
  }
  // Until all is committed, or an error.
  static Status run(Replay& replay) {
    for (int steps = 0; steps < 10'000; ++steps) {
      if (WEIR_TRY(replay.step())) return {};
    }
    return fail(Code::kInternal, "does not end");
  }

  // Every prediction in `again`, in the order of its place; each is there once and is right.
  std::vector<record::Prediction> predictions(double intercept = 1.5) {
    std::vector<record::Prediction> found;
    for (const auto& record : broker.records("again")) {
      auto prediction = format::parse_prediction(record.value);
      EXPECT_TRUE(prediction) << record.value;
      if (!prediction) continue;
      const auto number = static_cast<double>(prediction->offset + 100 * prediction->partition);
      EXPECT_THAT(prediction->values, ElementsAre((intercept + 2.0 * number) + -3.25 * 0.1));
      EXPECT_EQ(record.key, "key" + std::to_string(static_cast<int>(number)));
      found.push_back(std::move(*prediction));
    }
    const auto place = [](const auto& at) { return std::pair(at.partition, at.offset); };
    std::sort(found.begin(), found.end(),
              [&](const auto& a, const auto& b) { return place(a) < place(b); });
    const auto twice =
        std::adjacent_find(found.begin(), found.end(),
                           [&](const auto& a, const auto& b) { return place(a) == place(b); });
    EXPECT_EQ(twice, found.end());
    return found;
  }

  SimulatedClock clock;
  stream::MemoryBroker broker{clock};
  store::MemoryFileStore store;
  registry::ModelRegistry models{store, "/models"};
  ReplayOptions options;
};

TEST_F(ReplayTest, scores_all_that_was_there_with_the_model_that_was_asked_for) {
  const auto replay = open();
  ASSERT_TRUE(replay);
  broker.produce("p.features", "late", R"({"a": 1, "b": 1})", 0);
  const Status ended = run(*replay);
  ASSERT_TRUE(ended) << ended.error().message();
  const auto found = predictions();
  EXPECT_THAT(found, SizeIs(kPartitions * kRecordsEach));
  for (const auto& prediction : found) {
    EXPECT_EQ(prediction.model, 4U);
    EXPECT_EQ(prediction.epoch, 4U) << "the epoch that the model was trained in";
  }
  EXPECT_TRUE(replay->progress().complete());
  EXPECT_EQ(replay->progress().counts.scored, kPartitions * kRecordsEach);
  EXPECT_THAT(broker.records("again.dead"), IsEmpty());
}

TEST_F(ReplayTest, leaves_groups_and_the_other_topics_alone) {
  const auto replay = open();
  ASSERT_TRUE(replay);
  ASSERT_TRUE(run(*replay));
  EXPECT_THAT(broker.members("p.scorer"), IsEmpty());
  EXPECT_THAT(broker.committed("p.scorer", "p.features"), IsEmpty());
  for (const char* topic : {"p.predictions", "p.dead", "p.control", "p.members"}) {
    EXPECT_THAT(broker.records(topic), IsEmpty()) << topic;
  }
  EXPECT_THAT(broker.records("p.features"), SizeIs(kPartitions * kRecordsEach));
}

TEST_F(ReplayTest, begins_where_it_is_told_to) {
  options.start.offsets = {{1, 20}};
  const auto replay = open();
  ASSERT_TRUE(replay);
  ASSERT_TRUE(run(*replay));
  const auto found = predictions();
  ASSERT_THAT(found, SizeIs(kRecordsEach + 5));
  EXPECT_EQ(found[kRecordsEach].offset, 20);
}

TEST_F(ReplayTest, commits_in_bounded_transactions_and_each_is_whole) {
  const auto replay = open();
  ASSERT_TRUE(replay);
  std::size_t most = 0;
  std::size_t before = 0;
  for (bool ended = false; !ended;) {
    auto step = replay->step();
    ASSERT_TRUE(step) << step.error().message();
    ended = *step;
    const std::size_t now = broker.records("again").size();
    EXPECT_EQ(now, replay->progress().counts.scored) << "what is visible is what it tells";
    most = std::max(most, now - before);
    before = now;
  }
  EXPECT_LT(most, 10U + 4U);
  EXPECT_GE(replay->progress().transactions, 4U);
}

TEST_F(ReplayTest, commits_what_took_long_although_it_is_little) {
  const auto replay = open();
  ASSERT_TRUE(replay);
  clock.advance(Millis{1});
  ASSERT_TRUE(replay->step());
  EXPECT_THAT(broker.records("again"), IsEmpty());
  clock.advance(options.transaction_time_max);
  ASSERT_TRUE(replay->step());
  EXPECT_THAT(broker.records("again"), SizeIs(8));
}

TEST_F(ReplayTest, that_is_stopped_keeps_what_it_has_and_goes_on_where_it_says) {
  auto replay = open();
  ASSERT_TRUE(replay);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(replay->step());
  ASSERT_TRUE(replay->finish());
  EXPECT_FALSE(replay->progress().complete());
  EXPECT_EQ(replay->progress().continue_from(), "0:12,1:8");
  EXPECT_THAT(predictions(), SizeIs(20));
  replay.reset();
  options.append = true;
  options.start.offsets = {{0, 12}, {1, 8}};
  replay = open();
  ASSERT_TRUE(replay);
  ASSERT_TRUE(run(*replay));
  EXPECT_THAT(predictions(), SizeIs(kPartitions * kRecordsEach));
}

TEST_F(ReplayTest, that_is_dropped_leaves_only_whole_transactions_and_its_successor_begins_anew) {
  auto first = open();
  ASSERT_TRUE(first);
  ASSERT_TRUE(first->step());
  EXPECT_EQ(broker.open_transactions(), 1);
  // As killed: its successor ends what it left open, and finds the topic empty.
  const auto second = open();
  ASSERT_TRUE(second);
  EXPECT_EQ(broker.open_transactions(), 0);
  ASSERT_TRUE(run(*second));
  EXPECT_THAT(predictions(), SizeIs(kPartitions * kRecordsEach));
  const auto zombie = run(*first);
  ASSERT_FALSE(zombie);
  EXPECT_EQ(zombie.error().code(), Code::kFenced) << zombie.error().message();
  EXPECT_THAT(predictions(), SizeIs(kPartitions * kRecordsEach));
}

TEST_F(ReplayTest, sends_what_cannot_be_scored_to_a_dead_letter_topic_of_its_own) {
  const stream::Headers headers = {{"from", "a test"}};
  broker.produce("p.features", "bad", "no json", 1, headers);
  const auto replay = open();
  ASSERT_TRUE(replay);
  ASSERT_TRUE(run(*replay));
  EXPECT_EQ(replay->progress().counts.dead, 1U);
  const auto dead = broker.records("again.dead");
  ASSERT_THAT(dead, SizeIs(1));
  EXPECT_EQ(dead[0].value, "no json");
  EXPECT_EQ(dead[0].headers.front(), headers.front());
  EXPECT_THAT(dead[0].headers, ::testing::Contains(::testing::Pair("__connect.errors.offset",
                                                                   std::to_string(kRecordsEach))));
}

TEST_F(ReplayTest, makes_its_topics_with_the_partitions_that_are_configured) {
  ASSERT_TRUE(open());
  for (const char* topic : {"again", "again.dead"}) {
    const auto ends = broker.log_ends(topic, Millis{0});
    ASSERT_TRUE(ends) << topic;
    EXPECT_THAT(*ends, SizeIs(3));
  }
}

TEST_F(ReplayTest, refuses_the_topics_of_the_pipeline_itself) {
  for (const char* topic : {"p.features", "p.predictions", "p.dead", "p.control", "p.members"}) {
    options.to = topic;
    const Error error = refusal();
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_THAT(error.message(), HasSubstr(topic));
  }
  options.to = "p";  // whose dead letters would go to p.dead
  EXPECT_EQ(refusal().code(), Code::kInvalidArgument);
}

TEST_F(ReplayTest, refuses_a_target_that_is_not_empty_unless_told_to_append) {
  for (const char* topic : {"again", "other.dead"}) {
    options.to = std::string(topic) == "again" ? "again" : "other";
    const std::int64_t offset = broker.produce(topic, std::nullopt, "there", 0);
    const Error error = refusal();
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_THAT(error.message(), HasSubstr(std::string("topic ") + topic + " is not empty"));
    broker.delete_records_before(topic, 0, offset + 1);
    EXPECT_EQ(refusal().code(), Code::kInvalidArgument) << "what was deleted was there";
    options.append = true;
    ASSERT_TRUE(open());
    options.append = false;
  }
}

TEST_F(ReplayTest, refuses_a_model_or_features_that_are_not_there_and_makes_no_topic) {
  options.version = 5;
  EXPECT_EQ(refusal().code(), Code::kNotFound);
  options.version = 4;
  options.features_topic = "other";
  EXPECT_EQ(refusal().code(), Code::kNotFound);
  options.features_topic = "p.features";
  broker.delete_records_before("p.features", 0, 5);
  options.start.offsets = {{0, 4}};
  EXPECT_EQ(refusal().code(), Code::kCorrupt);
  const auto ends = broker.log_ends("again", Millis{0});
  ASSERT_FALSE(ends);
  EXPECT_EQ(ends.error().code(), Code::kNotFound);
}

TEST_F(ReplayTest, goes_on_after_a_commit_without_an_answer_that_took_place) {
  const auto replay = open();
  ASSERT_TRUE(replay);
  broker.fail_commit(2, stream::CommitFault::kUnknownButHappened);
  const Status ended = run(*replay);
  ASSERT_TRUE(ended) << ended.error().message();
  EXPECT_THAT(predictions(), SizeIs(kPartitions * kRecordsEach));
  EXPECT_TRUE(replay->progress().complete());
}

TEST_F(ReplayTest, finds_such_a_commit_by_its_dead_letters_too) {
  options.features_topic = "bad";
  for (int i = 0; i < 30; ++i) broker.produce("bad", std::nullopt, "no json", 0);
  const auto replay = open();
  ASSERT_TRUE(replay);
  broker.fail_commit(2, stream::CommitFault::kUnknownButHappened);
  const Status ended = run(*replay);
  ASSERT_TRUE(ended) << ended.error().message();
  EXPECT_THAT(broker.records("again.dead"), SizeIs(30));
}

TEST_F(ReplayTest, ends_at_a_commit_that_did_not_take_place_and_says_where) {
  for (const auto fault :
       {stream::CommitFault::kUnknownNotHappened, stream::CommitFault::kAborted}) {
    options.to = fault == stream::CommitFault::kAborted ? "aborted" : "unknown";
    const auto replay = open();
    ASSERT_TRUE(replay);
    broker.fail_commit(2, fault);
    ASSERT_FALSE(run(*replay));
    EXPECT_EQ(replay->progress().transactions, 1U);
    EXPECT_EQ(replay->progress().continue_from(), "0:8,1:4");
    EXPECT_THAT(broker.records(options.to), SizeIs(12));
    ASSERT_TRUE(replay->finish()) << "nothing is open";
  }
}

TEST_F(ReplayTest, tells_of_records_that_are_deleted_while_it_runs_and_keeps_what_it_has) {
  const auto replay = open();
  ASSERT_TRUE(replay);
  ASSERT_TRUE(replay->step());
  broker.delete_records_before("p.features", 1, 5);
  const Status ended = run(*replay);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code(), Code::kCorrupt);
  EXPECT_THAT(ended.error().message(), HasSubstr("partition 1"));
  EXPECT_THAT(predictions(), SizeIs(4));
  EXPECT_EQ(replay->progress().continue_from(), "0:4,1:0");
}

}  // namespace
}  // namespace weir::score
