#include "gate/control_log.h"

#include <gtest/gtest.h>

#include "base/log.h"
#include "base/simulated_clock.h"
#include "record/signing_keys_test.h"
#include "stream/memory_broker.h"

namespace weir::gate {
namespace {

using record::ControlRecord;
using record::ControlType;
using stream::CommitFault;

constexpr Millis kTimeout{1000};
constexpr const char* kTopic = "p.control";
constexpr const char* kWriterId = "p.trainer";

class ControlLog : public ::testing::Test {
 protected:
  ControlLog() {
    log::configure({log::Level::kOff, log::Shape::kText, false});
    EXPECT_TRUE(broker.ensure_topics({{kTopic, 1, true}}, kTimeout));
    follower = follow();
    writer = write();
  }
  ~ControlLog() override { log::configure({}); }

  std::unique_ptr<ControlFollower> follow() {
    auto made = ControlFollower::open(broker, kTopic);
    EXPECT_TRUE(made);
    EXPECT_TRUE((*made)->catch_up(kTimeout));
    return std::move(*made);
  }
  std::unique_ptr<ControlWriter> write() {
    auto made = ControlWriter::open(broker, kTopic, kWriterId, kTimeout);
    EXPECT_TRUE(made);
    return std::move(*made);
  }
  static ControlRecord halt(std::uint64_t epoch) {
    ControlRecord record;
    record.type = ControlType::kHalt;
    record.epoch = epoch;
    record.dataset = record::DatasetIdentity{"/dataset/a.csv", 1, 2, "3"};
    return record;
  }
  static ControlRecord resume(std::uint64_t epoch) {
    ControlRecord record;
    record.type = ControlType::kResume;
    record.epoch = epoch;
    record.version = epoch;
    return record;
  }
  std::size_t records() const { return broker.records(kTopic).size(); }

  SimulatedClock clock;
  stream::MemoryBroker broker{clock};
  std::unique_ptr<ControlFollower> follower;
  std::unique_ptr<ControlWriter> writer;
};

TEST_F(ControlLog, shows_what_was_appended_to_every_follower) {
  ASSERT_TRUE(writer->append(halt(1), *follower));
  EXPECT_TRUE(follower->state().begun);
  ASSERT_TRUE(writer->append(resume(1), *follower));
  EXPECT_TRUE(follower->state().gate_open());
  const auto other = follow();
  EXPECT_EQ(other->state().version, 1u);
  EXPECT_TRUE(other->state().gate_open());
}

TEST_F(ControlLog, tells_whether_something_came) {
  const auto other = follow();
  EXPECT_EQ(other->poll(Millis{0}).value(), false);
  ASSERT_TRUE(writer->append(halt(1), *follower));
  EXPECT_EQ(other->poll(Millis{0}).value(), true);
  EXPECT_EQ(other->state().epoch, 1u);
}

TEST_F(ControlLog, has_a_record_once_whatever_the_outcome_of_a_commit) {
  for (const auto fault : {CommitFault::kAborted, CommitFault::kUnknownButHappened,
                           CommitFault::kUnknownNotHappened}) {
    const std::size_t before = records();
    const std::uint64_t epoch = follower->state().epoch + 1;
    broker.fail_commit(1, fault);
    ASSERT_TRUE(writer->append(halt(epoch), *follower));
    EXPECT_EQ(records(), before + 1);
    broker.fail_commit(1, fault);
    ASSERT_TRUE(writer->append(resume(epoch), *follower));
    EXPECT_EQ(records(), before + 2);
    EXPECT_EQ(follow()->state().version, epoch);
  }
}

TEST_F(ControlLog, gives_up_after_some_tries) {
  for (int nth = 1; nth <= 20; ++nth) broker.fail_commit(nth, CommitFault::kAborted);
  const Status status = writer->append(halt(1), *follower);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kUnavailable);
  EXPECT_EQ(records(), 0u);
  EXPECT_NE(status.error().message().find(kTopic), std::string::npos);
}

TEST_F(ControlLog, keeps_a_deposed_writer_out) {
  const auto successor = write();
  const Status status = writer->append(halt(1), *follower);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kFenced);
  EXPECT_EQ(records(), 0u);
  EXPECT_TRUE(successor->append(halt(1), *follower));
}

// A leader that does not know yet that it was deposed may open its sink again after an unknown
// outcome. It shuts out its successor for that moment, but writes nothing that does not follow.
TEST_F(ControlLog, stops_a_writer_whose_record_can_no_longer_follow) {
  ASSERT_TRUE(writer->append(halt(1), *follower));
  const auto successor = write();
  const auto successors_view = follow();
  ASSERT_TRUE(successor->append(resume(1), *successors_view));
  ASSERT_TRUE(successor->append(halt(2), *successors_view));
  writer = write();
  const Status late = writer->append(halt(2), *follower);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Code::kFenced) << "the role is made anew, the program goes on";
  EXPECT_EQ(records(), 3u);
  ASSERT_TRUE(follower->catch_up(kTimeout));
  EXPECT_TRUE(writer->append(resume(2), *follower));
}

TEST_F(ControlLog, written_by_somebody_else_makes_the_writer_start_anew) {
  broker.produce(kTopic, std::nullopt, halt(7).to_json());  // unknown to follower
  const Status status = writer->append(halt(1), *follower);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kFenced);
  EXPECT_EQ(follow()->state().begun->epoch, 7u) << "the next leader finishes it";
}

