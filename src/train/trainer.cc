// The epoch protocol, trainer's side.
//
// The control log is the only memory. Each step below is either recorded there or can be seen on
// the store, and each can be done twice:
//
//   halt{e, D}     in the log. From here on epoch e is begun, and every leader carries it on.
//   halted{e}      on the members topic, said again with each heartbeat: a new leader hears it too.
//   train          leaves nothing but a temporary folder, swept by the next leader.
//   publish        a rename: version e is there, whole, or not at all. A leader that finds version
//   e
//                  of a begun epoch verifies it and goes on to the resume.
//   resume{e}      in the log: the epoch has ended. The model named rules from here on.
//   move D         to used/ or rejected/. A leader whose last epoch has ended looks whether D is
//                  still in the drop folder, as the same file, and moves it before anything else.
//
// So a crash between any two steps is finished by the next leader, and no epoch stays open.
#include "train/trainer.h"

#include <algorithm>

#include "base/log.h"
#include "base/sha256.h"
#include "train/models_of_log.h"
#include "train/quality_gate.h"
#include "train/reason_json.h"

namespace weir::train {
namespace {

bool is_fault_of_data(Code code) {
  return code == Code::kBadData || code == Code::kUnsupported || code == Code::kInvalidArgument ||
         code == Code::kCorrupt;
}

}  // namespace

Trainer::Trainer(TrainerOptions options, stream::Broker& broker, store::FileStore& store,
                 const std::string& dataset_path, const std::string& models_path,
                 TrainFunction train, Clock& clock, CrashPoints crash_points)
    : options_(std::move(options)),
      broker_(broker),
      store_(store),
      folder_(store, dataset_path, clock, options_.settle_time),
      models_(store, models_path),
      train_(std::move(train)),
      clock_(clock),
      crash_points_(std::move(crash_points)),
      outputs_(broker, options_.predictions_topic, options_.dead_topic),
      voice_(broker, options_.members_topic, options_.name, clock),
      trace_(options_.tracer, options_.pipeline) {}

Result<std::unique_ptr<Trainer>> Trainer::open(TrainerOptions options, stream::Broker& broker,
                                               store::FileStore& store,
                                               const std::string& dataset_path,
                                               const std::string& models_path, TrainFunction train,
                                               Clock& clock, CrashPoints crash_points) {
  std::unique_ptr<Trainer> trainer(new Trainer(std::move(options), broker, store, dataset_path,
                                               models_path, std::move(train), clock,
                                               std::move(crash_points)));
  const TrainerOptions& own = trainer->options_;
  WEIR_TRY(own.control_topic.check_can_write());
  trainer->control_ = WEIR_TRY(gate::ControlFollower::open(broker, own.control_topic));
  trainer->leadership_ =
      WEIR_TRY(broker.open_leadership(own.control_topic.name(), own.group, own.name));
  return trainer;
}

Status Trainer::step(Millis wait_max, std::stop_token stop) {
  WEIR_TRY(lead_or_stand_by(leads() ? Millis{0} : wait_max));
  voice_.tell();
  if (!leads()) return stand_by();
  if (begun()) {
    if (begun()->type == record::ControlType::kHalt) return await_halt(wait_max, stop);
    return conclude(stop);
  }
  if (move_pending_ && clock_.steady() >= next_move_) return finish_last_move();
  WEIR_TRY(answer_requests(stop));
  if (begun()) return {};
  if (move_pending_) {
    clock_.sleep_for(std::min(wait_max, kPollSlice), stop);
    return {};
  }
  return watch(wait_max, stop);
}

Status Trainer::lead_or_stand_by(Millis wait_max) {
  const bool elected = WEIR_TRY(leadership_->is_leader(wait_max));
  if (elected && !leads()) return take_over();
  if (!elected && leads()) {
    log::info("another trainer leads now", {{"trainer", options_.name}});
    writer_.reset();
    trace_.deposed();
  }
  return {};
}

// It reads along, to say who has led last: who leads now may not have written yet.
Status Trainer::stand_by() {
  WEIR_TRY(control_->poll(Millis{0}));
  const record::ControlState& state = control_->state();
  const auto& last = state.begun ? state.begun : state.last_resume;
  const bool known = last && last->by != options_.name;
  voice_.idles("stands by: another trainer leads" +
               (known ? ", the last record is by " + last->by : std::string()));
  return {};
}

Status Trainer::take_over() {
  // Opening the writer shuts out the leader before us; only then is the log's end the truth.
  auto writer = WEIR_TRY(gate::ControlWriter::open(
      broker_, options_.control_topic, options_.transactional_id, options_.broker_timeout));
  WEIR_TRY(control_->catch_up(options_.broker_timeout));
  members_ = WEIR_TRY(gate::MemberTable::open(broker_, options_.members_topic, clock_));
  WEIR_TRY(check_models_are_of_log(WEIR_TRY(models_.versions()), options_.control_topic.name(),
                                   control_->state().epoch));
  WEIR_TRY(folder_.make_folders());
  WEIR_TRY(models_.clean_temporaries());
  writer_ = std::move(writer);
  outputs_.forget();
  halt_deadline_set_ = false;
  move_pending_ = control_->state().last_resume.has_value();
  next_look_ = clock_.steady();
  hold_since_last_begin();
  wishes_.clear();  // those that nobody has answered are read again
  wanted_.clear();
  if (begun()) {
    log::info("finishing the epoch that an earlier trainer began", {{"epoch", begun()->epoch}});
  }
  return {};
}

record::ControlRecord Trainer::new_record(record::ControlType type, std::uint64_t epoch) const {
  record::ControlRecord record;
  record.type = type;
  record.epoch = epoch;
  record.by = options_.name;
  record.at = format_time(clock_.wall());
  return record;
}

// ---- the halt ----

Status Trainer::await_halt(Millis wait_max, std::stop_token stop) {
  if (!halt_deadline_set_) {
    halt_deadline_ = clock_.steady() + options_.halt_timeout;
    halt_deadline_set_ = true;
    trace_.phase(*begun(), "halt");
  }
  const std::uint64_t epoch = begun()->epoch;
  WEIR_TRY(members_->refresh(options_.broker_timeout));
  const auto waiting = members_->not_halted(epoch);
  const bool may_answer = std::any_of(waiting.begin(), waiting.end(),
                                      [](const auto& member) { return !member.silent; });
  if (may_answer && clock_.steady() < halt_deadline_) {
    voice_.waits("halt",
                 waiting.front().latest.member + " and " + std::to_string(waiting.size() - 1) +
                     " more have not halted for epoch " + std::to_string(epoch),
                 log::Level::kInfo);
    clock_.sleep_for(std::min(wait_max, Millis{5}), stop);
    return {};
  }
  for (const auto& member : waiting) {
    const record::MemberRecord& latest = member.latest;
    log::warn("a member did not halt in time and is shut out",
              {{"member", latest.member}, {"role", latest.role}, {"epoch", epoch}});
    if (!latest.transactional_id.empty()) {
      WEIR_TRY(during(broker_.fence(latest.transactional_id, options_.broker_timeout),
                      "fencing " + latest.member));
    }
    members_->remove(latest.member);
  }
  outputs_.halted();
  crash_points_.reach("acknowledged");
  return conclude(stop);
}

// ---- the end of an epoch ----

Status Trainer::conclude(std::stop_token stop) {
  voice_.moves();
  if (begun()->rollback_to) return conclude_rollback();
  auto manifest = train_and_publish(stop);
  if (manifest) return conclude_with_model(*manifest);
  const Code code = manifest.error().code();
  // Told to stop, or no longer the leader: the epoch stays begun, and the next leader ends it.
  if (code == Code::kCancelled || code == Code::kFenced) return fail(std::move(manifest.error()));
  return conclude_without(
      is_fault_of_data(code) ? record::Outcome::kRefused : record::Outcome::kFailed,
      manifest.error());
}

Result<registry::Manifest> Trainer::train_and_publish(std::stop_token stop) {
  for (int tries = 1;; ++tries) {
    auto manifest = train_once(stop);
    if (manifest) return manifest;
    trace_.failed(manifest.error().message());
    const Code code = manifest.error().code();
    const bool may_try = manifest.error().retryable() || code == Code::kIo;
    if (!may_try || tries >= options_.training_tries_max || stop.stop_requested()) return manifest;
    log::warn("training is tried again", {{"try", tries}, {"reason", manifest.error()}});
    voice_.waits("store", "training is tried again: " + manifest.error().message(),
                 log::Level::kDebug);
    clock_.sleep_for(Millis{1000} * (1 << tries), stop);
  }
}

Result<registry::Manifest> Trainer::train_once(std::stop_token stop) {
  const record::ControlRecord& record = *begun();
  trace_.phase(record, "train");
  // A trainer before us may have come as far as the rename.
  auto there = models_.load(record.epoch, "");
  if (there) return there->manifest;
  if (there.error().code() == Code::kCorrupt) {
    log::warn("removing a model version that no reader has been told of",
              {{"version", record.epoch}, {"reason", there.error()}});
    WEIR_TRY(store_.remove(models_.version_path(record.epoch)));
  } else if (there.error().code() != Code::kNotFound) {
    return fail(std::move(there.error()));
  }

  const registry::Dataset dataset = WEIR_TRY(folder_.open(record.dataset->path));
  if (dataset.identity != *record.dataset) {
    return fail(Code::kNotFound, store_.url(dataset.identity.path) +
                                     " was replaced after it was taken up; it is looked at anew");
  }
  const SteadyTime started = clock_.steady();
  TrainedModel trained =
      WEIR_TRY(train_(dataset, [&](const TrainingProgress&) { return still_wanted(stop); }));
  const registry::Dataset after = WEIR_TRY(folder_.open(record.dataset->path));
  if (after.identity != dataset.identity) {
    return fail(Code::kNotFound, store_.url(dataset.identity.path) + " changed while it was read");
  }
  crash_points_.reach("trained");
  WEIR_TRY(pass_quality_gate(trained, options_.require, models_, control_->state().version,
                             control_->state().sha256));

  registry::Manifest& manifest = trained.manifest;
  manifest.version = record.epoch;
  manifest.dataset = dataset.identity;
  manifest.parent_version = control_->state().version;
  manifest.program_version = options_.program_version;
  manifest.trained_at = format_time(clock_.wall());
  manifest.training_seconds = std::chrono::duration<double>(clock_.steady() - started).count();
  manifest.model_sha256 = sha256_hex(trained.model_json);
  WEIR_TRY(still_wanted(stop));
  trace_.phase(record, "publish");
  auto published = models_.publish(manifest, trained.model_json, trained.test_csv, crash_points_);
  // A leader before us, not yet aware of it, was faster: its version is as good, once verified.
  if (!published && published.error().code() == Code::kAlreadyExists) {
    return WEIR_TRY(models_.load(record.epoch, "")).manifest;
  }
  WEIR_TRY(std::move(published));
  return manifest;
}

// To be asked often in the middle of what takes long.
Status Trainer::still_wanted(std::stop_token stop) {
  voice_.tell();
  if (stop.stop_requested()) return fail(Code::kCancelled, "stopped in the middle of a training");
  if (WEIR_TRY(leadership_->is_leader(Millis{0}))) return {};
  return fail(Code::kFenced, "another trainer leads now");
}

Status Trainer::conclude_with_model(const registry::Manifest& manifest) {
  record::ControlRecord record = new_record(record::ControlType::kResume, begun()->epoch);
  record.version = manifest.version;
  record.sha256 = manifest.model_sha256;
  record.outcome = record::Outcome::kTrained;
  WEIR_TRY(resume(record));
  ++counts_.trained;
  tell_of_model(manifest, record.epoch);
  return finish_last_move();
}

Status Trainer::conclude_without(record::Outcome outcome, const Error& why) {
  record::ControlRecord record = new_record(record::ControlType::kResume, begun()->epoch);
  record.version = control_->state().version;
  record.sha256 = control_->state().sha256;
  record.outcome = outcome;
  record.reason = why.message();
  const std::string path = begun()->dataset ? begun()->dataset->path : "";
  WEIR_TRY(resume(record));
  ++(outcome == record::Outcome::kRefused ? counts_.refused : counts_.failed);
  log::error(outcome == record::Outcome::kRefused ? "data set refused" : "training failed",
             {{"dataset", path},
              {"epoch", record.epoch},
              {"reason", record.reason},
              {"model_in_force", record.version}});
  return finish_last_move();
}

Status Trainer::conclude_rollback() {
  const std::uint64_t wanted = *begun()->rollback_to;
  auto loaded = models_.load(wanted, "");
  if (!loaded) return conclude_without(record::Outcome::kFailed, loaded.error());
  record::ControlRecord record = new_record(record::ControlType::kResume, begun()->epoch);
  record.version = wanted;
  record.sha256 = loaded->manifest.model_sha256;
  record.outcome = record::Outcome::kRolledBack;
  record.reason = begun()->reason;
  WEIR_TRY(resume(record));
  log::info("rolled back", {{"version", wanted}, {"epoch", record.epoch}});
  return {};
}

Status Trainer::resume(record::ControlRecord record) {
  const record::ControlRecord ended = *begun();
  trace_.phase(ended, "resume");
  record.output_ends = outputs_.before_resume(record.epoch);
  WEIR_TRY(writer_->append(record, *control_));
  trace_.resumed(ended, record);
  crash_points_.reach("resumed");
  halt_deadline_set_ = false;
  move_pending_ = true;
  next_look_ = clock_.steady();
  looks_without_work_ = 0;
  return {};
}

// Moves the last epoch's data set out of the drop folder, unless that has been done or the path now
// holds another file; and removes what an epoch that failed has left among the models. Until it is
// done no other data set is taken up: the next one would make the log forget that this file has had
// its model. A rollback does not.
Status Trainer::finish_last_move() {
  const auto& taken_up = control_->state().last_taken_up;
  const auto& ended = control_->state().last_taken_up_end;
  move_pending_ = taken_up && ended;
  if (!move_pending_) return {};
  const record::DatasetIdentity& identity = *taken_up->dataset;
  const auto attempt = [&]() -> Status {
    // One that failed may have got as far as the rename and lost the answer: a version that no
    // resume has named, and none ever will.
    if (ended->outcome != record::Outcome::kTrained) {
      WEIR_TRY(store_.remove(models_.version_path(ended->epoch)));
    }
    auto now = folder_.open(identity.path);
    if (!now && now.error().code() == Code::kNotFound) return {};
    if (!now) return fail(std::move(now.error()));
    if (now->identity != identity) return {};
    if (ended->outcome == record::Outcome::kTrained) {
      return folder_.move_to_used(identity.path, ended->epoch);
    }
    return folder_.move_to_rejected(
        identity.path, ended->epoch,
        reason_json(*taken_up, ended->outcome, ended->reason, ended->at));
  };
  Status moved = attempt();
  if (!moved) {
    log::error(
        "the data set of a finished epoch cannot be moved away; no other is taken up until "
        "that is mended",
        {{"dataset", identity.path}, {"epoch", ended->epoch}, {"reason", moved.error()}});
    voice_.waits("move", "cannot move " + identity.path + " away: " + moved.error().message(),
                 log::Level::kDebug);
    next_move_ = clock_.steady() + kLookAgainAfter;
    return {};
  }
  move_pending_ = false;
  crash_points_.reach("moved");
  return {};
}

}  // namespace weir::train
