// Which data set is taken up, and when.
//
// A data set comes to its turn in the order of names, once the schedule is due for it and
// train.min_interval lies behind. Nothing of that is remembered anywhere: when a data set came, the
// store tells, and when the last epoch began, the control log. What a person asks for is taken up
// at once; a request that was not served is void after a while, and after a change of epoch.
#include <algorithm>

#include "base/log.h"
#include "base/pulse.h"
#include "base/text.h"
#include "base/time_text.h"
#include "registry/dataset_copy.h"
#include "train/reason_json.h"
#include "train/same_bytes.h"
#include "train/settings_in_manifest.h"
#include "train/trainer.h"

namespace weir::train {
namespace {

// A person waits.
constexpr Millis kLookSoon{500};
constexpr Millis kAnswerTimeout{5'000};
constexpr std::size_t kReasonBytesMax = 2'000;
// Who may write to the members topic may write anything.
constexpr std::size_t kWishesMax = 100;
constexpr std::size_t kAskerBytesMax = 200;
constexpr Millis kWithinMax{24 * 3'600'000};

std::string duration_text(Millis duration) {
  return std::to_string((duration.count() + 999) / 1000) + " s";
}

std::string name_of(const registry::Dataset& dataset) {
  return store::base_name(dataset.identity.path);
}

}  // namespace

Status Trainer::watch(Millis wait_max, std::stop_token stop) {
  const SteadyTime now = clock_.steady();
  if (now < next_look_) {
    const auto left = std::chrono::duration_cast<Millis>(next_look_ - now) + Millis{1};
    clock_.sleep_for(std::min({left, wait_max, kPollSlice}), stop);
    return {};
  }
  next_look_ = now + (wishes_.empty() ? options_.watch_interval
                                      : std::min(options_.watch_interval, kLookSoon));
  auto ready = folder_.look();
  if (!ready) {
    voice_.waits("store", "cannot look for data sets: " + ready.error().message(),
                 log::Level::kWarn);
    return {};
  }
  want_what_waits(*ready);
  // What is asked for comes first; the rest of the order stays.
  std::stable_partition(ready->begin(), ready->end(), [&](const registry::Dataset& dataset) {
    return wanted_.contains(dataset.identity.path);
  });
  std::vector<registry::Dataset> held_back;
  for (const registry::Dataset& dataset : *ready) {
    const std::string& path = dataset.identity.path;
    const auto passed = passed_over_.find(path);
    if (passed != passed_over_.end() && now < passed->second) continue;
    if (!wanted_.contains(path) && !is_due(dataset)) {
      held_back.push_back(dataset);
      continue;
    }
    looks_without_work_ = 0;
    auto same = version_of_same_bytes(dataset);
    // What may not be read is taken up and refused, or the others would wait for it for ever.
    if (!same && same.error().code() == Code::kPermissionDenied) return begin(dataset);
    if (!same) {
      voice_.waits(
          "store",
          "cannot compare " + path + " with the live model's data set: " + same.error().message(),
          log::Level::kWarn);
      return {};
    }
    return *same ? set_aside_duplicate(dataset) : begin(dataset);
  }
  looks_without_work_ = folder_.settling() ? 0 : looks_without_work_ + 1;
  voice_.idles(why_nothing_is_taken_up(held_back));
  return {};
}

// ---- when ----

bool Trainer::is_due(const registry::Dataset& dataset) {
  return clock_.steady() >= next_begin_ && options_.schedule.is_due(dataset.came, clock_.wall());
}

// A host's clock may be wrong, or have been put back since: no more than the interval is waited
// for, by a clock that never goes back.
void Trainer::hold_since_last_begin() {
  const auto& last = control_->state().last_begun;
  const auto began = last ? parse_time(last->at) : std::nullopt;
  if (!began) {
    next_begin_ = clock_.steady();
    return;
  }
  const Millis elapsed = std::clamp(clock_.wall() - *began, Millis{0}, options_.min_interval);
  next_begin_ = clock_.steady() + (options_.min_interval - elapsed);
}

std::string Trainer::why_nothing_is_taken_up(const std::vector<registry::Dataset>& held_back) {
  if (folder_.settling()) return "a data set has to stand still in " + folder_.url();
  const WallTime now = clock_.wall();
  const auto due = options_.schedule.next_after(now);
  const std::string due_text =
      due ? ", the schedule is due next at " + format_time(*due) : std::string();
  if (held_back.empty()) return "no data set in " + folder_.url() + due_text;
  std::string who = name_of(held_back.front());
  if (held_back.size() > 1) who += " and " + std::to_string(held_back.size() - 1) + " more";
  who += held_back.size() > 1 ? " wait for " : " waits for ";
  const auto left = std::chrono::duration_cast<Millis>(next_begin_ - clock_.steady());
  if (left > Millis{0} && options_.schedule.is_due(held_back.front().came, now)) {
    return who + "train.min_interval, " + duration_text(left) + " more";
  }
  return who + "train.schedule" + due_text;
}

// ---- one data set ----

// The live version, if it was trained on the very same bytes under the same settings: then a halt
// would change nothing. Only a file of the same length is read for it.
Result<std::optional<std::uint64_t>> Trainer::version_of_same_bytes(
    const registry::Dataset& dataset) {
  const std::uint64_t live = control_->state().version;
  if (live == 0) return std::optional<std::uint64_t>();
  auto manifest = models_.manifest(live);
  if (!manifest) return std::optional<std::uint64_t>();  // the next training mends it
  if (manifest->dataset.length != dataset.identity.length ||
      !has_settings_of(*manifest, options_.training)) {
    return std::optional<std::uint64_t>();
  }
  if (!WEIR_TRY(has_bytes_of(store_, dataset, *manifest))) return std::optional<std::uint64_t>();
  return std::optional<std::uint64_t>(live);
}

Status Trainer::set_aside_duplicate(const registry::Dataset& dataset) {
  const std::uint64_t live = control_->state().version;
  log::warn("data set not taken up: the live model was trained on the same bytes",
            {{"dataset", dataset.identity.path}, {"model", live}});
  record::ControlRecord record = new_record(record::ControlType::kTrain, live);
  record.dataset = dataset.identity;
  auto moved = folder_.move_duplicate(
      dataset.identity.path, live,
      reason_json(record, record::Outcome::kRefused,
                  "duplicate: the live model, version " + std::to_string(live) +
                      ", was trained on the same bytes",
                  record.at));
  answer_wishes_for(dataset.identity.path, 0,
                    "nothing would change: the live model, version " + std::to_string(live) +
                        ", was trained on the same bytes under the same settings");
  if (!moved) {
    log::warn("cannot move a data set", {{"reason", moved.error()}});
    passed_over_[dataset.identity.path] = clock_.steady() + kMoveAgainAfter;
  }
  return {};
}

Status Trainer::begin(const registry::Dataset& dataset) {
  crash_points_.reach("listed");
  const auto type = options_.halt_while_training && control_->state().version > 0
                        ? record::ControlType::kHalt
                        : record::ControlType::kTrain;
  record::ControlRecord record = new_record(type, control_->state().epoch + 1);
  record.dataset = dataset.identity;
  if (const std::string who = who_wants(dataset.identity.path); !who.empty()) {
    record.reason = "asked for by " + who.substr(0, kAskerBytesMax);
  }
  WEIR_TRY(writer_->append(record, *control_));
  crash_points_.reach("halted");
  halt_deadline_set_ = false;
  hold_since_last_begin();
  answer_wishes_for(dataset.identity.path, record.epoch, "");
  log::info("data set taken up",
            {{"dataset", store_.url(dataset.identity.path)},
             {"bytes", dataset.identity.length},
             {"epoch", record.epoch},
             {"stream", type == record::ControlType::kHalt ? "halts" : "flows"}});
  return {};
}

// ---- what people ask for ----

Status Trainer::answer_requests(std::stop_token stop) {
  WEIR_TRY(members_->refresh(options_.broker_timeout));
  const auto request = members_->take_request();
  if (!request) return {};
  if (request->record.type == record::MemberType::kAskTrain) return take_wish(*request, stop);
  return begin_rollback(request->record);
}

Status Trainer::begin_rollback(const record::MemberRecord& request) {
  // A request names the epoch that its author saw: one from before the last change is void.
  if (request.epoch != control_->state().epoch) {
    log::info("ignored a rollback that was asked for before the last change of model",
              {{"version", request.version}, {"asked_in_epoch", request.epoch}});
    return {};
  }
  record::ControlRecord record =
      new_record(record::ControlType::kHalt, control_->state().epoch + 1);
  record.rollback_to = request.version;
  record.reason = "rollback asked for by " + request.member;
  WEIR_TRY(writer_->append(record, *control_));
  crash_points_.reach("halted");
  halt_deadline_set_ = false;
  hold_since_last_begin();
  log::info("rollback begun", {{"version", request.version}, {"epoch", record.epoch}});
  return {};
}

Status Trainer::take_wish(const gate::MemberTable::Request& request, std::stop_token stop) {
  const record::MemberRecord& ask = request.record;
  const record::ControlState& state = control_->state();
  next_look_ = clock_.steady();
  if (ask.request.empty()) return {};  // nobody waits for an answer
  const auto age = std::chrono::duration_cast<Millis>(clock_.steady() - request.asked);
  const Millis within = std::min(Millis{ask.within_ms}, kWithinMax);
  if (wishes_.size() >= kWishesMax) {
    answer(ask, 0, "", "too many requests wait already; ask again later");
    return {};
  }
  if (age > within) {
    answer(ask, 0, "",
           "the request was read " + duration_text(age) + " after it was made; ask again");
    return {};
  }
  if (ask.epoch != state.epoch) {
    const auto& last = state.last_taken_up;
    const bool begun_since = last && last->epoch > ask.epoch && !ask.dataset.empty() &&
                             last->dataset->path == path_in_drop_folder(ask.dataset);
    answer(ask, begun_since ? last->epoch : 0, begun_since ? last->dataset->path : "",
           begun_since ? ""
                       : "epoch " + std::to_string(state.epoch) + " has begun since epoch " +
                             std::to_string(ask.epoch) + ", in which it was asked for; ask again");
    return {};
  }
  Wish wish{ask, "", clock_.steady() + within - age};
  if (!ask.dataset.empty()) {
    auto path = path_to_take_up(ask.dataset, stop);
    if (!path &&
        (path.error().code() == Code::kCancelled || path.error().code() == Code::kFenced)) {
      return fail(std::move(path.error()));
    }
    if (!path) {
      answer(ask, 0, "", path.error().message());
      return {};
    }
    wish.path = *path;
    wanted_.insert(wish.path);
  }
  wishes_.push_back(std::move(wish));
  return {};
}

// Where it is, or will be once a copy of it has been dropped.
std::string Trainer::path_in_drop_folder(const std::string& dataset) const {
  const std::string name = store::base_name(dataset);
  const bool is_copy =
      dataset.find('/') != dataset.npos && store::parent_path(dataset) != folder_.path();
  return store::join_path(folder_.path(), is_copy ? registry::name_before_mark(name) : name);
}

// Many may write to the members topic: what they can have copied is for the trainer's owner to say.
bool Trainer::may_be_asked_for(const std::string& path) const {
  const auto holds = [&](const std::string& folder) {
    return path == folder || path.starts_with(folder + "/");
  };
  return holds(folder_.path()) ||
         std::any_of(options_.copy_from.begin(), options_.copy_from.end(), holds);
}

// The path, in the drop folder, of the data set that is asked for. One that lies elsewhere, in
// used/ for example, is copied: what was trained on stays where and what it is.
Result<std::string> Trainer::path_to_take_up(const std::string& dataset, std::stop_token stop) {
  const std::string target = path_in_drop_folder(dataset);
  const bool is_name = dataset.find('/') == dataset.npos;
  const std::string path = is_name ? target : dataset;
  WEIR_TRY(during(store::check_path_below_root(path), "looking for the data set " + dataset));
  if (!may_be_asked_for(path)) {
    return fail(Code::kPermissionDenied, store_.url(path) +
                                             " lies neither in the drop folder nor in a folder of "
                                             "train.copy_from");
  }
  auto source = folder_.open(path);
  if (!source && source.error().code() == Code::kNotFound) {
    return fail(Code::kNotFound, "there is no data set " + store_.url(path) +
                                     ": neither a file nor a folder with a _SUCCESS marker");
  }
  if (!source) return fail(std::move(source.error()));
  if (path == target) {
    if (registry::is_data_name(store::base_name(path))) return target;
    return fail(Code::kInvalidArgument,
                store_.url(path) + " has a name that the drop folder does not look at");
  }
  if (const auto same = WEIR_TRY(version_of_same_bytes(*source))) {
    return fail(Code::kAlreadyExists,
                "nothing would change: the live model, version " + std::to_string(*same) +
                    ", was trained on the same bytes under the same settings");
  }
  // A trainer before us may have come as far as the copy.
  const auto there = folder_.open(target);
  if (there && there->identity.length == source->identity.length) return target;
  const LongWork copying;
  log::info("copying a data set that is asked for",
            {{"from", store_.url(path)}, {"to", target}, {"bytes", source->identity.length}});
  WEIR_TRY(registry::drop_copy(store_, folder_, *source, target, [&] {
    Pulse::beat_own();
    return still_wanted(stop);
  }));
  return target;
}

// Who asks for all that waits wants what is ready now.
void Trainer::want_what_waits(const std::vector<registry::Dataset>& ready) {
  const auto is_ready = [&](const std::string& path) {
    return std::any_of(ready.begin(), ready.end(),
                       [&](const auto& dataset) { return dataset.identity.path == path; });
  };
  const std::vector<Wish> wishes = wishes_;  // answering takes one off
  for (const Wish& wish : wishes) {
    if (clock_.steady() > wish.until) {
      wanted_.erase(wish.path);
      answer(wish.ask, 0, "",
             (wish.path.empty() ? "what is there is" : store_.url(wish.path) + " is gone, or") +
                 " still being written: it has to stand still for dataset.settle_time");
    } else if (wish.path.empty() && !folder_.settling()) {
      for (const auto& dataset : ready) wanted_.insert(dataset.identity.path);
      if (ready.empty()) answer(wish.ask, 0, "", "no data set waits in " + folder_.url());
    }
  }
  if (folder_.settling()) return;
  std::erase_if(wanted_, [&](const std::string& path) {
    const bool waited_for = std::any_of(wishes_.begin(), wishes_.end(),
                                        [&](const Wish& wish) { return wish.path == path; });
    return !waited_for && !is_ready(path);
  });
}

std::string Trainer::who_wants(const std::string& path) const {
  for (const Wish& wish : wishes_) {
    if (wish.path == path || (wish.path.empty() && wanted_.contains(path))) return wish.ask.member;
  }
  return wanted_.contains(path) ? "somebody who asked for all that waits" : "";
}

void Trainer::answer_wishes_for(const std::string& path, std::uint64_t epoch,
                                const std::string& reason) {
  const std::vector<Wish> wishes = wishes_;
  for (const Wish& wish : wishes) {
    // Of all that waits, the first that is trained on is the answer, if there is one.
    const bool of_all = wish.path.empty() && wanted_.contains(path);
    const bool meant = wish.path == path || (of_all && (epoch > 0 || wanted_.size() == 1));
    if (meant) answer(wish.ask, epoch, path, reason);
  }
  wanted_.erase(path);
}

// Best effort: who is not answered stops waiting, and finds in the control log what has happened.
void Trainer::answer(const record::MemberRecord& ask, std::uint64_t epoch,
                     const std::string& dataset, const std::string& reason) {
  std::erase_if(wishes_, [&](const Wish& wish) { return wish.ask.request == ask.request; });
  record::MemberRecord answer;
  answer.type = record::MemberType::kAnswer;
  answer.member = options_.name;
  answer.request = ask.request;
  answer.epoch = epoch;
  answer.dataset = dataset;
  answer.reason = reason.substr(0, kReasonBytesMax);
  log::info(
      epoch > 0 ? "a training that was asked for has begun" : "refused a request to train",
      {{"asked_by", ask.member}, {"dataset", ask.dataset}, {"epoch", epoch}, {"reason", reason}});
  const auto attempt = [&]() -> Status {
    auto publisher = WEIR_TRY(broker_.open_publisher());
    WEIR_TRY(
        publisher->send({options_.members_topic, 0, options_.name, answer.to_json(), nullptr}));
    return publisher->flush(kAnswerTimeout);
  };
  if (const Status said = attempt(); !said) {
    log::warn("cannot answer a request", {{"asked_by", ask.member}, {"reason", said.error()}});
  }
}

}  // namespace weir::train
