// Which data set is taken up, and when.
//
// A data set comes to its turn in the order of names, once the schedule is due for it and
// train.min_interval lies behind. Nothing of that is remembered anywhere: when a data set came, the
// store tells, and when the last epoch began, the control log. What a person asks for is taken up
// at once: trainer_requests.cc.
#include <algorithm>

#include "base/log.h"
#include "base/time_text.h"
#include "base/value_text.h"
#include "train/reason_json.h"
#include "train/same_bytes.h"
#include "train/settings_in_manifest.h"
#include "train/trainer.h"

namespace weir::train {
namespace {

// A person waits.
constexpr Millis kLookSoon{500};
// One that cannot be read for so many looks in a row holds up the others no longer.
constexpr int kUnreadLooksMax = 3;
constexpr std::size_t kAskerBytesMax = 200;

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
  WEIR_TRY(place_wishes(stop));
  want_what_waits(*ready);
  std::erase_if(passed_over_, [&](const auto& passed) {
    return std::none_of(ready->begin(), ready->end(), [&](const registry::Dataset& dataset) {
      return dataset.identity.path == passed.first;
    });
  });
  // What is asked for comes first; the rest of the order stays.
  std::stable_partition(ready->begin(), ready->end(), [&](const registry::Dataset& dataset) {
    return wanted_.contains(dataset.identity.path);
  });
  std::vector<registry::Dataset> held_back;
  for (const registry::Dataset& dataset : *ready) {
    const std::string& path = dataset.identity.path;
    const auto passed = passed_over_.find(path);
    if (passed != passed_over_.end() && now < passed->second.until) continue;
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
      PassedOver& trouble = passed_over_[path];
      if (++trouble.looks < kUnreadLooksMax) return {};
      trouble.until = now + kLookAgainAfter;
      continue;
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
    return who + "train.min_interval, " + seconds_text(left) + " more";
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
    passed_over_[dataset.identity.path].until = clock_.steady() + kLookAgainAfter;
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

}  // namespace weir::train
