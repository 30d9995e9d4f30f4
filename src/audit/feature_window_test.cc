#include "audit/feature_window.h"

#include <gmock/gmock.h>

#include "base/simulated_clock.h"
#include "stream/memory_broker.h"

namespace weir::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Match = FeatureWindow::Match;

class FeatureWindowTest : public ::testing::Test {
 protected:
  void open(int records, FeatureWindowLimits limits = {}) {
    for (int i = 0; i < records; ++i) {
      broker.produce("f", std::to_string(i), "value " + std::to_string(i), 0,
                     {{"header", std::to_string(i)}});
    }
    history = std::move(*broker.open_history("f", {}));
    window = std::make_unique<FeatureWindow>(*history, history->spans()[0], Millis(100), limits);
  }
  // The match, and what was compared: key, value and header.
  std::pair<Match, std::string> answer(std::int64_t offset) {
    std::string compared;
    const auto match = window->answer(offset, [&](const FeatureRecord& record) {
      compared = std::string(*record.key) + " " + std::string(record.value) + " " +
                 record.headers()[0].second;
    });
    EXPECT_TRUE(match);
    return {*match, compared};
  }
  std::vector<std::int64_t> unanswered() {
    std::vector<std::int64_t> offsets;
    EXPECT_TRUE(
        window->finish([&](std::int64_t offset, std::int64_t) { offsets.push_back(offset); }));
    return offsets;
  }

  SimulatedClock clock;
  stream::MemoryBroker broker{clock};
  std::unique_ptr<stream::TopicHistory> history;
  std::unique_ptr<FeatureWindow> window;
};

TEST_F(FeatureWindowTest, tells_first_answers_from_others_in_any_order) {
  open(5);
  EXPECT_EQ(answer(2), std::pair(Match::kFirst, std::string("2 value 2 2")));
  EXPECT_EQ(answer(0).first, Match::kFirst);
  EXPECT_EQ(answer(2).first, Match::kAgain);
  EXPECT_EQ(answer(0).first, Match::kAgain);
  EXPECT_EQ(answer(4).first, Match::kFirst);
  EXPECT_EQ(answer(5).first, Match::kAbsent);
  EXPECT_EQ(answer(-1).first, Match::kOutside);
  EXPECT_THAT(unanswered(), ElementsAre(1, 3));
  EXPECT_EQ(window->records(), 5U);
}

TEST_F(FeatureWindowTest, keeps_copies_of_what_falls_behind) {
  open(5000, {2, 1 << 20});
  EXPECT_EQ(answer(4999).first, Match::kFirst);
  EXPECT_EQ(answer(7), std::pair(Match::kFirst, std::string("7 value 7 7")));
  EXPECT_EQ(answer(7).first, Match::kAgain);
  EXPECT_EQ(window->not_compared(), 0U);
  EXPECT_EQ(unanswered().size(), 4998U);
}

TEST_F(FeatureWindowTest, counts_what_falls_behind_the_copies_it_may_keep) {
  open(5000, {2, 100});
  EXPECT_EQ(answer(4999).first, Match::kFirst);
  EXPECT_EQ(answer(0), std::pair(Match::kFirst, std::string("0 value 0 0")));
  EXPECT_EQ(answer(4000), std::pair(Match::kFirst, std::string()));
  EXPECT_EQ(window->not_compared(), 1U);
  EXPECT_EQ(answer(4000).first, Match::kAgain);
  EXPECT_EQ(unanswered().size(), 4997U);
}

TEST_F(FeatureWindowTest, of_an_empty_topic_has_nothing) {
  ASSERT_TRUE(broker.ensure_topics({{"f", 1}}, Millis(100)));
  open(0);
  EXPECT_EQ(answer(0).first, Match::kAbsent);
  EXPECT_THAT(unanswered(), IsEmpty());
}

}  // namespace
}  // namespace weir::audit
