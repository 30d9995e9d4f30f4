// What a gateway is made of, in memory, for tests of what it answers.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "base/simulated_clock.h"
#include "serve/flow_meter.h"
#include "serve/parts.h"
#include "store/memory_file_store.h"
#include "stream/memory_broker.h"

namespace weir::serve {

class KeptAnswer final : public http::Reply::Target {
 public:
  void send(http::Response response) override {
    kept = std::move(response);
    sent.set_value(std::this_thread::get_id());
  }
  std::shared_ptr<http::ResponseStream> start_stream(http::Response) override { return nullptr; }
  http::Response kept;
  std::promise<std::thread::id> sent;  // by whom
};

class GatewayOnMemory : public testing::Test {
 protected:
  // `kept`: the store of predictions; null: none is kept.
  explicit GatewayOnMemory(predictions::PredictionStore* kept = nullptr,
                           predictions::BoardLimits board = {})
      : predictions_(flow_, kept), board_(board) {}

  SimulatedClock clock_;
  store::MemoryFileStore files_;
  stream::MemoryBroker broker_{clock_};
  registry::ModelRegistry models_{files_, "/models"};
  Flow flow_{clock_};
  FlowMeter predictions_;
  predictions::AnswerBoard board_;
  predictions::FeedProgress progress_;
  Live live_;
  PushQueue pushes_{clock_, Millis{10'000}};
  ActualsQueue actuals_{clock_, Millis{10'000}};
  Timers timers_;
  Workers workers_{1, 10};
  std::atomic<bool> ending_{false};
  Parts parts_{.pipeline = "boston",
               .dataset_path = "/dataset",
               .members_topic = "members",
               .features_topic = "f",
               .self = "gateway-0",
               .limits = {},
               .clock = clock_,
               .store = files_,
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
};

}  // namespace weir::serve
