#include "serve/awaited_answers.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <future>

#include "predictions/sqlite_prediction_store.h"
#include "serve/gateway_on_memory_test.h"

namespace weir::serve {
namespace {

using predictions::Place;
using testing::HasSubstr;
using testing::Not;

class Heard final : public http::Reply::Target {
 public:
  explicit Heard(std::promise<http::Response>& promise) : promise_(promise) {}
  void send(http::Response response) override { promise_.set_value(std::move(response)); }
  std::shared_ptr<http::ResponseStream> start_stream(http::Response) override { return nullptr; }

 private:
  std::promise<http::Response>& promise_;
};

// What has been answered is kept in a file of SQLite.
class KeptOnDisk {
 protected:
  KeptOnDisk() {
    auto opened = predictions::SqlitePredictionStore::open({folder_, "p", "f"});
    EXPECT_TRUE(opened) << opened.error().message();
    store_ = std::move(*opened);
    EXPECT_TRUE(store_->positions());
    EXPECT_TRUE(store_->clear());
  }
  ~KeptOnDisk() {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  const std::string folder_ = testing::TempDir() + "awaited-answers-" + std::to_string(getpid());
  std::unique_ptr<predictions::PredictionStore> store_;
};

class AwaitedAnswersThreads : private KeptOnDisk, public GatewayOnMemory {
 protected:
  AwaitedAnswersThreads() : GatewayOnMemory(store_.get(), {.waits_max = 1}) {}

  std::future<http::Response> await(Millis wait) {
    auto answers = std::make_shared<AwaitedAnswers>(parts_, std::vector<std::string>{"a"}, wait,
                                                    http::Reply(std::make_shared<Heard>(promise_)));
    answers->begin(std::vector<Pushed>{{kPlace, false}});
    return promise_.get_future();
  }
  // Whatever was handed to the one worker before has been done.
  void until_worker_is_done() {
    std::promise<void> done;
    ASSERT_TRUE(workers_.submit([&] { done.set_value(); }));
    done.get_future().wait();
  }
  void pass(Millis time) {
    clock_.advance(time);
    timers_.run_due(clock_.steady());
    until_worker_is_done();
  }
  predictions::Answer answer() {
    predictions::Answer answer;
    answer.of = kPlace;
    answer.prediction = "42.5";
    answer.model = answer.epoch = 1;
    return answer;
  }
  // As the feed does, but for the board.
  void answer_in_store() {
    predictions::Batch batch;
    batch.records.push_back({kPlace, "a", "{}", 1'000});
    batch.answers.push_back(answer());
    ASSERT_TRUE(store_->apply(batch));
  }
  static bool is_there(const std::future<http::Response>& future) {
    return future.wait_for(Millis{0}) == std::future_status::ready;
  }

  static constexpr Place kPlace{0, 7};
  std::promise<http::Response> promise_;
};

TEST_F(AwaitedAnswersThreads, are_told_by_the_board) {
  auto response = await(Millis{2'000});
  until_worker_is_done();
  EXPECT_FALSE(is_there(response));
  board_.begin(false, {{0, 0}}, true);
  board_.announce({answer()});
  ASSERT_TRUE(is_there(response));
  const auto heard = response.get();
  EXPECT_EQ(heard.status, 200u);
  EXPECT_THAT(heard.body, HasSubstr("\"prediction\":42.5"));
  EXPECT_EQ(board_.waits(), 0u);
}

TEST_F(AwaitedAnswersThreads, are_looked_for_again_where_the_board_takes_no_more_waits) {
  ASSERT_TRUE(board_.wait_for({1, 1}, [](const auto&) {}));
  auto response = await(Millis{2'000});
  until_worker_is_done();
  answer_in_store();
  EXPECT_FALSE(is_there(response));
  pass(Millis{1'000});
  ASSERT_TRUE(is_there(response));
  EXPECT_EQ(response.get().status, 200u);
}

TEST_F(AwaitedAnswersThreads, give_what_there_is_when_the_time_is_over) {
  auto response = await(Millis{2'000});
  pass(Millis{1'999});
  EXPECT_FALSE(is_there(response));
  pass(Millis{1});
  ASSERT_TRUE(is_there(response));
  const auto heard = response.get();
  EXPECT_EQ(heard.status, 202u);
  EXPECT_THAT(heard.body, HasSubstr("\"offset\":7"));
  EXPECT_THAT(heard.body, Not(HasSubstr("prediction")));
  EXPECT_EQ(board_.waits(), 0u);
}

}  // namespace
}  // namespace weir::serve
