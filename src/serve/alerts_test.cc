#include "serve/alerts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/simulated_clock.h"
#include "serve/flow_json.h"

namespace weir::serve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class AlertsTest : public testing::Test {
 protected:
  AlertsTest() {
    clock_.advance(Millis(3'600'000));
    status_.control.version = 3;
    status_.control.epoch = status_.control.ruling_epoch = 3;
    status_.control.last_resume.emplace();
    for (const char* role : {"scorer", "trainer"}) {
      gate::MemberTable::Member member;
      member.latest.member = std::string(role) + "-a";
      member.latest.role = role;
      member.last_heard = clock_.steady();
      status_.members.push_back(member);
    }
    status_.partitions[0].end = 10;
    sources_.status = &status_;
    sources_.status_age = Millis(900);
    sources_.flow.steps.resize(Flow::kSteps);
  }

  std::vector<std::string> names() {
    std::vector<std::string> names;
    alerts_ = alerts_of(sources_, clock_);
    for (const Alert& alert : alerts_) names.push_back(alert.name);
    return names;
  }

  void halt(Millis ago) {
    record::ControlRecord begun;
    begun.type = record::ControlType::kHalt;
    begun.epoch = 4;
    begun.dataset = record::DatasetIdentity{"/dataset/b.csv", 1, 1, ""};
    begun.at = format_time(clock_.wall() - ago);
    status_.control.begun = begun;
  }

  SimulatedClock clock_;
  PipelineStatus status_;
  AlertSources sources_;
  std::vector<Alert> alerts_;
};

TEST_F(AlertsTest, are_none_where_all_is_well) { EXPECT_THAT(names(), IsEmpty()); }

TEST_F(AlertsTest, take_a_halt_for_normal_until_it_lasts) {
  halt(Millis(60'000));
  EXPECT_THAT(names(), IsEmpty());
  halt(Millis(300'000));
  ASSERT_THAT(names(), ElementsAre("halted_long"));
  EXPECT_TRUE(alerts_[0].urgent);
  EXPECT_EQ(alerts_[0].words,
            "the stream has been halted for 5 min: data set /dataset/b.csv is being trained on");
}

TEST_F(AlertsTest, miss_a_scorer_and_a_trainer) {
  status_.members.clear();
  ASSERT_THAT(names(), ElementsAre("no_scorer", "no_trainer"));
  EXPECT_EQ(alerts_[0].words, "no scorer is there; 10 records wait");
}

TEST_F(AlertsTest, tell_of_the_silent_and_do_not_count_them_as_there) {
  status_.members[0].silent = true;
  clock_.advance(Millis(30'000));
  EXPECT_THAT(names(), ElementsAre("no_scorer", "member_silent"));
  EXPECT_THAT(alerts_[1].words, HasSubstr("scorer-a has not been heard of for 30 s"));
}

TEST_F(AlertsTest, tell_of_a_lag_that_grows_and_of_no_other) {
  FlowFigures& flow = sources_.flow;
  flow.arrived_per_s = 100;
  flow.lag = 2'000;
  FlowStep& minute_ago = flow.steps[Flow::kSteps - Flow::kAnswerTimeSteps - 1];
  minute_ago.lag = 1'900;
  EXPECT_THAT(names(), IsEmpty()) << "it stands still";
  minute_ago.lag = 1'000;
  ASSERT_THAT(names(), ElementsAre("lag_grows"));
  EXPECT_THAT(alerts_[0].words, HasSubstr("2000 records wait, 1000 more than a minute ago"));
  flow.lag = 400;
  minute_ago.lag = 100;
  EXPECT_THAT(names(), IsEmpty()) << "four seconds' worth is no backlog";
  flow.lag = 2'000;
  halt(Millis(1'000));
  EXPECT_THAT(names(), IsEmpty()) << "a halt lets records wait";
}

TEST_F(AlertsTest, tell_of_dead_letters_by_their_share) {
  sources_.flow.predicted_per_s = 99.5;
  sources_.flow.dead_per_s = 0.5;
  EXPECT_THAT(names(), IsEmpty());
  sources_.flow.dead_per_s = 11.06;
  ASSERT_THAT(names(), ElementsAre("dead_letters"));
  EXPECT_THAT(alerts_[0].words, HasSubstr("10 % of what is answered"));
}

TEST_F(AlertsTest, tell_of_each_trouble_the_urgent_first) {
  sources_.store_trouble = "the disk is full";
  sources_.push_trouble = "no broker";
  sources_.copy_behind = 1'000'000;
  sources_.model_trouble = "model.json is damaged\n<b>";
  sources_.kafka_trouble = "no broker answers";
  EXPECT_THAT(names(), ElementsAre("kafka_away", "model_trouble", "store_trouble", "push_trouble",
                                   "copy_behind"));
  EXPECT_EQ(alerts_[1].words.find('\n'), std::string::npos);
  sources_.kafka_trouble.clear();
  sources_.status_age = Millis(11'000);
  EXPECT_EQ(names().front(), "kafka_away");
  EXPECT_THAT(alerts_[0].words, HasSubstr("11 s"));
}

TEST_F(AlertsTest, are_told_before_anything_is_known) {
  sources_.status = nullptr;
  sources_.status_age.reset();
  sources_.kafka_trouble = "no broker answers";
  EXPECT_THAT(names(), ElementsAre("kafka_away"));
  const auto json = alerts_json(alerts_);
  EXPECT_EQ(json.dump(),
            R"({"alerts":[{"name":"kafka_away","urgent":true,"words":"Kafka cannot be read: )"
            R"(no broker answers"}]})");
}

}  // namespace
}  // namespace weir::serve