TEST_F(ControlLog, passes_over_garbage_and_records_that_cannot_follow) {
  ASSERT_TRUE(writer->append(halt(1), *follower));
  ASSERT_TRUE(writer->append(resume(1), *follower));
  for (const std::string& value :
       {std::string(), std::string("\xff\x00garbage", 9), std::string("{}"), resume(1).to_json(),
        resume(9).to_json(), halt(1).to_json(), halt(0).to_json(),
        std::string(R"({"type":"halt","epoch":5})")}) {
    broker.produce(kTopic, "forged", value);
  }
  const auto other = follow();
  EXPECT_TRUE(other->state().gate_open());
  EXPECT_EQ(other->state().epoch, 1u);
  EXPECT_TRUE(follower->catch_up(kTimeout));
  EXPECT_TRUE(writer->append(halt(2), *follower));
}

TEST_F(ControlLog, of_a_newer_program_stops_the_role) {
  broker.produce(kTopic, std::nullopt, R"({"type":"split","epoch":1})");
  const Status status = follower->catch_up(kTimeout);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kUnsupported);
  EXPECT_NE(status.error().message().find("offset 0"), std::string::npos)
      << status.error().message();
}

TEST_F(ControlLog, that_cannot_be_read_or_written_is_an_error) {
  broker.set_denied(kTopic, true);
  EXPECT_EQ(follower->catch_up(kTimeout).error().code(), Code::kPermissionDenied);
  EXPECT_EQ(writer->append(halt(1), *follower).error().code(), Code::kPermissionDenied);
  broker.set_denied(kTopic, false);
  broker.set_away_until(clock.steady() + Millis{5000});
  EXPECT_TRUE(follower->poll(Millis{0}).error().retryable());
  EXPECT_TRUE(writer->append(halt(1), *follower).error().retryable());
}

// ---- signed ----

class SignedControlLog : public ControlLog {
 protected:
  SignedControlLog()
      : signer(record::trainers_topic(kTopic)), reader(record::readers_topic(kTopic)) {
    auto made_follower = ControlFollower::open(broker, reader);
    auto made_writer = ControlWriter::open(broker, signer, kWriterId, kTimeout);
    EXPECT_TRUE(made_follower && made_writer);
    follower = std::move(*made_follower);
    writer = std::move(*made_writer);
  }
  void forge(const std::string& value) { broker.produce(kTopic, std::nullopt, value); }

  const record::ControlTopic signer;
  const record::ControlTopic reader;
};

TEST_F(SignedControlLog, is_followed_as_any_other) {
  ASSERT_TRUE(writer->append(halt(1), *follower));
  ASSERT_TRUE(writer->append(resume(1), *follower));
  EXPECT_TRUE(follower->state().gate_open());
}

TEST_F(SignedControlLog, is_not_moved_by_what_no_trusted_key_has_signed) {
  ASSERT_TRUE(writer->append(halt(1), *follower));
  const std::string genuine = broker.records(kTopic).back().value;
  for (const std::string& forged :
       {resume(1).to_json(), record::strangers_topic(kTopic).to_value(resume(1)),
        record::trainers_topic("q.control").to_value(resume(1)),
        std::string(R"({"type":"later","epoch":1})")}) {
    forge(forged);
    ASSERT_TRUE(follower->catch_up(kTimeout)) << forged;
    EXPECT_FALSE(follower->state().gate_open()) << forged;
  }
  // What comes after a forgery counts as if it had never been; what is said twice counts once.
  ASSERT_TRUE(writer->append(resume(1), *follower));
  EXPECT_TRUE(follower->state().gate_open());
  forge(genuine);
  ASSERT_TRUE(follower->catch_up(kTimeout));
  EXPECT_TRUE(follower->state().gate_open());
  EXPECT_EQ(records(), 7u);
}

TEST_F(SignedControlLog, that_was_begun_without_keys_goes_on_from_there) {
  broker.produce(kTopic, std::nullopt, halt(1).to_json());
  broker.produce(kTopic, std::nullopt, resume(1).to_json());
  auto knowing = ControlFollower::open(broker, record::readers_topic(kTopic, 1));
  auto knowing_writer =
      ControlWriter::open(broker, record::trainers_topic(kTopic, 1), kWriterId, kTimeout);
  ASSERT_TRUE(knowing && knowing_writer);
  ASSERT_TRUE((*knowing)->catch_up(kTimeout));
  EXPECT_EQ((*knowing)->state().version, 1u);
  ASSERT_TRUE((*knowing_writer)->append(halt(2), **knowing));
  broker.produce(kTopic, std::nullopt, resume(2).to_json());
  ASSERT_TRUE((*knowing)->catch_up(kTimeout));
  EXPECT_FALSE((*knowing)->state().gate_open());
}

// One that has no keys believes everybody: that is what the keys are for.
TEST_F(SignedControlLog, is_moved_for_those_without_keys) {
  ASSERT_TRUE(writer->append(halt(1), *follower));
  forge(resume(1).to_json());
  EXPECT_TRUE(follow()->state().gate_open());
}

}  // namespace
}  // namespace weir::gate
