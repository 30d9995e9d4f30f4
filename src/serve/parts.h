// What the handlers of the gateway share: made once by cli, outlives the server.
#pragma once

#include <atomic>
#include <string>

#include "base/clock.h"
#include "predictions/answer_board.h"
#include "predictions/feed_progress.h"
#include "predictions/prediction_store.h"
#include "registry/model_registry.h"
#include "serve/actuals_queue.h"
#include "serve/flow.h"
#include "serve/live.h"
#include "serve/push_queue.h"
#include "serve/timers.h"
#include "serve/workers.h"
#include "store/file_store.h"
#include "stream/broker.h"
#include "trace/tracer.h"

namespace weir::cache {
class CacheAccess;
}

namespace weir::serve {

struct Limits {
  std::uint64_t body_bytes_max = std::uint64_t{16} << 20;  // also of a gzip body, unpacked
  std::uint64_t upload_bytes_max = std::uint64_t{1} << 40;
  std::size_t records_max = 10'000;        // of a request
  std::size_t record_bytes_max = 900'000;  // Kafka takes a megabyte
  Millis wait_max{60'000};
};

struct Parts {
  std::string pipeline;
  std::string dataset_path;
  std::string members_topic;
  std::string features_topic;
  std::string self;  // who asks trainers for something: "gateway-host-0"
  Limits limits;
  Clock& clock;
  store::FileStore& store;
  stream::Broker& broker;
  const registry::ModelRegistry& models;
  predictions::PredictionStore& predictions;
  predictions::AnswerBoard& board;
  const predictions::FeedProgress& progress;
  Live& live;
  PushQueue& pushes;
  ActualsQueue& actuals;
  Timers& timers;
  Workers& workers;
  const std::atomic<bool>& ending;  // whoever waits for something stops
  Flow& flow;
  const cache::CacheAccess* cache = nullptr;  // of what is predicted here; none: there is none
  trace::Tracer* tracer = nullptr;            // null: traces are not exported
};

}  // namespace weir::serve
