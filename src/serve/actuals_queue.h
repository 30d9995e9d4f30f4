// True values that clients push, on their way into the actuals topic, where the watcher joins them
// with predictions by id.
//
// A request is answered once Kafka has all of its values, on all in-sync replicas. They are not
// written in a transaction, nor looked up: the join takes one value of an id, so that sending the
// same again is harmless, and a request of which a part was written is made whole by that.
//
// Owner: the gateway. Threads: ActualsQueue from any; an ActualsWriter is a Role of one thread.
// `done` is called once, from any thread, and must return at once. Errors given to `done`:
// kUnavailable (too much waits, or not known in time: send the same again). Limits: kBytesMax
// waits.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/role.h"
#include "stream/broker.h"

namespace weir::serve {

struct PushedActual {
  std::string id;
  std::string value;  // a number, as text
};

struct ActualsRequest {
  std::vector<PushedActual> actuals;
  stream::Headers headers;  // of each
  std::function<void(Status)> done;
};

class ActualsQueue {
 public:
  static constexpr std::size_t kBytesMax = std::size_t{16} << 20;

  // A request that has waited for longer than `patience` gets its answer.
  ActualsQueue(Clock& clock, Millis patience) : clock_(clock), patience_(patience) {}
  ~ActualsQueue() { close(); }

  // Answers `done` at once where too much waits.
  void submit(ActualsRequest request);
  // Call it now and then.
  void expire();
  // Everything gets its answer; nothing is taken any more.
  void close();

  std::size_t waiting() const;
  std::uint64_t written() const { return written_; }  // values, so far

 private:
  friend class ActualsWriter;
  struct Waiting {
    ActualsRequest request;
    SteadyTime deadline;
    std::size_t bytes = 0;
  };
  using Taken = std::vector<Waiting>;

  // Waits for some; `values_max` values, and one request at least.
  Taken take(std::size_t values_max, Millis timeout);
  void set_trouble(std::string trouble);
  static void give_up(Taken& requests, const std::string& why);

  Clock& clock_;
  const Millis patience_;
  std::atomic<std::uint64_t> written_{0};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> queue_;  // guarded by mutex_
  std::size_t bytes_ = 0;      // guarded by mutex_
  bool closed_ = false;        // guarded by mutex_
  std::string trouble_;        // guarded by mutex_; of Kafka, empty where there is none
};

struct ActualsWriterOptions {
  std::string topic;
  std::size_t values_max = 10'000;  // that are written at a time
  Millis broker_timeout{10'000};
};

class ActualsWriter final : public Role {
 public:
  static Result<std::unique_ptr<ActualsWriter>> open(ActualsWriterOptions options,
                                                     stream::Broker& broker, ActualsQueue& queue);
  Status step(Millis wait_max, std::stop_token stop) override;
  void finish() override { queue_.close(); }

 private:
  ActualsWriter(ActualsWriterOptions options, ActualsQueue& queue)
      : options_(std::move(options)), queue_(queue) {}
  Status write(const ActualsQueue::Taken& requests);

  const ActualsWriterOptions options_;
  ActualsQueue& queue_;
  std::unique_ptr<stream::RecordPublisher> publisher_;
};

}  // namespace weir::serve
