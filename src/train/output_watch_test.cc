#include "train/output_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/simulated_clock.h"
#include "stream/memory_broker.h"

namespace weir::train {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

class OutputWatchTest : public ::testing::Test {
 protected:
  OutputWatchTest() { EXPECT_TRUE(broker.ensure_topics({{"p", 2}, {"d", 1}}, Millis{1'000})); }
  // A transaction of a scorer with one prediction.
  std::unique_ptr<stream::TransactionalSink> begun(const char* topic) {
    auto sink = broker.open_sink("scorer", Millis{1'000});
    EXPECT_TRUE(sink && (*sink)->begin() && (*sink)->send({topic, 0, std::nullopt, "1", nullptr}));
    return std::move(*sink);
  }

  SimulatedClock clock;
  stream::MemoryBroker broker{clock};
  OutputWatch watch{broker, "p", "d"};
};

TEST_F(OutputWatchTest, tells_the_ends_of_all_partitions_before_a_resume) {
  ASSERT_TRUE(begun("p")->commit({}, {}, nullptr));
  const auto ends = watch.before_resume(1);
  ASSERT_TRUE(ends);
  EXPECT_THAT(ends->predictions, ElementsAre(Pair(0, 2), Pair(1, 0)));  // a record and a mark
  EXPECT_THAT(ends->dead, ElementsAre(Pair(0, 0)));
  EXPECT_EQ(watch.alerts(), 0u);
}

TEST_F(OutputWatchTest, gives_an_alert_of_what_was_committed_during_a_halt) {
  for (const char* topic : {"p", "d"}) {
    watch.halted();
    const std::uint64_t before = watch.alerts();
    ASSERT_TRUE(begun(topic)->commit({}, {}, nullptr));
    EXPECT_TRUE(watch.before_resume(1));
    EXPECT_EQ(watch.alerts(), before + 1) << topic;
  }
}

TEST_F(OutputWatchTest, gives_none_where_only_marks_have_come) {
  auto sink = begun("p");
  watch.halted();
  ASSERT_TRUE(sink->abort());  // as a fence does
  const auto ends = watch.before_resume(1);
  ASSERT_TRUE(ends);
  EXPECT_EQ(ends->predictions.at(0), 2);
  EXPECT_EQ(watch.alerts(), 0u);
}

TEST_F(OutputWatchTest, gives_none_of_what_came_before_the_halt_or_without_one) {
  ASSERT_TRUE(begun("p")->commit({}, {}, nullptr));
  watch.halted();
  EXPECT_TRUE(watch.before_resume(1));
  ASSERT_TRUE(begun("p")->commit({}, {}, nullptr));
  EXPECT_TRUE(watch.before_resume(2)) << "an epoch that began without a halt";
  watch.halted();
  watch.forget();
  ASSERT_TRUE(begun("p")->commit({}, {}, nullptr));
  EXPECT_TRUE(watch.before_resume(3));
  EXPECT_EQ(watch.alerts(), 0u);
}

TEST_F(OutputWatchTest, has_no_evidence_where_the_brokers_are_away) {
  watch.halted();
  broker.set_away_until(clock.steady() + Millis{60'000});
  EXPECT_FALSE(watch.before_resume(1));
}

}  // namespace
}  // namespace weir::train
