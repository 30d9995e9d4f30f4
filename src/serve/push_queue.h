// Messages that clients push, on their way into the features topic, each id once.
//
// A request's records are written in one transaction, all or none, together with those of other
// requests that wait at that moment. Its answer says where each record stands. A record whose id is
// in the topic already, with the same value, is not written again: the answer is the place where it
// stands. That holds over restarts and lost answers, because a Pusher
//   1. opens its sink, which ends whatever an earlier one of the same name had open,
//   2. waits until the index of ids (the prediction store, filled from the topic) holds everything
//      below the ends that the topic has then,
//   3. and only then looks ids up and writes.
// A transaction costs some milliseconds, however many share it: whoever was answered by the last
// one or came during it is waited for a moment, a quarter of a transaction at most, to share the
// next. After any error it begins at 1 again, with the requests that it had: one whose outcome was
// unknown is found in the index, or is not in the topic.
//
// Owner: the gateway. Threads: PushQueue from any; a Pusher is a Role of one thread. `done` is
// called once, from any thread, and must return at once. Errors given to `done`: kAlreadyExists (an
// id with another value is there), kUnavailable (not taken, or not known in time: sending the same
// again is harmless), kExhausted (too much waits), kInvalidArgument (a record too large for Kafka).
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/role.h"
#include "predictions/feed_progress.h"
#include "predictions/prediction_store.h"
#include "stream/broker.h"

namespace weir::serve {

struct PushRecord {
  std::string id;
  std::string value;
  bool minted = false;  // the id is new: nobody can have sent it before
};

struct Pushed {
  predictions::Place place;
  bool repeated = false;  // it was there before
};

using PushAnswer = Result<std::vector<Pushed>>;

struct PushRequest {
  std::vector<PushRecord> records;
  stream::Headers headers;  // of each record
  std::function<void(PushAnswer)> done;
};

struct PushCounters {
  std::atomic<std::uint64_t> pushed{0};
  std::atomic<std::uint64_t> repeated{0};
  std::atomic<std::uint64_t> refused{0};  // requests
  std::atomic<std::uint64_t> transactions{0};
};

class PushQueue {
 public:
  PushQueue(Clock& clock, Millis patience) : clock_(clock), patience_(patience) {}
  ~PushQueue();

  // Answers `done` at once where too much waits.
  void submit(PushRequest request);
  // Requests that have waited for longer than their patience get their answer. Call it now and
  // then.
  void expire();
  // Everything gets its answer; nothing is taken any more.
  void close();

  std::size_t waiting() const;
  // Why nothing is being pushed; empty where it is.
  std::string trouble() const;
  const PushCounters& counters() const { return counters_; }

 private:
  friend class Pusher;
  struct Waiting;
  using Taken = std::vector<std::shared_ptr<Waiting>>;

  // More requests that are likely to come in a moment, and how long they are waited for.
  struct Gathering {
    std::size_t requests = 1;
    std::chrono::microseconds patience{0};
  };
  // Waits for some; `records_max` records, and one request at least.
  Taken take(std::size_t records_max, Millis timeout, Gathering gathering);
  void give_back(Taken requests);  // to the front
  static void answer(Waiting& waiting, PushAnswer answer);
  void set_trouble(std::string trouble);
  // So many of the requests that are given back next are taken each by itself.
  void take_alone(std::size_t requests);

  Clock& clock_;
  const Millis patience_;
  PushCounters counters_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Waiting>> queue_;  // guarded by mutex_
  std::vector<std::weak_ptr<Waiting>> taken_;   // guarded by mutex_
  std::size_t queued_bytes_ = 0;                // guarded by mutex_
  std::size_t alone_ = 0;                       // guarded by mutex_
  std::size_t wanted_ = 1;                      // guarded by mutex_; so many wake who takes
  bool closed_ = false;                         // guarded by mutex_
  std::string trouble_ = "the gateway has only just begun";  // guarded by mutex_
};

struct PusherOptions {
  std::string features_topic;
  std::string transactional_id;     // the same again after a restart
  std::size_t records_max = 2'000;  // of a transaction
  std::chrono::microseconds gathering_max{5'000};
  Millis broker_timeout{10'000};
};

class Pusher final : public Role {
 public:
  static Result<std::unique_ptr<Pusher>> open(PusherOptions options, stream::Broker& broker,
                                              predictions::PredictionStore& store,
                                              const predictions::FeedProgress& progress,
                                              PushQueue& queue, Clock& clock);
  ~Pusher() override;
  Status step(Millis wait_max, std::stop_token stop) override;
  void finish() override;

 private:
  struct Known {
    predictions::Place place;
    predictions::ValueHash hash{};
  };
  struct Fate;

  Pusher(PusherOptions options, stream::Broker& broker, predictions::PredictionStore& store,
         const predictions::FeedProgress& progress, PushQueue& queue, Clock& clock);
  Status ask_for_ends();
  // Gives those back that have to wait for the next transaction.
  Result<PushQueue::Taken> push(const PushQueue::Taken& requests);
  Status look_up(const PushQueue::Taken& requests);
  const Known* known(const std::string& id) const;
  std::optional<Error> judge(const PushQueue::Waiting& request, Fate& fate) const;
  Status write(std::vector<Fate>& fates);
  void tell(Fate& fate);
  void expect(const std::vector<Fate>& fates, SteadyTime begun);
  void forget_what_is_indexed();

  const PusherOptions options_;
  stream::Broker& broker_;
  predictions::PredictionStore& store_;
  const predictions::FeedProgress& progress_;
  PushQueue& queue_;
  Clock& clock_;
  std::unique_ptr<stream::TransactionalSink> sink_;
  std::vector<stream::PartitionOffset> must_cover_;
  bool covered_ = false;
  std::uint64_t generation_;  // of the index, since before the ends were asked for

  // Pushed by this one, and not in the index yet.
  std::unordered_map<std::string, Known> recent_;
  std::deque<std::pair<predictions::Place, std::string>> recent_order_;
  // Of the ids of the requests at hand, those that the index has.
  std::unordered_map<std::string, Known> indexed_;
  PushQueue::Gathering gathering_;
};

}  // namespace weir::serve
