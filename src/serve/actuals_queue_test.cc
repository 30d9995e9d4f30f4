#include "serve/actuals_queue.h"

#include <gmock/gmock.h>

#include "base/simulated_clock.h"
#include "stream/memory_broker.h"

namespace weir::serve {
namespace {

using testing::HasSubstr;

class ActualsQueueOnMemory : public testing::Test {
 protected:
  ActualsQueueOnMemory() {
    EXPECT_TRUE(broker_.ensure_topics({{"a", 2}}, Millis{1'000}));
    open();
  }
  void open() {
    auto opened = ActualsWriter::open({"a", 10, Millis{1'000}}, broker_, queue_);
    ASSERT_TRUE(opened) << opened.error().message();
    writer_ = std::move(*opened);
  }
  // What becomes of a request: nothing yet where there is no value.
  using Fate = std::shared_ptr<std::optional<Status>>;
  Fate submit(std::vector<PushedActual> actuals, stream::Headers headers = {}) {
    auto fate = std::make_shared<std::optional<Status>>();
    queue_.submit({std::move(actuals), std::move(headers), [fate](Status status) {
                     EXPECT_FALSE(*fate) << "answered twice";
                     *fate = std::move(status);
                   }});
    return fate;
  }
  static std::string why(const Fate& fate) {
    return *fate && !**fate ? (*fate)->error().message() : "";
  }

  SimulatedClock clock_;
  stream::MemoryBroker broker_{clock_};
  ActualsQueue queue_{clock_, Millis{10'000}};
  std::unique_ptr<ActualsWriter> writer_;
};

TEST_F(ActualsQueueOnMemory, answers_once_the_broker_has_the_values) {
  const auto one = submit({{"x", "1.5"}, {"y", "2"}}, {{"traceparent", "t"}});
  const auto other = submit({{"z", "3"}});
  EXPECT_FALSE(*one);
  EXPECT_EQ(queue_.waiting(), 2u);
  ASSERT_TRUE(writer_->step(Millis{0}, {}));
  ASSERT_TRUE(*one && **one);
  ASSERT_TRUE(*other && **other);
  std::map<std::string, std::string> written;
  for (const auto& record : broker_.records("a")) written[*record.key] = record.value;
  EXPECT_EQ(written, (std::map<std::string, std::string>{{"x", "1.5"}, {"y", "2"}, {"z", "3"}}));
  EXPECT_EQ(queue_.written(), 3u);
}

TEST_F(ActualsQueueOnMemory, writes_a_request_whole_and_more_than_a_few_in_turns) {
  std::vector<std::shared_ptr<std::optional<Status>>> fates;
  for (int i = 0; i < 3; ++i) fates.push_back(submit(std::vector<PushedActual>(7, {"x", "1"})));
  ASSERT_TRUE(writer_->step(Millis{0}, {}));
  EXPECT_TRUE(*fates[0]);
  EXPECT_FALSE(*fates[1]);
  ASSERT_TRUE(writer_->step(Millis{0}, {}));
  ASSERT_TRUE(writer_->step(Millis{0}, {}));
  EXPECT_TRUE(*fates[2]);
  EXPECT_EQ(broker_.records("a").size(), 21u);
}

TEST_F(ActualsQueueOnMemory, says_that_the_same_may_be_sent_again_where_the_broker_fails) {
  broker_.fail_sends(1, Code::kPermissionDenied);
  const auto fate = submit({{"x", "1"}});
  const Status stepped = writer_->step(Millis{0}, {});
  ASSERT_FALSE(stepped);
  EXPECT_EQ(stepped.error().code(), Code::kUnavailable) << "no reason to end the process";
  EXPECT_THAT(why(fate), HasSubstr("send the same again"));
  EXPECT_THAT(why(fate), HasSubstr("writing true values to a"));
  open();
  const auto again = submit({{"x", "1"}});
  ASSERT_TRUE(writer_->step(Millis{0}, {}));
  EXPECT_TRUE(*again && **again);
}

TEST_F(ActualsQueueOnMemory, answers_who_has_waited_for_too_long) {
  const auto early = submit({{"x", "1"}});
  clock_.advance(Millis{9'000});
  const auto late = submit({{"y", "1"}});
  clock_.advance(Millis{1'000});
  queue_.expire();
  EXPECT_THAT(why(early), HasSubstr("send the same again"));
  EXPECT_FALSE(*late);
  ASSERT_TRUE(writer_->step(Millis{0}, {}));
  EXPECT_TRUE(*late && **late);
  EXPECT_EQ(broker_.records("a").size(), 1u);
}

TEST_F(ActualsQueueOnMemory, refuses_what_does_not_fit_and_takes_more_once_there_is_room) {
  const std::vector<PushedActual> many(20, {"x", std::string(ActualsQueue::kBytesMax / 32, '1')});
  const auto first = submit(many);
  EXPECT_THAT(why(submit(many)), HasSubstr("nothing was taken"));
  ASSERT_TRUE(writer_->step(Millis{0}, {}));
  EXPECT_TRUE(*first && **first);
  EXPECT_EQ(why(submit(many)), "");
}

TEST_F(ActualsQueueOnMemory, answers_everybody_when_it_ends) {
  const auto fate = submit({{"x", "1"}});
  writer_->finish();
  EXPECT_THAT(why(fate), HasSubstr("the gateway is ending"));
  EXPECT_THAT(why(submit({{"x", "1"}})), HasSubstr("the gateway is ending"));
}

}  // namespace
}  // namespace weir::serve
