// One step: what the control log says, then a poll, then the batch, then perhaps a commit.
//
// A model that comes into force while the old one is at work (while_training: continue) is loaded
// beside it; then the scorer changes over between two transactions. Until then the old one goes on
// with the partitions that we have: nobody else can have scored those with the new one. With
// partitions that come meanwhile somebody may have, and an epoch would fall.
//
// What can go wrong with a transaction has one answer, recover(): the sink is thrown away, a new
// one with the same transactional id ends whatever the old one left open, and the source goes back
// to the group's committed offsets, which alone say whether a commit of unknown outcome took place.
// A scorer that was fenced stops instead: its next life reads the control log before anything else.
#include "score/scorer.h"

#include <algorithm>

#include "base/log.h"
#include "cache/prediction_cache.h"
#include "record/swap.h"

namespace weir::score {
namespace {

constexpr Millis kIdlePoll{20};
constexpr Millis kLoadingPoll{2};  // while a model is on its way
constexpr Millis kLoadAgainAfter{1'000};
constexpr Millis kRefusalPauseFirst{1'000};
constexpr Millis kRefusalPauseMax{60'000};

// In as few ranges as they need.
std::vector<record::PartitionRange> ranges_of(std::span<const stream::PartitionPosition> held) {
  std::vector<std::int32_t> partitions;
  for (const stream::PartitionPosition& at : held) partitions.push_back(at.partition);
  std::sort(partitions.begin(), partitions.end());
  std::vector<record::PartitionRange> ranges;
  for (const std::int32_t partition : partitions) {
    if (!ranges.empty() && ranges.back().last + 1 == partition) ranges.back().last = partition;
    else ranges.push_back({partition, partition});
  }
  ranges.resize(std::min(ranges.size(), record::kRangesToldMax));
  return ranges;
}

}  // namespace

Scorer::Scorer(ScorerOptions options, stream::Broker& broker, std::unique_ptr<ModelLoader> loader,
               Clock& clock, CrashPoints crash_points, ScorerCounters& counters)
    : options_(std::move(options)),
      broker_(broker),
      loader_(std::move(loader)),
      clock_(clock),
      crash_points_(std::move(crash_points)),
      counters_(counters),
      traces_(options_.tracer, options_.features_topic, options_.member),
      waiting_(clock, options_.member) {}

Result<std::unique_ptr<Scorer>> Scorer::open(ScorerOptions options, stream::Broker& broker,
                                             std::unique_ptr<ModelLoader> loader, Clock& clock,
                                             CrashPoints crash_points, ScorerCounters& counters) {
  std::unique_ptr<Scorer> scorer(new Scorer(std::move(options), broker, std::move(loader), clock,
                                            std::move(crash_points), counters));
  const ScorerOptions& own = scorer->options_;
  record::MemberRecord self;
  self.member = own.member;
  self.role = "scorer";
  self.transactional_id = scorer->transactional_id();
  // First announced, then read: see gate/members.h for why the order matters.
  scorer->membership_ = WEIR_TRY(gate::Membership::open(broker, own.members_topic, self, clock));
  scorer->control_ = WEIR_TRY(gate::ControlFollower::open(broker, own.control_topic));
  WEIR_TRY(scorer->control_->catch_up(own.broker_timeout));
  scorer->sink_ = WEIR_TRY(during(broker.open_sink(self.transactional_id, own.broker_timeout),
                                  "opening the predictions topic " + own.predictions_topic));
  scorer->source_ =
      WEIR_TRY(during(broker.open_source(own.features_topic, own.group, own.member, *scorer,
                                         {own.predictions_topic, own.dead_topic}),
                      "opening the features topic " + own.features_topic));
  scorer->source_->set_paused(true);
  return scorer;
}

Status Scorer::step(Millis wait_max, std::stop_token) {
  WEIR_TRY(control_->poll(Millis{0}));
  WEIR_TRY(follow_control());
  WEIR_TRY(membership_->heartbeat([this] { return progress(); }));
  if (score_again_ && clock_.steady() >= *score_again_) {
    score_again_.reset();
    pause_or_flow();
  }
  auto batch = source_->poll(options_.batch_records_max, poll_wait(wait_max));
  // Another has our name: not even the sink is to be opened anew, which would shut that one out.
  const bool replaced = !batch && batch.error().code() == Code::kFenced;
  if (to_recover_ && !replaced) {
    const Error why = *std::exchange(to_recover_, std::nullopt);
    return recover(why);
  }
  if (!batch) {
    if (!batch.error().retryable()) {
      return fail(std::move(batch.error())
                      .while_doing("reading the features topic " + options_.features_topic));
    }
    log::warn("cannot read the features topic", {{"reason", batch.error()}});
    waiting_.waits("broker", "the brokers do not answer: " + batch.error().message(),
                   log::Level::kWarn);
    clock_.sleep_for(kIdlePoll, {});
    return commit_if_due(false);
  }
  recovered_ = false;
  if (assigned_) {
    assigned_ = false;
    WEIR_TRY(control_->catch_up(options_.broker_timeout));
    WEIR_TRY(follow_control());
    // Who had them before may have scored them with the new model already.
    if (behind()) WEIR_TRY(stop_old_model("partitions came that another may have scored with it"));
  }
  // The source went back behind this batch, which comes once more.
  if (recovered_) return {};
  look_for_progress(**batch);
  if ((*batch)->records().empty()) return commit_if_due(false);
  crash_points_.reach("polled");
  if (!gate_open_) return source_->rewind_to_committed();  // it came in just before the halt
  Status scored = score(**batch);
  if (!scored) return recover(scored.error());
  return commit_if_due(true);
}

Millis Scorer::poll_wait(Millis wait_max) const {
  const Millis idle = std::min(wait_max, requested_ ? kLoadingPoll : kIdlePoll);
  if (!transaction_) return idle;
  const auto left = std::chrono::duration_cast<Millis>(commit_due_ - clock_.steady());
  return std::clamp(left, Millis{0}, idle);
}

// ---- why nothing moves ----

void Scorer::look_for_progress(const stream::RecordBatch& batch) {
  if (gate_open_ && !batch.records().empty()) return waiting_.moves();
  const record::ControlState& state = control_->state();
  if (!gate_open_) {
    if (waiting_.waits_at_gate(state)) return;
    const std::string model = "model " + std::to_string(state.version);
    return waiting_.waits("model",
                          load_error_.empty() ? model + " is being loaded"
                                              : model + " cannot be loaded: " + load_error_,
                          log::Level::kWarn);
  }
  if (source_->assignment().empty()) {
    return waiting_.waits("partitions", "no partitions are assigned to this scorer",
                          log::Level::kWarn);
  }
  if (source_->at_end()) {
    return waiting_.waits("records", "no records in " + options_.features_topic,
                          log::Level::kDebug);
  }
  waiting_.waits("fetch", "nothing comes of " + options_.features_topic + ", though it has more",
                 log::Level::kWarn);
}

record::MemberProgress Scorer::progress() const {
  record::MemberProgress progress;
  if (scorer_ && gate_open_) {
    progress.model = scorer_->version();
    progress.model_epoch = scorer_->epoch();
  }
  if (options_.cache) progress.cache = options_.cache->state();
  progress.waiting_for = waiting_.words();
  progress.waiting_ms = waiting_.lasts().count();
  progress.scored = counters_.scored;
  progress.dead = counters_.dead;
  auto positions = source_->positions();
  // Where there are too many to tell of, the ones that are furthest behind.
  const auto lag = [](const stream::PartitionPosition& at) { return at.end.value_or(0) - at.next; };
  std::stable_sort(positions.begin(), positions.end(),
                   [&](const auto& a, const auto& b) { return lag(a) > lag(b); });
  const std::size_t told = std::min(positions.size(), record::kPartitionsToldMax);
  progress.also_holds = ranges_of(std::span(positions).subspan(told));
  positions.resize(told);
  const std::int64_t now = clock_.wall().time_since_epoch().count();
  for (const stream::PartitionPosition& at : positions) {
    record::PartitionProgress partition{at.partition, at.next, at.end, std::nullopt};
    // What was handed out of it is committed, or it was rewound.
    const bool under_way = transaction_ && transaction_->next_offsets.contains(at.partition);
    if (!under_way) partition.answered = at.next;
    const auto last = last_record_ms_.find(at.partition);
    if (last != last_record_ms_.end() && last->second >= 0) {
      partition.last_record_age_ms = std::max<std::int64_t>(now - last->second, 0);
    }
    progress.partitions.push_back(partition);
  }
  return progress;
}

// ---- the gate ----

Status Scorer::follow_control() {
  const record::ControlState& state = control_->state();
  if (!state.gate_open()) return close_gate(state.begun ? state.begun->epoch : 0);
  if (gate_open_ && scorer_->epoch() == state.ruling_epoch) return {};
  return change_over();
}

Status Scorer::close_gate(std::uint64_t epoch) {
  if (gate_open_) {
    WEIR_TRY(commit_open());
    gate_open_ = false;
    behind_since_.reset();
    pause_or_flow();
    if (epoch != 0) log::info("halted", {{"member", options_.member}, {"epoch", epoch}});
  }
  if (epoch == 0) return {};  // no model yet
  return membership_->acknowledge_halt(epoch);
}

// True while the old model is at work although another rules.
bool Scorer::behind() const {
  return gate_open_ && scorer_->epoch() != control_->state().ruling_epoch;
}

// To the model that rules, once it is there: between two transactions.
Status Scorer::change_over() {
  const record::ControlState& state = control_->state();
  const auto is_there = [&] { return model_name_ == ModelName{state.version, state.sha256}; };
  if (behind() && !behind_since_) behind_since_ = clock_.steady();
  // We have overslept a halt: the trainer has shut us out and counts on that.
  if (behind() && !state.may_linger(scorer_->epoch())) {
    WEIR_TRY(stop_old_model("the stream was halted meanwhile"));
  }
  if (!is_there()) fetch_model();
  if (!is_there()) {
    const bool overdue = behind() && clock_.steady() - *behind_since_ >= options_.old_model_max;
    return overdue ? stop_old_model("it has gone on for score.old_model_max") : Status{};
  }
  WEIR_TRY(commit_open());
  // A recovery may have read a halt or another resume: the next step follows it.
  if (!state.gate_open() || !is_there()) return {};
  scorer_ = std::make_unique<BatchScorer>(
      OutputNames{options_.pipeline, options_.features_topic, options_.predictions_topic,
                  options_.dead_topic, options_.member},
      model_, state.version, state.ruling_epoch);
  behind_since_.reset();
  membership_->gate_opened();
  gate_open_ = true;
  pause_or_flow();
  log::info("scoring",
            {{"member", options_.member}, {"model", state.version}, {"epoch", state.ruling_epoch}});
  return {};
}

// Asks for the model that rules, or takes it where it has come.
void Scorer::fetch_model() {
  const record::ControlState& state = control_->state();
  ModelName wanted{state.version, state.sha256};
  if (requested_ != wanted) {
    if (!requested_ && clock_.steady() < next_load_) return;
    loader_->request(wanted.version, wanted.sha256);
    requested_ = wanted;
  }
  auto loaded = loader_->take();
  if (!loaded) return;
  requested_.reset();
  load_error_ = *loaded ? "" : loaded->error().message();
  if (!*loaded) {
    log::error(gate_open_ ? "the old model goes on: the model in force cannot be loaded"
                          : "nothing is scored: the model in force cannot be loaded",
               {{"version", wanted.version}, {"reason", loaded->error()}});
    next_load_ = clock_.steady() + kLoadAgainAfter;
    return;
  }
  crash_points_.reach("model-loaded");
  model_name_ = std::move(wanted);
  model_ = std::move((*loaded)->model);
  if (options_.cache) {
    model_ = options_.cache->in_front_of(std::move(model_), model_name_.version,
                                         (*loaded)->manifest.model_sha256);
  }
}

// The model that rules is not there, and the old one may not go on.
Status Scorer::stop_old_model(const char* why) {
  WEIR_TRY(commit_open());
  gate_open_ = false;
  pause_or_flow();
  behind_since_.reset();
  log::warn("nothing is scored until the model in force is loaded: the old one may not go on",
            {{"member", options_.member},
             {"model", scorer_->version()},
             {"in_force", control_->state().version},
             {"reason", why}});
  return {};
}

// ---- scoring ----

Status Scorer::score(const stream::RecordBatch& batch) {
  if (!transaction_) {
    WEIR_TRY(sink_->begin());
    transaction_.emplace();
    transaction_->began = clock_.steady();
    traces_.forget();
  }
  WEIR_TRY(note_swaps(batch));
  const ScoreCounts counts = WEIR_TRY(scorer_->score(batch, *sink_, &traces_));
  crash_points_.reach("produced");
  transaction_->counts.scored += counts.scored;
  transaction_->counts.dead += counts.dead;
  transaction_->records += batch.records().size();
  transaction_->group = batch.group();
  const auto records = batch.records();
  for (std::size_t i = 0; i < records.size(); ++i) {
    // They come in runs of one partition: the last of each run is enough.
    if (i + 1 < records.size() && records[i + 1].partition == records[i].partition) continue;
    transaction_->next_offsets[records[i].partition] = records[i].offset + 1;
    last_record_ms_[records[i].partition] = records[i].timestamp_ms;
  }
  return {};
}

// Where this epoch takes over a partition: on record with the first answer, or not at all.
Status Scorer::note_swaps(const stream::RecordBatch& batch) {
  for (const auto& first : swap_notes_.take(batch.records(), scorer_->epoch())) {
    const record::SwapRecord note{scorer_->epoch(), scorer_->version(), first.partition,
                                  first.offset, options_.member};
    WEIR_TRY(sink_->send({options_.swaps_topic, 0, std::nullopt, note.to_json(), nullptr}));
  }
  return {};
}

// Commits are an interval apart from begin to begin, so that what comes after a rest is answered at
// once, and how long one commit takes is not added to how long the next transaction gathers. But
// what is there already goes into it, up to an interval from its own begin: in a backlog counts how
// much of the time is spent with scoring.
Status Scorer::commit_if_due(bool more_there) {
  if (!transaction_) return {};
  const SteadyTime now = clock_.steady();
  const bool due = (now >= commit_due_ && !more_there) ||
                   now >= transaction_->began + options_.commit_interval ||
                   transaction_->records >= options_.transaction_records_max;
  return due ? commit_open() : Status{};
}

Status Scorer::commit_open() {
  if (!transaction_) return {};
  Status committed = try_commit();
  return committed ? committed : recover(committed.error());
}

Status Scorer::try_commit() {
  std::vector<stream::PartitionOffset> offsets;
  for (const auto& [partition, next] : transaction_->next_offsets) {
    offsets.push_back({partition, next});
  }
  crash_points_.reach("scored");
  commit_due_ = clock_.steady() + options_.commit_interval;
  WEIR_TRY(sink_->commit(options_.features_topic, offsets, transaction_->group.get()));
  crash_points_.reach("committed");
  counters_.scored += transaction_->counts.scored;
  counters_.dead += transaction_->counts.dead;
  ++counters_.transactions;
  traces_.committed();
  transaction_.reset();
  refusal_pause_ = Millis{0};
  swap_notes_.committed();
  return {};
}

Status Scorer::recover(const Error& why) {
  recovered_ = true;
  transaction_.reset();
  swap_notes_.aborted();
  sink_.reset();
  if (why.code() == Code::kFenced) {
    return fail(Error(why).while_doing("scoring as " + options_.member +
                                       ", which another process of this name, the trainer or the "
                                       "brokers have shut out"));
  }
  if (why.code() == Code::kPermissionDenied) return fail(why);
  if (why.code() == Code::kInvalidArgument || why.code() == Code::kNotFound) {
    pause_after(why);
  } else {
    log::warn("a transaction came to nothing and its records are scored again",
              {{"member", options_.member}, {"reason", why}});
  }
  sink_ = WEIR_TRY(during(broker_.open_sink(transactional_id(), options_.broker_timeout),
                          "opening the predictions topic again"));
  // The trainer may have given us up meanwhile and shut out the old sink: the new one is not. So
  // what the control log says now comes before the next record.
  WEIR_TRY(control_->catch_up(options_.broker_timeout));
  return during(source_->rewind_to_committed(), "going back to the committed offsets");
}

// What a broker refuses it will refuse again, until somebody mends a topic. The source goes on
// being polled, so that the group keeps us, and gives nothing.
void Scorer::pause_after(const Error& refusal) {
  refusal_pause_ = std::clamp(refusal_pause_ * 2, kRefusalPauseFirst, kRefusalPauseMax);
  score_again_ = clock_.steady() + refusal_pause_;
  pause_or_flow();
  const std::string topics =
      options_.predictions_topic + ", " + options_.dead_topic + " and " + options_.swaps_topic;
  const std::string remedy =
      refusal.code() == Code::kNotFound
          ? "make the missing topic again (each start of weir makes those of " + topics +
                " that are missing)"
          : "let " + topics + " take records as large as those of " + options_.features_topic +
                " and a little more (max.message.bytes)";
  log::error(
      "nothing is scored: the brokers refuse the answers; " + remedy,
      {{"member", options_.member}, {"again_in_ms", refusal_pause_.count()}, {"reason", refusal}});
}

// ---- rebalances, called inside poll() ----

void Scorer::on_assigned(std::span<const std::int32_t> partitions) {
  assigned_ = true;
  for (const std::int32_t partition : partitions) last_record_ms_.erase(partition);
  swap_notes_.forget(partitions);
  log::debug("partitions assigned", {{"member", options_.member}, {"count", partitions.size()}});
}

void Scorer::on_revoked(std::span<const std::int32_t> partitions) {
  if (transaction_) {
    Status committed = try_commit();
    if (!committed) to_recover_ = committed.error();
  }
  swap_notes_.forget(partitions);
}

void Scorer::on_lost(std::span<const std::int32_t> partitions) {
  swap_notes_.forget(partitions);
  if (!transaction_) return;
  to_recover_ = Error(Code::kUnavailable, "the partitions were given to another member");
}

void Scorer::finish() {
  if (transaction_) {
    Status committed = try_commit();
    if (!committed)
      log::warn("the last transaction was not committed", {{"reason", committed.error()}});
    transaction_.reset();  // close() asks on_revoked() for a commit once more
  }
  sink_.reset();
  source_->close();
  membership_->leave();
}

}  // namespace weir::score
