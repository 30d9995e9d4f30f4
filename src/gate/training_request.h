// A training asked of the leading trainer at once, over the members topic, and its answer.
//
// The trainer answers when it has begun an epoch on the data set, or refuses it: with the epoch, or
// with the reason. While it trains on another it is silent; then it answers within seconds. A
// request that nobody has answered is void after `within`: whoever waits shorter than that would
// see it come true behind his back.
//
// Owner: who asks. Threads: one. Errors: those of stream. The end of the epoch is for the control
// log to tell.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "record/member.h"
#include "stream/broker.h"

namespace weir::gate {

struct TrainingWish {
  std::string member;   // who asks: "host:pid"
  std::string dataset;  // a name in the drop folder, a path in the store; empty: all that waits
  std::uint64_t epoch_seen = 0;
  Millis within{60'000};
};

class TrainingRequest {
 public:
  // Asks. Returns once the broker has the request.
  static Result<std::unique_ptr<TrainingRequest>> send(stream::Broker& broker,
                                                       const std::string& members_topic,
                                                       const TrainingWish& wish, Clock& clock);
  // The answer, once it has come.
  Result<std::optional<record::MemberRecord>> poll(Millis timeout);

 private:
  TrainingRequest(std::unique_ptr<stream::LogReader> log, std::string id)
      : log_(std::move(log)), id_(std::move(id)) {}

  std::unique_ptr<stream::LogReader> log_;
  const std::string id_;
};

}  // namespace weir::gate
