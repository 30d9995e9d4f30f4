#include "gate/waiting_notice.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/simulated_clock.h"

namespace weir::gate {
namespace {

class WaitingNoticeTest : public ::testing::Test {
 protected:
  WaitingNoticeTest() { log::configure({log::Level::kInfo, log::Shape::kText, false}); }
  ~WaitingNoticeTest() override { log::configure({}); }

  // What is said while a role waits so long and looks every 100 ms.
  std::string said_while(Millis duration, const std::string& kind, const std::string& words,
                         log::Level level = log::Level::kWarn) {
    ::testing::internal::CaptureStderr();
    for (Millis passed{0}; passed < duration; passed += Millis{100}) {
      notice.waits(kind, words, level);
      clock.advance(Millis{100});
    }
    return ::testing::internal::GetCapturedStderr();
  }
  static std::int64_t lines(const std::string& text) {
    return std::count(text.begin(), text.end(), '\n');
  }

  SimulatedClock clock;
  WaitingNotice notice{clock, "scorer-a"};
};

TEST_F(WaitingNoticeTest, says_nothing_of_what_is_soon_over) {
  EXPECT_EQ(said_while(Millis{9'900}, "gate", "the gate is closed"), "");
  notice.moves();
  EXPECT_EQ(said_while(Millis{9'900}, "gate", "the gate is closed"), "");
}

TEST_F(WaitingNoticeTest, says_why_and_since_when_once_it_has_lasted) {
  const std::string said = said_while(Millis{11'000}, "gate", "the gate is closed");
  EXPECT_EQ(lines(said), 1);
  EXPECT_NE(said.find("makes no progress: the gate is closed"), std::string::npos) << said;
  EXPECT_NE(said.find("member=scorer-a"), std::string::npos) << said;
  EXPECT_NE(said.find("since=2026-01-01T00:00:00"), std::string::npos) << said;
}

TEST_F(WaitingNoticeTest, says_it_again_after_intervals_that_grow_to_a_bound) {
  // 10, 20, 40, … 640 s, then every ten minutes.
  EXPECT_EQ(lines(said_while(Millis{60'000}, "gate", "closed")), 3);
  EXPECT_EQ(lines(said_while(Millis{600'000}, "gate", "closed")), 4);
  EXPECT_EQ(lines(said_while(Millis{6'000'000}, "gate", "closed")), 10);
}

TEST_F(WaitingNoticeTest, begins_anew_with_another_reason_and_tells_its_latest_words) {
  said_while(Millis{9'000}, "gate", "closed");
  EXPECT_EQ(notice.lasts(), Millis{9'000});
  EXPECT_EQ(said_while(Millis{9'000}, "model", "it cannot be loaded"), "");
  EXPECT_EQ(notice.lasts(), Millis{9'000});
  const std::string said = said_while(Millis{3'000}, "model", "it still cannot be loaded");
  EXPECT_EQ(lines(said), 1);
  EXPECT_NE(said.find("it still cannot"), std::string::npos) << said;
  EXPECT_EQ(notice.words(), "it still cannot be loaded");
}

TEST_F(WaitingNoticeTest, says_that_it_is_over_where_it_was_told) {
  said_while(Millis{30'000}, "gate", "closed");
  said_while(Millis{3'000}, "records", "no records", log::Level::kDebug);
  ::testing::internal::CaptureStderr();
  notice.moves();
  notice.moves();
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(lines(said), 1);
  EXPECT_NE(said.find("makes progress again"), std::string::npos) << said;
  EXPECT_EQ(notice.words(), "");
  EXPECT_EQ(notice.lasts(), Millis{0});
}

TEST_F(WaitingNoticeTest, keeps_quiet_where_that_is_no_trouble) {
  EXPECT_EQ(said_while(Millis{60'000}, "records", "no records", log::Level::kDebug), "");
  EXPECT_EQ(notice.words(), "no records");
  ::testing::internal::CaptureStderr();
  notice.moves();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST_F(WaitingNoticeTest, tells_what_the_control_log_makes_everyone_wait_for) {
  record::ControlState state;
  EXPECT_TRUE(notice.waits_at_gate(state));
  EXPECT_EQ(notice.words(), "waiting for the first model");
  record::ControlRecord halt;
  halt.epoch = 1;
  halt.dataset = record::DatasetIdentity{"/dataset/a.csv", 1, 2, "3"};
  halt.at = "2026-01-01T00:00:00.000Z";
  ASSERT_TRUE(state.apply(halt));
  EXPECT_TRUE(notice.waits_at_gate(state));
  EXPECT_EQ(notice.words(),
            "waiting for the first model: data set /dataset/a.csv is being trained on, epoch 1");
  record::ControlRecord resume;
  resume.type = record::ControlType::kResume;
  resume.epoch = 1;
  resume.version = 1;
  ASSERT_TRUE(state.apply(resume));
  EXPECT_FALSE(notice.waits_at_gate(state));
  halt.epoch = 2;
  ASSERT_TRUE(state.apply(halt));
  EXPECT_TRUE(notice.waits_at_gate(state));
  EXPECT_EQ(notice.words(),
            "the gate is closed since 2026-01-01T00:00:00.000Z: data set /dataset/a.csv is being "
            "trained on, epoch 2");
}

}  // namespace
}  // namespace weir::gate
