// A replay: what the features topic held when it began, scored again with a model of one's choice
// into topics of its own. The live pipeline does not notice: no group, no member, no committed
// offset, no control record.
//
// Predictions carry the model's version N and, as epoch, N as well: the epoch that N was trained
// in. So a record that was scored in that epoch has the same bytes in both topics. Dead letters
// go to a topic beside.
//
// Transactions are bounded, on a transactional id of the target's own: two replays into one topic
// shut each other out, and what a killed one left open is ended by the next. A reader of what is
// committed sees whole transactions.
//
// Owner: a command. Threads: one. Errors of open(): kInvalidArgument for a target that is the
// pipeline's own or is not empty, those of TopicHistory, of ModelRegistry
// and of the sink. Errors of step(): the replay is over; progress() has what was committed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "registry/model_registry.h"
#include "score/batch_scorer.h"
#include "stream/broker.h"

namespace weir::score {

struct ReplayOptions {
  std::string pipeline;
  std::string features_topic;
  std::vector<std::string> own_topics;  // of the pipeline: never a target
  std::string to;                       // predictions; dead letters go to replay_dead_topic(to)
  std::int32_t partitions = 1;          // of a target that is missing
  std::int32_t replication = -1;
  bool append = false;  // into a target that is not empty
  stream::HistoryStart start;
  std::uint64_t version = 0;
  std::size_t batch_records_max = 10'000;
  std::size_t transaction_records_max = 100'000;
  Millis transaction_time_max{2'000};
  Millis broker_timeout{30'000};
};

std::string replay_dead_topic(const std::string& to);

struct ReplayedSpan {
  std::int32_t partition = 0;
  std::int64_t begin = 0;
  std::int64_t next = 0;  // all below is committed; `end` once nothing is left
  std::int64_t end = 0;   // where the partition ended when the replay began
};

struct ReplayProgress {
  std::vector<ReplayedSpan> spans;  // by partition, all of them
  ScoreCounts counts;               // committed
  std::uint64_t transactions = 0;

  bool complete() const;
  // As `--from` takes it: "0:100,1:250".
  std::string continue_from() const;
};

class Replay {
 public:
  static Result<std::unique_ptr<Replay>> open(ReplayOptions options, stream::Broker& broker,
                                              const registry::ModelRegistry& models, Clock& clock);

  // The next batch, from the partitions in turn; a commit where one is due. True once all is
  // committed.
  Result<bool> step();
  // Commits what is open: what was begun is whole. Call it once, after the last step that went
  // well.
  Status finish();
  const ReplayProgress& progress() const { return progress_; }

 private:
  struct Transaction {
    SteadyTime began;
    std::size_t records = 0;
    ScoreCounts counts;
    std::vector<std::int64_t> next;  // by partition
    std::int32_t first_partition = 0;
    std::int64_t first_offset = 0;
  };

  Replay(ReplayOptions options, stream::Broker& broker, Clock& clock);
  Status check_target() const;
  Status refuse_what_is_not_empty(const std::string& topic);
  std::optional<std::size_t> next_span();
  Status score(std::size_t span, const stream::RecordBatch& batch);
  Status commit();
  Result<bool> look_for(const Transaction& done);
  std::string transactional_id() const { return options_.pipeline + ".replay." + options_.to; }

  const ReplayOptions options_;
  stream::Broker& broker_;
  Clock& clock_;
  std::unique_ptr<stream::TopicHistory> history_;
  std::unique_ptr<stream::TransactionalSink> sink_;
  std::unique_ptr<BatchScorer> scorer_;
  std::optional<Transaction> transaction_;
  std::vector<bool> read_;  // by partition: nothing is left in the history
  std::size_t turn_ = 0;    // the partition that was read last, plus one
  std::map<std::string, stream::HistoryStart> began_at_;  // by target: where it ended at the start
  ReplayProgress progress_;
};

}  // namespace weir::score
