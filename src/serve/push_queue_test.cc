#include "serve/push_queue.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "base/simulated_clock.h"
#include "stream/memory_broker.h"

namespace weir::serve {
namespace {

using predictions::Place;
using testing::HasSubstr;

// An index of ids that reads the topic when it is told to, as the feed and the store do together.
class Index final : public predictions::PredictionStore {
 public:
  Index(stream::MemoryBroker& broker, predictions::FeedProgress& progress, SimulatedClock& clock)
      : broker_(broker), progress_(progress), clock_(clock) {}

  void read_to_end() {
    for (const auto& record : broker_.records("f")) {
      first_.emplace(*record.key, predictions::FirstOfId{{record.partition, record.offset},
                                                         predictions::hash_of(record.value)});
    }
    std::vector<stream::PartitionPosition> positions;
    const auto ends = broker_.log_ends("f", Millis{1'000});
    for (const auto& end : *ends) {
      positions.push_back({end.partition, end.next_offset, end.next_offset});
    }
    progress_.reached("f", positions);
  }
  void fail_next() { failing_ = true; }
  void take_so_long(Millis time) { time_ = time; }
  std::size_t asked() const { return asked_; }
  void forget() { first_.clear(); }

  Result<std::vector<std::optional<predictions::FirstOfId>>> find_ids(
      std::span<const std::string> ids) override {
    if (std::exchange(failing_, false)) return fail(Code::kTimeout, "the index is slow");
    clock_.advance(time_);
    asked_ += ids.size();
    std::vector<std::optional<predictions::FirstOfId>> found;
    for (const auto& id : ids) {
      const auto at = first_.find(id);
      found.push_back(at == first_.end() ? std::nullopt : std::optional(at->second));
    }
    return found;
  }

  Result<predictions::Positions> positions() override { return predictions::Positions{}; }
  Status apply(const predictions::Batch&) override { return {}; }
  Result<std::uint64_t> drop(std::int64_t, std::uint64_t) override { return std::uint64_t{0}; }
  Status clear() override { return {}; }
  Result<std::optional<predictions::ById>> by_id(std::string_view) override { return std::nullopt; }
  Result<std::optional<predictions::Kept>> by_place(const Place&) override { return std::nullopt; }
  Result<predictions::Page> list(const predictions::ListQuery&) override {
    return predictions::Page{};
  }
  Result<predictions::StoreStats> stats() override { return predictions::StoreStats{}; }

 private:
  stream::MemoryBroker& broker_;
  predictions::FeedProgress& progress_;
  SimulatedClock& clock_;
  std::map<std::string, predictions::FirstOfId> first_;
  bool failing_ = false;
  Millis time_{0};
  std::size_t asked_ = 0;
};

class PushQueueOnMemory : public testing::Test {
 protected:
  PushQueueOnMemory() {
    EXPECT_TRUE(broker_.ensure_topics({{"f", 2}}, Millis{1'000}));
    open();
  }

  // As the supervisor does: the one before has gone, the index has read what is there.
  void open() {
    pusher_.reset();
    PusherOptions options;
    options.features_topic = "f";
    options.transactional_id = "p.gateway-0";
    options.gathering_max = std::chrono::seconds(20);
    auto opened = Pusher::open(options, broker_, index_, progress_, queue_, clock_);
    ASSERT_TRUE(opened) << opened.error().message();
    pusher_ = std::move(*opened);
    index_.read_to_end();
    ASSERT_TRUE(step());
  }
  Status step() { return pusher_->step(Millis{0}, {}); }

  std::shared_ptr<std::optional<PushAnswer>> submit(std::vector<PushRecord> records) {
    auto answer = std::make_shared<std::optional<PushAnswer>>();
    queue_.submit({std::move(records), {{"traceparent", "00-1-2-01"}}, [answer](PushAnswer given) {
                     EXPECT_FALSE(answer->has_value()) << "answered twice";
                     answer->emplace(std::move(given));
                   }});
    return answer;
  }
  std::vector<std::string> keys() const {
    std::vector<std::string> keys;
    for (const auto& record : broker_.records("f")) keys.push_back(*record.key);
    std::sort(keys.begin(), keys.end());
    return keys;
  }

  SimulatedClock clock_;
  stream::MemoryBroker broker_{clock_};
  predictions::FeedProgress progress_;
  Index index_{broker_, progress_, clock_};
  PushQueue queue_{clock_, Millis{10'000}};
  std::unique_ptr<Pusher> pusher_;
};

TEST_F(PushQueueOnMemory, writes_a_request_in_one_transaction_and_tells_where_it_stands) {
  const auto answer = submit({{"a", "1"}, {"b", "2"}, {"c", "3"}});
  const auto commits = broker_.commits();
  ASSERT_TRUE(step());
  ASSERT_TRUE(*answer && **answer);
  EXPECT_EQ(broker_.commits(), commits + 1);
  const auto records = broker_.records("f");
  ASSERT_EQ(records.size(), 3u);
  for (const auto& record : records) {
    const std::size_t i = static_cast<std::size_t>((*record.key)[0] - 'a');
    EXPECT_EQ((***answer)[i].place, (Place{record.partition, record.offset}));
    EXPECT_FALSE((***answer)[i].repeated);
    EXPECT_EQ(record.headers.at(0).second, "00-1-2-01");
  }
}

TEST_F(PushQueueOnMemory, does_not_write_an_id_twice_before_or_after_the_index_knows_it) {
  const auto first = submit({{"a", "1"}});
  ASSERT_TRUE(step());
  const auto second = submit({{"a", "1"}, {"b", "2"}});
  ASSERT_TRUE(step());
  open();  // a restart: only the index remembers
  const auto third = submit({{"b", "2"}, {"a", "1"}});
  ASSERT_TRUE(step());
  EXPECT_THAT(keys(), testing::ElementsAre("a", "b"));
  const Place a = (***first)[0].place;
  EXPECT_EQ((***second)[0].place, a);
  EXPECT_TRUE((***second)[0].repeated);
  EXPECT_FALSE((***second)[1].repeated);
  EXPECT_EQ((***third)[1].place, a);
  EXPECT_TRUE((***third)[0].repeated);
}

TEST_F(PushQueueOnMemory, refuses_a_request_whole_where_an_id_stands_for_another_value) {
  submit({{"a", "1"}});
  ASSERT_TRUE(step());
  const auto other = submit({{"new", "5"}, {"a", "2"}});
  const auto within = submit({{"x", "1"}, {"x", "2"}});
  const auto twins = submit({{"y", "1"}, {"y", "1"}});
  ASSERT_TRUE(step());
  ASSERT_TRUE(*other && !**other);
  EXPECT_EQ((*other)->error().code(), Code::kAlreadyExists);
  EXPECT_THAT((*other)->error().message(), HasSubstr("id 'a' stands for other features"));
  ASSERT_TRUE(*within && !**within);
  ASSERT_TRUE(*twins && **twins);
  EXPECT_EQ((***twins)[0].place, (***twins)[1].place);
  EXPECT_THAT(keys(), testing::ElementsAre("a", "y"));
}

TEST_F(PushQueueOnMemory, keeps_requests_of_one_transaction_apart) {
  const auto first = submit({{"a", "1"}});
  const auto twin = submit({{"a", "1"}});
  const auto other = submit({{"a", "2"}});
  ASSERT_TRUE(step());
  ASSERT_TRUE(step());
  ASSERT_TRUE(*first && **first && *twin && **twin && *other);
  EXPECT_TRUE((***twin)[0].repeated);
  EXPECT_FALSE(**other);
  EXPECT_THAT(keys(), testing::ElementsAre("a"));
}

TEST_F(PushQueueOnMemory, writes_once_whatever_becomes_of_the_commit) {
  int number = 0;
  for (const auto fault :
       {stream::CommitFault::kAborted, stream::CommitFault::kUnknownButHappened,
        stream::CommitFault::kUnknownNotHappened, stream::CommitFault::kFenced}) {
    const std::string id = "id" + std::to_string(number++);
    const auto answer = submit({{id, "1"}, {id + "'", "2", true}});
    broker_.fail_commit(1, fault);
    EXPECT_FALSE(step());
    EXPECT_FALSE(answer->has_value()) << "its outcome is not known yet";
    open();
    ASSERT_TRUE(step());
    ASSERT_TRUE(*answer && **answer) << number;
    EXPECT_EQ(keys().size(), 2u * static_cast<std::size_t>(number));
  }
}

TEST_F(PushQueueOnMemory, does_not_look_for_an_id_that_is_new_but_knows_it_later) {
  submit({{"a", "1", true}});
  ASSERT_TRUE(step());
  EXPECT_EQ(index_.asked(), 0u);
  const auto again = submit({{"a", "1"}});
  ASSERT_TRUE(step());
  EXPECT_TRUE((***again)[0].repeated);
  EXPECT_THAT(keys(), testing::ElementsAre("a"));
}

TEST_F(PushQueueOnMemory, waits_a_moment_for_those_who_are_likely_to_share_the_next_transaction) {
  submit({{"a", "1"}});
  submit({{"b", "1"}});
  index_.take_so_long(Millis{80'000});  // the last transaction: a quarter of it is 20 s
  ASSERT_TRUE(step());
  const auto commits = broker_.commits();
  const auto first = submit({{"c", "1"}});
  std::atomic<bool> stepping{false};
  std::shared_ptr<std::optional<PushAnswer>> second;
  std::thread client([&] {
    stepping.wait(false);
    second = submit({{"d", "1"}});
  });
  stepping = true;
  stepping.notify_all();
  ASSERT_TRUE(step());
  client.join();
  EXPECT_TRUE(first->has_value());
  EXPECT_TRUE(second->has_value());
  EXPECT_EQ(broker_.commits(), commits + 1);
}

TEST_F(PushQueueOnMemory, writes_nothing_before_the_index_holds_what_the_topic_has) {
  broker_.produce("f", "a", "1");
  pusher_.reset();
  PusherOptions options;
  options.features_topic = "f";
  options.transactional_id = "p.gateway-0";
  pusher_ = std::move(*Pusher::open(options, broker_, index_, progress_, queue_, clock_));
  const auto answer = submit({{"a", "1"}});
  ASSERT_TRUE(step());
  EXPECT_FALSE(answer->has_value());
  EXPECT_THAT(queue_.trouble(), HasSubstr("still being read"));
  index_.read_to_end();
  ASSERT_TRUE(step());
  ASSERT_TRUE(*answer && **answer);
  EXPECT_TRUE((***answer)[0].repeated);
  EXPECT_EQ(keys().size(), 1u);
}

TEST_F(PushQueueOnMemory, waits_for_an_index_that_is_opened_after_it) {
  pusher_.reset();
  PusherOptions options;
  options.features_topic = "f";
  options.transactional_id = "p.gateway-0";
  pusher_ = std::move(*Pusher::open(options, broker_, index_, progress_, queue_, clock_));
  broker_.produce("f", "a", "1");
  progress_.reset();  // as the feed does when it opens
  const auto answer = submit({{"a", "1"}, {"b", "1"}});
  ASSERT_TRUE(step());
  EXPECT_FALSE(answer->has_value());
  index_.read_to_end();
  ASSERT_TRUE(step());
  ASSERT_TRUE(*answer && **answer);
  EXPECT_TRUE((***answer)[0].repeated);
  EXPECT_EQ(keys().size(), 2u);
}

TEST_F(PushQueueOnMemory, tells_a_client_to_try_again_whose_time_is_over) {
  broker_.set_away_until(clock_.steady() + Millis{60'000});
  const auto waiting = submit({{"a", "1"}});
  EXPECT_FALSE(step());
  const auto queued = submit({{"b", "1"}});
  clock_.advance(Millis{10'001});
  queue_.expire();
  for (const auto& answer : {waiting, queued}) {
    ASSERT_TRUE(*answer && !**answer);
    EXPECT_EQ((*answer)->error().code(), Code::kUnavailable);
    EXPECT_THAT((*answer)->error().message(), HasSubstr("send the same again"));
  }
  clock_.advance(Millis{60'000});
  open();
  const auto again = submit({{"a", "1"}});
  ASSERT_TRUE(step());
  ASSERT_TRUE(*again && **again);
  EXPECT_THAT(keys(), testing::ElementsAre("a")) << "b was given up, and is not there";
}

TEST_F(PushQueueOnMemory, tries_again_where_the_index_did_not_answer) {
  const auto answer = submit({{"a", "1"}});
  index_.fail_next();
  EXPECT_FALSE(step());
  EXPECT_THAT(queue_.trouble(), HasSubstr("the index is slow"));
  open();
  ASSERT_TRUE(step());
  ASSERT_TRUE(*answer && **answer);
}

TEST_F(PushQueueOnMemory, refuses_a_record_that_kafka_does_not_take_and_writes_the_others) {
  const auto good = submit({{"a", "1"}});
  const auto large = submit({{"b", std::string(2'000'000, 'x')}});
  EXPECT_FALSE(step());
  open();
  ASSERT_TRUE(step());
  ASSERT_TRUE(*large && !**large);
  EXPECT_EQ((*large)->error().code(), Code::kInvalidArgument);
  ASSERT_TRUE(*good && **good);
  EXPECT_THAT(keys(), testing::ElementsAre("a"));
}

TEST_F(PushQueueOnMemory, writes_nothing_by_an_index_that_has_lost_its_content) {
  submit({{"a", "1"}});
  ASSERT_TRUE(step());
  progress_.reset();  // as the feed does before it fills a store again
  index_.forget();
  const auto again = submit({{"a", "1"}});
  EXPECT_FALSE(step());
  EXPECT_FALSE(again->has_value());
  open();
  ASSERT_TRUE(step());
  ASSERT_TRUE(*again && **again);
  EXPECT_TRUE((***again)[0].repeated);
  EXPECT_THAT(keys(), testing::ElementsAre("a"));
}

TEST_F(PushQueueOnMemory, finds_the_request_that_the_topic_does_not_take) {
  const auto first = submit({{"a", "1"}});
  const auto bad = submit({{"b", "1"}});
  broker_.fail_commit(1, stream::CommitFault::kRefused);
  Status refused = step();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kUnavailable) << "no reason to end the process";
  open();  // takes "a" by itself
  ASSERT_TRUE(*first && **first);
  broker_.fail_commit(1, stream::CommitFault::kRefused);
  EXPECT_FALSE(step());
  ASSERT_TRUE(*bad && !**bad);
  EXPECT_EQ((*bad)->error().code(), Code::kInvalidArgument);
  EXPECT_THAT(keys(), testing::ElementsAre("a"));
}

TEST_F(PushQueueOnMemory, answers_everybody_at_its_end) {
  const auto waiting = submit({{"a", "1"}});
  queue_.close();
  const auto late = submit({{"b", "1"}});
  ASSERT_TRUE(*waiting && !**waiting);
  ASSERT_TRUE(*late && !**late);
}

}  // namespace
}  // namespace weir::serve
