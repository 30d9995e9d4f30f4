// What people, and weir watch, ask the leading trainer for: a training now, a rollback.
//
// What is asked for is taken up at once, whatever the schedule says. A request that was not served
// is void when its asker waits no more, and after a change of epoch; one that fails for a passing
// reason is tried again until then.
#include <algorithm>

#include "base/log.h"
#include "base/pulse.h"
#include "base/value_text.h"
#include "registry/dataset_copy.h"
#include "train/trainer.h"

namespace weir::train {
namespace {

constexpr Millis kAnswerTimeout{5'000};
constexpr std::size_t kReasonBytesMax = 2'000;
// Who may write to the members topic may write anything.
constexpr std::size_t kWishesMax = 100;
constexpr Millis kWithinMax{24 * 3'600'000};

}  // namespace

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
           "the request was read " + seconds_text(age) + " after it was made; ask again");
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
  wishes_.push_back({ask, "", clock_.steady() + within - age, ""});
  return place_wishes(stop);
}

// Finds, or makes, what is asked for. What fails for a passing reason is tried again at each look,
// for as long as the asker waits.
Status Trainer::place_wishes(std::stop_token stop) {
  const std::vector<Wish> wishes = wishes_;  // answering takes one off
  for (const Wish& wish : wishes) {
    if (wish.of_all() || wish.is_placed() || clock_.steady() > wish.until) continue;
    auto path = path_to_take_up(wish, stop);
    if (path) {
      wanted_.insert(*path);
    } else if (path.error().code() == Code::kCancelled || path.error().code() == Code::kFenced) {
      return fail(std::move(path.error()));
    } else if (!path.error().retryable() || clock_.steady() > wish.until) {
      answer(wish.ask, 0, "", path.error().message());
      continue;
    }
    for (Wish& known : wishes_) {
      if (known.ask.request != wish.ask.request) continue;
      known.path = path.value_or("");
      known.trouble = path ? "" : path.error().message();
    }
  }
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
Result<std::string> Trainer::path_to_take_up(const Wish& wish, std::stop_token stop) {
  const std::string& dataset = wish.ask.dataset;
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
  const LongWork copying;
  const auto go_on = [&]() -> Status {
    Pulse::beat_own();
    if (clock_.steady() > wish.until) {
      return fail(Code::kTimeout, "it takes longer than whoever asked for it waits");
    }
    return still_wanted(stop);
  };
  // A trainer before us may have come as far as the copy.
  const auto there = folder_.open(target);
  if (there && WEIR_TRY(registry::have_same_bytes(store_, *there, *source, go_on))) return target;
  log::info("copying a data set that is asked for",
            {{"from", store_.url(path)}, {"to", target}, {"bytes", source->identity.length}});
  WEIR_TRY(registry::drop_copy(store_, folder_, *source, target, go_on));
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
      expire(wish);
    } else if (wish.of_all() && !folder_.settling()) {
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

void Trainer::expire(const Wish& wish) {
  const std::string why =
      !wish.trouble.empty()
          ? wish.trouble
          : (wish.of_all() ? "what is there is" : store_.url(wish.path) + " is gone, or") +
                " still being written: it has to stand still for dataset.settle_time";
  answer(wish.ask, 0, "", why);
  const bool wanted_by_others = std::any_of(
      wishes_.begin(), wishes_.end(), [&](const Wish& other) { return other.path == wish.path; });
  if (!wanted_by_others) wanted_.erase(wish.path);
}

std::string Trainer::who_wants(const std::string& path) const {
  for (const Wish& wish : wishes_) {
    if (wish.path == path || (wish.of_all() && wanted_.contains(path))) return wish.ask.member;
  }
  return wanted_.contains(path) ? "somebody who asked for all that waits" : "";
}

void Trainer::answer_wishes_for(const std::string& path, std::uint64_t epoch,
                                const std::string& reason) {
  const std::vector<Wish> wishes = wishes_;
  for (const Wish& wish : wishes) {
    // Of all that waits, the first that is trained on is the answer, if there is one.
    const bool of_all = wish.of_all() && wanted_.contains(path);
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
