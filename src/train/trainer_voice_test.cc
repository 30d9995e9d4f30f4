#include "train/trainer_voice.h"

#include <gtest/gtest.h>

#include "base/simulated_clock.h"
#include "stream/memory_broker.h"

namespace weir::train {
namespace {

constexpr const char* kTopic = "p.members";

class TrainerVoiceTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(broker.ensure_topics({{kTopic, 1, false}}, Millis{1000})); }
  // What is logged while the store stays away for so long, and then for a while is there.
  std::string store_away_for(Millis time) {
    testing::internal::CaptureStderr();
    for (const SteadyTime end = clock.steady() + time; clock.steady() < end;) {
      voice.waits("store", "cannot look for data sets: no NameNode", log::Level::kWarn);
      clock.advance(Millis{100});
    }
    for (int i = 0; i < 200; ++i) {
      voice.idles("no data set");
      clock.advance(Millis{100});
    }
    return testing::internal::GetCapturedStderr();
  }
  // What weir status would show of it.
  std::string shown() {
    voice.tell();
    auto table = gate::MemberTable::open(broker, kTopic, clock);
    EXPECT_TRUE(table && (*table)->refresh(Millis{1000}));
    const auto all = (*table)->all();
    return all.empty() ? "nobody" : all[0].latest.role + ": " + all[0].latest.progress.waiting_for;
  }

  SimulatedClock clock;
  stream::MemoryBroker broker{clock};
  TrainerVoice voice{broker, kTopic, "host:1", clock};
};

TEST_F(TrainerVoiceTest, tells_in_the_log_of_a_store_that_stays_away_and_of_its_return) {
  EXPECT_EQ(store_away_for(Millis{9'000}), "") << "that may pass";
  const std::string told = store_away_for(Millis{15'000});
  EXPECT_NE(told.find("makes no progress: cannot look for data sets: no NameNode"),
            std::string::npos)
      << told;
  const auto back = told.find("makes progress again");
  ASSERT_NE(back, std::string::npos) << told;
  EXPECT_EQ(told.find("makes", back + 1), std::string::npos) << "to be idle is no trouble" << told;
}

TEST_F(TrainerVoiceTest, tells_on_the_members_topic_what_it_waits_for) {
  EXPECT_EQ(shown(), "trainer: ");
  voice.idles("no data set in /in");
  EXPECT_EQ(shown(), "trainer: ") << "no heartbeat is due";
  clock.advance(record::kMemberHeartbeat);
  EXPECT_EQ(shown(), "trainer: no data set in /in");
  voice.leave();
  auto table = gate::MemberTable::open(broker, kTopic, clock);
  ASSERT_TRUE(table && (*table)->refresh(Millis{1000}));
  EXPECT_TRUE((*table)->all().empty());
}

TEST_F(TrainerVoiceTest, says_once_that_it_cannot_be_told_and_goes_on) {
  TrainerVoice unheard{broker, "p.nowhere", "host:1", clock};
  testing::internal::CaptureStderr();
  for (int i = 0; i < 1'000; ++i) {
    unheard.tell();
    clock.advance(Millis{100});
  }
  const std::string told = testing::internal::GetCapturedStderr();
  const auto first = told.find("weir status does not show this trainer");
  EXPECT_NE(first, std::string::npos) << told;
  EXPECT_EQ(told.find("weir status", first + 1), std::string::npos) << told;
}

}  // namespace
}  // namespace weir::train
