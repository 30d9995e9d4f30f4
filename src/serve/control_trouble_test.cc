// What is told where the control log cannot be read: why, by every path that needs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/simulated_clock.h"
#include "serve/flow_api.h"
#include "serve/flow_meter.h"
#include "serve/models_api.h"
#include "store/memory_file_store.h"
#include "stream/memory_broker.h"

namespace weir::serve {
namespace {

using testing::HasSubstr;

class KeptAnswer final : public http::Reply::Target {
 public:
  void send(http::Response response) override { kept = std::move(response); }
  std::shared_ptr<http::ResponseStream> start_stream(http::Response) override { return nullptr; }
  http::Response kept;
};

class ControlTrouble : public testing::Test {
 protected:
  ControlTrouble() {
    models_api_.add_routes(router_);
    flow_api_.add_routes(router_);
  }

  http::Response ask(const std::string& method, const std::vector<std::string>& segments) {
    const auto match = router_.find(method, segments);
    Call call;
    call.variables = match.variables;
    auto target = std::make_shared<KeptAnswer>();
    match.route->handle(std::move(call), http::Reply(target));
    return target->kept;
  }

  SimulatedClock clock_;
  store::MemoryFileStore store_;
  stream::MemoryBroker broker_{clock_};
  registry::ModelRegistry models_{store_, "/models"};
  Flow flow_{clock_};
  FlowMeter predictions_{flow_, nullptr};
  predictions::AnswerBoard board_;
  predictions::FeedProgress progress_;
  Live live_;
  PushQueue pushes_{clock_, Millis{1'000}};
  ActualsQueue actuals_{clock_, Millis{1'000}};
  Timers timers_;
  Workers workers_{1, 1};
  std::atomic<bool> ending_{false};
  Parts parts_{.pipeline = "boston",
               .dataset_path = "/dataset",
               .members_topic = "members",
               .features_topic = "f",
               .self = "gateway-0",
               .limits = {},
               .clock = clock_,
               .store = store_,
               .broker = broker_,
               .models = models_,
               .predictions = predictions_,
               .board = board_,
               .progress = progress_,
               .live = live_,
               .pushes = pushes_,
               .actuals = actuals_,
               .timers = timers_,
               .workers = workers_,
               .ending = ending_,
               .flow = flow_};
  ModelsApi models_api_{parts_};
  FlowApi flow_api_{parts_};
  Router router_;
};

TEST_F(ControlTrouble, is_told_with_its_reason_by_every_path_that_needs_the_control_log) {
  live_.set_trouble(Error(Code::kUnavailable, "no broker answers at kafka-1"));
  for (const auto& [method, segments] :
       std::vector<std::pair<std::string, std::vector<std::string>>>{
           {"GET", {"v1", "models"}},
           {"GET", {"v1", "models", "1"}},
           {"POST", {"v1", "models", "1", "rollback"}},
           {"POST", {"v1", "train"}},
           {"GET", {"v1", "epochs"}}}) {
    const auto answer = ask(method, segments);
    EXPECT_EQ(answer.status, 503U) << method << " " << segments[1];
    EXPECT_THAT(answer.body, HasSubstr("no broker answers at kafka-1")) << segments[1];
  }
}

}  // namespace
}  // namespace weir::serve
