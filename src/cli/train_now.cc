#include "cli/train_now.h"

#include <cinttypes>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/value_text.h"
#include "gate/control_log.h"
#include "gate/members.h"
#include "gate/training_request.h"

namespace weir::cli {
namespace {

constexpr Millis kLogTimeout{10'000};
constexpr Millis kLookEvery{200};
constexpr Millis kWaitMax{24 * 3'600'000};

// A trainer tells of itself every few seconds, also while it trains.
Status find_trainer(stream::Broker& broker, Context& context) {
  const std::string& topic = context.settings().topics.members;
  auto members = WEIR_TRY(gate::MemberTable::open(broker, topic, context.clock()));
  const SteadyTime deadline = context.clock().steady() + record::kMemberSilence;
  while (true) {
    WEIR_TRY(members->refresh(kLogTimeout));
    for (const auto& member : members->all()) {
      if (member.latest.role == "trainer" && !member.silent) return {};
    }
    if (context.clock().steady() >= deadline) break;
    context.clock().sleep_for(kLookEvery, {});
  }
  return fail(Code::kUnavailable, "no trainer is live on " + topic +
                                      "; start one ('weir train', 'weir run') and ask again");
}

Result<Millis> parse_wait(const std::string& text) {
  const auto wait = parse_duration(text);
  if (wait && *wait > Millis{0} && *wait <= kWaitMax) return *wait;
  return fail(Code::kInvalidArgument,
              "--wait '" + one_line(text) + "' is no duration such as 30s, 10m or 2h");
}

Status tell_end(const record::ControlRecord& resume, const std::string& dataset, bool json) {
  if (resume.outcome != record::Outcome::kTrained) {
    const bool refused = resume.outcome == record::Outcome::kRefused;
    return fail(refused ? Code::kBadData : Code::kIo,
                "epoch " + std::to_string(resume.epoch) + ", on " + one_line(dataset) + ": " +
                    std::string(record::outcome_name(resume.outcome)) + ": " + resume.reason +
                    "; version " + std::to_string(resume.version) + " is in force");
  }
  if (json) {
    const nlohmann::ordered_json told = {
        {"version", resume.version}, {"epoch", resume.epoch}, {"dataset", dataset}};
    std::printf("%s\n",
                told.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  } else {
    std::printf("version %" PRIu64 ", trained on %s, is in force since epoch %" PRIu64 "\n",
                resume.version, one_line(dataset).c_str(), resume.epoch);
  }
  return {};
}

}  // namespace

Status train_now(const CommonOptions& common, const TrainNowOptions& options) {
  const Millis wait = WEIR_TRY(parse_wait(options.wait));
  auto context = WEIR_TRY(Context::make(common));
  stream::Broker* broker = WEIR_TRY(context->broker());
  WEIR_TRY(context->ensure_topics(kTrainNowUses));
  WEIR_TRY(find_trainer(*broker, *context));
  auto control = WEIR_TRY(gate::ControlFollower::open(*broker, context->control_topic()));
  WEIR_TRY(control->catch_up(kLogTimeout));
  std::map<std::uint64_t, record::ControlRecord> ended;
  control->on_record([&](const record::ControlRecord& record) {
    if (record.type == record::ControlType::kResume) ended[record.epoch] = record;
  });

  const gate::TrainingWish wish{context->host_and_pid(), options.dataset, control->state().epoch,
                                wait};
  const SteadyTime deadline = context->clock().steady() + wait;
  auto request = WEIR_TRY(gate::TrainingRequest::send(*broker, context->settings().topics.members,
                                                      wish, context->clock()));
  std::optional<record::MemberRecord> answer;
  while (context->clock().steady() < deadline) {
    if (!answer) answer = WEIR_TRY(request->poll(kLookEvery));
    if (answer && answer->epoch == 0) {
      return fail(Code::kInvalidArgument,
                  "the trainer does not train on " +
                      (options.dataset.empty() ? "what waits" : one_line(options.dataset)) + ": " +
                      answer->reason);
    }
    WEIR_TRY(control->poll(answer ? kLookEvery : Millis{0}));
    if (!answer) continue;
    const auto end = ended.find(answer->epoch);
    if (end != ended.end()) return tell_end(end->second, answer->dataset, common.json());
  }
  const std::string waited = " after " + options.wait + "; 'weir status' tells what it does";
  if (answer) {
    return fail(Code::kTimeout, "epoch " + std::to_string(answer->epoch) + ", on " +
                                    one_line(answer->dataset) + ", goes on" + waited);
  }
  return fail(Code::kTimeout,
              "the trainer has not answered" + waited + ", and the request is void");
}

}  // namespace weir::cli
