#include "score/replay.h"

#include <algorithm>
#include <utility>

#include "format/prediction_message.h"

namespace weir::score {
namespace {

// While a transaction is open, a partition that gives nothing for so long has it committed first:
// a transaction that waits on something else may be ended by the brokers.
constexpr Millis kReadWhileOpen{1'000};

// Whether the record is the prediction, or the dead letter, of a feature record.
bool answers(const stream::RecordBatch& batch, std::size_t index, std::int32_t partition,
             std::int64_t offset) {
  if (const auto prediction = format::parse_prediction(batch.records()[index].value)) {
    return prediction->partition == partition && prediction->offset == offset;
  }
  int equal = 0;
  for (const auto& [name, value] : batch.headers(index)) {
    equal += name == "__connect.errors.partition" && value == std::to_string(partition);
    equal += name == "__connect.errors.offset" && value == std::to_string(offset);
  }
  return equal == 2;
}

}  // namespace

std::string replay_dead_topic(const std::string& to) { return to + ".dead"; }

bool ReplayProgress::complete() const {
  return std::all_of(spans.begin(), spans.end(), [](const auto& at) { return at.next >= at.end; });
}

std::string ReplayProgress::continue_from() const {
  std::string text;
  for (const ReplayedSpan& span : spans) {
    if (!text.empty()) text += ',';
    text += std::to_string(span.partition) + ":" + std::to_string(span.next);
  }
  return text;
}

Replay::Replay(ReplayOptions options, stream::Broker& broker, Clock& clock)
    : options_(std::move(options)), broker_(broker), clock_(clock) {}

Result<std::unique_ptr<Replay>> Replay::open(ReplayOptions options, stream::Broker& broker,
                                             const registry::ModelRegistry& models, Clock& clock) {
  std::unique_ptr<Replay> replay(new Replay(std::move(options), broker, clock));
  const ReplayOptions& own = replay->options_;
  const std::string dead_topic = replay_dead_topic(own.to);
  WEIR_TRY(replay->check_target());
  // Nothing is made before all that is to be read is there.
  const auto loaded = WEIR_TRY(models.load(own.version, ""));
  replay->history_ = WEIR_TRY(broker.open_history(own.features_topic, own.start));
  for (const stream::PartitionSpan& span : replay->history_->spans()) {
    replay->progress_.spans.push_back({span.partition, span.begin, span.begin, span.end});
    replay->read_.push_back(span.begin >= span.end);
  }
  WEIR_TRY(during(broker.ensure_topics({{own.to, own.partitions, false, own.replication},
                                        {dead_topic, own.partitions, false, own.replication}},
                                       own.broker_timeout),
                  "making the topics of the replay"));
  // Before the look at what is there: it ends what a replay that was killed left open.
  replay->sink_ = WEIR_TRY(during(broker.open_sink(replay->transactional_id(), own.broker_timeout),
                                  "opening " + own.to));
  for (const std::string& topic : {own.to, dead_topic}) {
    stream::HistoryStart& end = replay->began_at_[topic];
    for (const auto& at : WEIR_TRY(broker.log_ends(topic, own.broker_timeout))) {
      end.offsets[at.partition] = at.next_offset;
    }
  }
  if (!own.append) {
    WEIR_TRY(replay->refuse_what_is_not_empty(own.to));
    WEIR_TRY(replay->refuse_what_is_not_empty(dead_topic));
  }
  replay->scorer_ = std::make_unique<BatchScorer>(
      OutputNames{own.pipeline, own.features_topic, own.to, dead_topic, "replay"}, loaded.model,
      own.version, own.version);
  return replay;
}

Status Replay::check_target() const {
  for (const std::string& topic : {options_.to, replay_dead_topic(options_.to)}) {
    const auto& own = options_.own_topics;
    if (std::find(own.begin(), own.end(), topic) == own.end()) continue;
    return fail(Code::kInvalidArgument,
                "a replay cannot write to " + topic +
                    ", which is the live pipeline's own; name another topic (" + options_.to +
                    " takes the predictions, " + replay_dead_topic(options_.to) +
                    " the dead letters)");
  }
  return {};
}

Status Replay::refuse_what_is_not_empty(const std::string& topic) {
  const auto history =
      WEIR_TRY(during(broker_.open_history(topic, {}), "looking whether " + topic + " is empty"));
  for (const stream::PartitionSpan& span : history->spans()) {
    bool written = span.begin > 0;  // retention cut off what was there
    if (!written) {
      // Aborted records and markers take up offsets, too: only reading tells.
      const auto batch = WEIR_TRY(history->next(span.partition, 1, options_.broker_timeout));
      written = !batch->records().empty();
    }
    if (!written) continue;
    return fail(Code::kInvalidArgument, "topic " + topic +
                                            " is not empty: a replay would mix with what is there; "
                                            "name another topic, or give --append");
  }
  return {};
}

Result<bool> Replay::step() {
  const auto span = next_span();
  if (!span) {
    WEIR_TRY(commit());
    return true;
  }
  const std::int32_t partition = progress_.spans[*span].partition;
  auto batch = history_->next(partition, options_.batch_records_max,
                              transaction_ ? kReadWhileOpen : options_.broker_timeout);
  if (!batch) {
    if (!transaction_) return fail(std::move(batch.error()));
    const bool waits = batch.error().code() == Code::kTimeout;
    WEIR_TRY(commit());  // what has been scored is whole
    if (waits) return false;
    return fail(std::move(batch.error()));
  }
  if ((*batch)->records().empty()) {
    read_[*span] = true;
    // Markers and aborted records may lie between the last record and the end.
    if (transaction_) {
      transaction_->next[*span] = progress_.spans[*span].end;
    } else {
      progress_.spans[*span].next = progress_.spans[*span].end;
    }
    return false;
  }
  if (Status scored = score(*span, **batch); !scored) {
    transaction_.reset();  // it will be aborted: this sink writes no more
    sink_.reset();
    return fail(std::move(scored.error()).while_doing("writing to " + options_.to));
  }
  const bool due = transaction_->records >= options_.transaction_records_max ||
                   clock_.steady() - transaction_->began >= options_.transaction_time_max;
  if (due) WEIR_TRY(commit());
  return false;
}

// By turns, so that what is fetched ahead of one partition is read while the others are fetched.
std::optional<std::size_t> Replay::next_span() {
  for (std::size_t i = 0; i < read_.size(); ++i) {
    const std::size_t span = (turn_ + i) % read_.size();
    if (read_[span]) continue;
    turn_ = span + 1;
    return span;
  }
  return std::nullopt;
}

Status Replay::score(std::size_t span, const stream::RecordBatch& batch) {
  if (!transaction_) {
    WEIR_TRY(sink_->begin());
    transaction_.emplace();
    transaction_->began = clock_.steady();
    transaction_->first_partition = batch.records().front().partition;
    transaction_->first_offset = batch.records().front().offset;
    for (const ReplayedSpan& at : progress_.spans) transaction_->next.push_back(at.next);
  }
  const ScoreCounts counts = WEIR_TRY(scorer_->score(batch, *sink_));
  transaction_->counts.scored += counts.scored;
  transaction_->counts.dead += counts.dead;
  transaction_->records += batch.records().size();
  transaction_->next[span] = batch.records().back().offset + 1;
  return {};
}

Status Replay::commit() {
  if (!transaction_) return {};
  const Transaction done = *std::exchange(transaction_, std::nullopt);
  if (Status committed = sink_->commit({}, {}, nullptr); !committed) {
    sink_.reset();
    bool took_place = false;
    if (committed.error().code() == Code::kUnknownOutcome) {
      took_place =
          WEIR_TRY(during(look_for(done),
                          "a commit had no answer, and looking whether it took place (is there an "
                          "answer to " +
                              std::to_string(done.first_partition) + "@" +
                              std::to_string(done.first_offset) + " in " + options_.to + "?)"));
    }
    if (!took_place) {
      return fail(std::move(committed.error()).while_doing("committing to " + options_.to));
    }
  }
  for (std::size_t i = 0; i < done.next.size(); ++i) progress_.spans[i].next = done.next[i];
  progress_.counts.scored += done.counts.scored;
  progress_.counts.dead += done.counts.dead;
  ++progress_.transactions;
  return {};
}

// A commit without an answer took place if its first record was answered since the replay began.
// Opening the transactional id anew first ends the transaction, one way or the other.
Result<bool> Replay::look_for(const Transaction& done) {
  sink_ = WEIR_TRY(broker_.open_sink(transactional_id(), options_.broker_timeout));
  for (const auto& [topic, began] : began_at_) {
    const auto history = WEIR_TRY(broker_.open_history(topic, began));
    for (const stream::PartitionSpan& span : history->spans()) {
      for (;;) {
        const auto batch = WEIR_TRY(
            history->next(span.partition, options_.batch_records_max, options_.broker_timeout));
        if (batch->records().empty()) break;
        for (std::size_t i = 0; i < batch->records().size(); ++i) {
          if (answers(*batch, i, done.first_partition, done.first_offset)) return true;
        }
      }
    }
  }
  return false;
}

Status Replay::finish() { return commit(); }

}  // namespace weir::score
