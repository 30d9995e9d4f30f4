// An answer is read after its record was: the answer was committed after the record, so that
// whoever reads answers first and features then finds the record there. So each step takes answers,
// then features up to the answers' places, and puts both into the store in one transaction.
// An answer whose record does not come (its topic has dropped it, or another hand wrote the
// answer) is kept alone after a while.
//
// What was read and could not be applied is tried again as it was, with the same positions. Nothing
// further is read meanwhile, so that memory is bounded: by one batch, and by what the three tails
// fetch ahead.
#include "predictions/prediction_feed.h"

#include <algorithm>

#include "base/log.h"
#include "base/pulse.h"
#include "predictions/answer_reading.h"

namespace weir::predictions {
namespace {

// How long answers wait for records that ought to be there.
constexpr Millis kCoverMax{2'000};
// Predictions are waited for; features and dead letters are looked at so often.
constexpr Millis kLookEvery{20};
constexpr Millis kDropEvery{5'000};
constexpr Millis kBackoffMin{200};
constexpr Millis kBackoffMax{5'000};

bool passes(const Error& error) {
  switch (error.code()) {
    case Code::kUnavailable:
    case Code::kTimeout:
    case Code::kUnknownOutcome:
    case Code::kIo: return true;
    default: return false;
  }
}

std::map<std::int32_t, std::int64_t> next_of(const stream::TopicTail& tail) {
  std::map<std::int32_t, std::int64_t> next;
  for (const auto& at : tail.positions()) next[at.partition] = at.next;
  return next;
}

}  // namespace

PredictionFeed::PredictionFeed(FeedOptions options, stream::Broker& broker, PredictionStore& store,
                               AnswerBoard& board, FeedProgress& progress, Clock& clock)
    : options_(std::move(options)),
      broker_(broker),
      store_(store),
      board_(board),
      progress_(progress),
      clock_(clock) {
  features_.topic = options_.features_topic;
  predictions_.topic = options_.predictions_topic;
  dead_.topic = options_.dead_topic;
}

PredictionFeed::~PredictionFeed() = default;

Result<std::unique_ptr<PredictionFeed>> PredictionFeed::open(FeedOptions options,
                                                             stream::Broker& broker,
                                                             PredictionStore& store,
                                                             AnswerBoard& board,
                                                             FeedProgress& progress, Clock& clock) {
  std::unique_ptr<PredictionFeed> feed(
      new PredictionFeed(std::move(options), broker, store, board, progress, clock));
  // Brokers or a store that are away now are waited for in step().
  if (Status opened = feed->reopen(); !opened) {
    WEIR_TRY(feed->on_stream_error(std::move(opened.error())));
  }
  return feed;
}

// ---- opening ----

std::int64_t PredictionFeed::now_ms() const { return clock_.wall().time_since_epoch().count(); }
std::int64_t PredictionFeed::kept_from_ms() const { return now_ms() - options_.keep.count(); }

// Where the store cannot tell its positions it is left for later: no error, and not open.
Status PredictionFeed::reopen() {
  open_ = false;
  progress_.reset();  // first: from here on the store may be another one
  records_.clear();
  answers_.clear();
  answers_wait_until_.reset();
  batch_.reset();
  auto positions = store_.positions();
  if (!positions) {
    on_store_error(positions.error());
    return {};
  }
  WEIR_TRY(follow(features_, *positions));
  if (features_.tail->made_anew()) {
    log::warn("the features topic was made anew; predictions kept of the one before are dropped",
              {{"topic", features_.topic}});
    if (Status cleared = store_.clear(); !cleared) {
      on_store_error(cleared.error());
      return {};
    }
    positions = Positions();
    WEIR_TRY(follow(features_, *positions));
  }
  WEIR_TRY(follow(predictions_, *positions));
  WEIR_TRY(follow(dead_, *positions));
  for (const Followed* topic : {&features_, &predictions_, &dead_}) tell_of_jumps(*topic);
  board_.begin(false, predictions_.live_from, predictions_.tail->made_anew());
  board_.begin(true, dead_.live_from, dead_.tail->made_anew());
  open_ = true;
  mended();
  settled();
  return {};
}

Status PredictionFeed::follow(Followed& topic, const Positions& positions) {
  stream::TailStart start;
  start.else_from_ms = kept_from_ms();
  if (const auto kept = positions.find(topic.topic); kept != positions.end()) {
    start.offsets = kept->second.next;
    start.topic_id = kept->second.topic_id;
  }
  topic.tail.reset();
  topic.tail = WEIR_TRY(broker_.open_tail(topic.topic, start));
  topic.live_from.clear();
  for (const auto& at : topic.tail->positions()) {
    topic.live_from[at.partition] = std::max(at.next, at.end.value_or(0));
  }
  return {};
}

void PredictionFeed::tell_of_jumps(const Followed& topic) const {
  if (topic.tail->made_anew() && &topic != &features_) {
    log::warn("a topic was made anew; its answers are read from the earliest on",
              {{"topic", topic.topic}});
  }
  for (const stream::TailJump& jump : topic.tail->jumps()) {
    log::warn("records were deleted before they could be kept for the gateway",
              {{"topic", topic.topic},
               {"partition", jump.partition},
               {"from", jump.wanted},
               {"up_to", jump.began}});
  }
}

// ---- gathering ----

// Writers may set any time they like. What comes while we look has come now; what is read again
// later has no better time than its own.
std::int64_t PredictionFeed::time_of(const Followed& topic, const stream::Record& record) const {
  const std::int64_t now = now_ms();
  if (record.timestamp_ms > now) return now;
  const auto live = topic.live_from.find(record.partition);
  const bool is_live = live == topic.live_from.end() || record.offset >= live->second;
  return is_live && record.timestamp_ms < kept_from_ms() ? now : record.timestamp_ms;
}

Result<std::size_t> PredictionFeed::take_features(Millis timeout) {
  const auto batch = WEIR_TRY(features_.tail->poll(options_.batch_records_max, timeout));
  const std::int64_t kept_from = kept_from_ms();
  for (const stream::Record& record : batch->records()) {
    const std::int64_t arrived = time_of(features_, record);
    if (arrived < kept_from) continue;
    FeatureRecord& kept = records_.emplace_back();
    kept.place = {record.partition, record.offset};
    if (record.key) kept.id = std::string(*record.key);
    if (record.value.data()) kept.features = std::string(record.value);
    kept.arrived_ms = arrived;
  }
  return batch->records().size();
}

Result<std::size_t> PredictionFeed::take_answers(Followed& topic, bool dead, Millis timeout) {
  const auto batch = WEIR_TRY(topic.tail->poll(options_.batch_records_max, timeout));
  const std::int64_t kept_from = kept_from_ms();
  for (std::size_t i = 0; i < batch->records().size(); ++i) {
    const stream::Record& record = batch->records()[i];
    const std::int64_t answered = time_of(topic, record);
    if (answered < kept_from) continue;
    auto answer = dead ? read_dead_letter(*batch, i, features_.topic) : read_prediction(record);
    if (answer) answer->answered_ms = answered;
    take_answer(topic, std::move(answer));
  }
  return batch->records().size();
}

void PredictionFeed::take_answer(const Followed& topic, Result<Answer> answer) {
  if (answer) {
    answers_.push_back(std::move(*answer));
    return;
  }
  progress_.add_unreadable();
  if (std::exchange(told_of_unreadable_, true)) return;
  log::warn("an answer that no scorer of this pipeline wrote is not kept; others are only counted",
            {{"topic", topic.topic}, {"reason", answer.error()}});
}

// Whether the records of all answers have been read, or cannot be expected any more.
bool PredictionFeed::covered() const {
  if (answers_wait_until_ && clock_.steady() >= *answers_wait_until_) return true;
  const auto next = next_of(*features_.tail);
  return std::all_of(answers_.begin(), answers_.end(), [&](const Answer& answer) {
    const auto found = next.find(answer.of.partition);
    return found == next.end() || answer.of.offset < found->second;
  });
}

Status PredictionFeed::gather(Millis wait_max) {
  std::size_t features = 0;
  if (answers_.empty()) {
    features = WEIR_TRY(take_features(Millis(0)));
    const std::size_t dead = WEIR_TRY(take_answers(dead_, true, Millis(0)));
    const bool idle = features == 0 && dead == 0;
    WEIR_TRY(take_answers(predictions_, false, idle ? std::min(wait_max, kLookEvery) : Millis(0)));
  }
  if (!answers_.empty() && !covered()) {
    if (!answers_wait_until_) answers_wait_until_ = clock_.steady() + kCoverMax;
    WEIR_TRY(take_features(std::min(wait_max, kLookEvery)));
  }
  return {};
}

// ---- applying ----

// What was read becomes a batch, the answers once their records are in it or in the store.
void PredictionFeed::seal() {
  const bool with_answers = answers_.empty() || covered();
  if (records_.empty() && (answers_.empty() || !with_answers)) {
    if (answers_.empty()) settled();  // markers, and what is too old: the positions move alone
    return;
  }
  Batch& batch = batch_.emplace();
  batch.records = std::exchange(records_, {});
  const auto note = [&](const Followed& topic) {
    batch.positions[topic.topic] = {topic.tail->topic_id(), next_of(*topic.tail)};
  };
  note(features_);
  if (!with_answers) return;
  batch.answers = std::exchange(answers_, {});
  answers_wait_until_.reset();
  note(predictions_);
  note(dead_);
}

void PredictionFeed::flush() {
  const Inside call("keeping predictions");
  if (Status applied = store_.apply(*batch_); !applied) {
    on_store_error(applied.error());
    return;
  }
  mended();
  progress_.applied(batch_->records.size(), batch_->answers.size());
  std::vector<Answer> answers = std::move(batch_->answers);
  batch_.reset();
  settled();
  board_.announce(std::move(answers));
}

// Everything that was read is in the store, but for answers that wait for their records.
void PredictionFeed::settled() {
  progress_.reached(features_.topic, features_.tail->positions());
  if (!answers_.empty()) return;
  progress_.reached(predictions_.topic, predictions_.tail->positions());
  progress_.reached(dead_.topic, dead_.tail->positions());
}

void PredictionFeed::drop_old() {
  if (clock_.steady() < next_drop_) return;
  const auto dropped = store_.drop(kept_from_ms(), options_.records_max);
  if (!dropped) {
    next_drop_ = clock_.steady() + kDropEvery;
    on_store_error(dropped.error());
    return;
  }
  mended();
  progress_.add_dropped(*dropped);
  // Some thousands at a time: the rest at the next step.
  if (*dropped == 0) next_drop_ = clock_.steady() + kDropEvery;
}

// ---- trouble ----

Status PredictionFeed::on_stream_error(Error error) {
  if (error.code() == Code::kCorrupt) {
    // What was to be read next is gone. Another opening finds out how far.
    log::warn("the gateway's reader has lost its place and looks for it", {{"reason", error}});
    open_ = false;
    try_again_later();
    return {};
  }
  if (!passes(error)) return fail(std::move(error));
  stream_trouble_ = true;
  if (progress_.set_trouble(error)) {
    log::warn("predictions cannot be followed now; trying again", {{"reason", error}});
  }
  try_again_later();
  return {};
}

void PredictionFeed::on_store_error(const Error& error) {
  if (error.code() == Code::kCorrupt) {
    // Its content is lost, and with it the batch that was on its way.
    progress_.add_refill();
    progress_.reset();
    open_ = false;
  }
  if (progress_.set_trouble(error)) {
    log::warn("predictions cannot be kept now; trying again", {{"reason", error}});
  }
  try_again_later();
}

void PredictionFeed::try_again_later() {
  backoff_ = std::clamp(backoff_ * 2, kBackoffMin, kBackoffMax);
  retry_at_ = clock_.steady() + backoff_;
}

void PredictionFeed::mended() {
  stream_trouble_ = false;
  backoff_ = Millis(0);
  if (progress_.clear_trouble()) log::info("predictions are kept again");
}

void PredictionFeed::pause(Millis wait_max, std::stop_token stop) {
  const auto left = std::chrono::duration_cast<Millis>(*retry_at_ - clock_.steady());
  if (left > Millis(0)) clock_.sleep_for(std::min(wait_max, left), std::move(stop));
  if (clock_.steady() >= *retry_at_) retry_at_.reset();
}

Status PredictionFeed::step(Millis wait_max, std::stop_token stop) {
  if (retry_at_) {
    pause(wait_max, stop);
    return {};
  }
  if (!open_) {
    if (Status opened = reopen(); !opened) return on_stream_error(std::move(opened.error()));
    if (!open_) return {};
  }
  if (!batch_) {
    if (Status gathered = gather(wait_max); !gathered) {
      return on_stream_error(std::move(gathered.error()));
    }
    if (stream_trouble_) mended();
    seal();
  }
  if (batch_) flush();
  if (open_ && !batch_) drop_old();
  return {};
}

void PredictionFeed::finish() {
  // Nothing is lost with what was read and not applied: the positions are of what was.
  features_.tail.reset();
  predictions_.tail.reset();
  dead_.tail.reset();
  open_ = false;
}

}  // namespace weir::predictions
