// Fills a prediction store from the topics of features, predictions and dead letters, for as long
// as it runs: each record and each answer once, as the positions are kept with what was read up to
// them. Tells the board of each answer once it is in the store.
//
// Owner: whoever drives it; broker, store, board, progress and clock outlive it. Threads: one, as
// any Role. Errors of step(): those of the broker that no waiting mends (kNotFound,
// kPermissionDenied, kCancelled). A store that is full, away or slow, and brokers that are away,
// end nothing: the feed waits and goes on (FeedProgress::trouble()). A store that has lost its
// content is filled again from the topics. Where Kafka no longer has the place to go on from, the
// feed goes on from the earliest record and says so; where the features topic was made anew,
// everything kept is dropped, as it is about another stream.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/role.h"
#include "predictions/answer_board.h"
#include "predictions/feed_progress.h"
#include "predictions/prediction_store.h"
#include "stream/broker.h"

namespace weir::predictions {

struct FeedOptions {
  std::string features_topic;
  std::string predictions_topic;
  std::string dead_topic;
  Millis keep{std::chrono::hours(24)};
  std::uint64_t records_max = 1'000'000;
  std::size_t batch_records_max = 2'000;  // of each topic, in one transaction of the store
};

class PredictionFeed final : public Role {
 public:
  static Result<std::unique_ptr<PredictionFeed>> open(FeedOptions options, stream::Broker& broker,
                                                      PredictionStore& store, AnswerBoard& board,
                                                      FeedProgress& progress, Clock& clock);
  ~PredictionFeed() override;

  Status step(Millis wait_max, std::stop_token stop) override;
  void finish() override;

 private:
  struct Followed {
    std::string topic;
    std::unique_ptr<stream::TopicTail> tail;
    // What is at these offsets or later came while this feed was following.
    std::map<std::int32_t, std::int64_t> live_from;
  };

  PredictionFeed(FeedOptions options, stream::Broker& broker, PredictionStore& store,
                 AnswerBoard& board, FeedProgress& progress, Clock& clock);

  // ---- opening ----
  Status reopen();
  Status follow(Followed& topic, const Positions& positions);
  void tell_of_jumps(const Followed& topic) const;

  // ---- gathering ----
  Status gather(Millis wait_max);
  Result<std::size_t> take_features(Millis timeout);
  Result<std::size_t> take_answers(Followed& topic, bool dead, Millis timeout);
  void take_answer(const Followed& topic, Result<Answer> answer);
  bool covered() const;
  std::int64_t kept_from_ms() const;
  std::int64_t now_ms() const;
  std::int64_t time_of(const Followed& topic, const stream::Record& record) const;

  // ---- applying ----
  void seal();
  void flush();
  void settled();
  void drop_old();

  // ---- trouble ----
  Status on_stream_error(Error error);
  void on_store_error(const Error& error);
  void try_again_later();
  void mended();
  void pause(Millis wait_max, std::stop_token stop);

  const FeedOptions options_;
  stream::Broker& broker_;
  PredictionStore& store_;
  AnswerBoard& board_;
  FeedProgress& progress_;
  Clock& clock_;

  bool open_ = false;  // the three are followed
  Followed features_;
  Followed predictions_;
  Followed dead_;

  std::vector<FeatureRecord> records_;  // read, and in no batch yet
  std::vector<Answer> answers_;         // likewise; they wait for their records
  std::optional<SteadyTime> answers_wait_until_;
  std::optional<Batch> batch_;  // to be applied; tried again until it is

  bool stream_trouble_ = false;
  Millis backoff_{0};
  std::optional<SteadyTime> retry_at_;
  SteadyTime next_drop_{};
  bool told_of_unreadable_ = false;
};

}  // namespace weir::predictions
