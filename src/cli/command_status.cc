// weir status: the gate, who is there, what they wait for, and how far each partition is behind.
//
// It decides nothing, and asks nobody but Kafka: the control log says what rules, the members topic
// what the members have said last, the brokers where the features end and what was committed.
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "gate/control_log.h"
#include "gate/members.h"

namespace weir::cli {
namespace {

constexpr Millis kTimeout{10'000};

using Json = nlohmann::ordered_json;

struct PartitionStatus {
  std::int64_t committed = 0;  // the next offset that the group wants
  std::int64_t end = 0;
  std::string member;  // who says that it holds it; empty: nobody
  std::optional<std::int64_t> last_record_age_ms;
};

struct PipelineStatus {
  record::ControlState control;
  std::vector<gate::MemberTable::Member> members;
  std::map<std::int32_t, PartitionStatus> partitions;
};

std::int64_t heard_ms(const gate::MemberTable::Member& member, Clock& clock) {
  return std::chrono::duration_cast<Millis>(clock.steady() - member.last_heard).count();
}

Result<PipelineStatus> look(Context& context) {
  const config::Settings& own = context.settings();
  stream::Broker* broker = WEIR_TRY(context.broker());
  WEIR_TRY(context.ensure_topics());
  PipelineStatus status;
  auto control = WEIR_TRY(gate::ControlFollower::open(*broker, context.control_topic()));
  WEIR_TRY(control->catch_up(kTimeout));
  status.control = control->state();
  auto members = WEIR_TRY(gate::MemberTable::open(*broker, own.topics.members, context.clock()));
  WEIR_TRY(members->refresh(kTimeout));
  status.members = members->all();
  const std::string& features = own.topics.features;
  // Committed first: what is committed lies below an end that is looked up later.
  const auto committed =
      WEIR_TRY(during(broker->committed_offsets(own.score.group, features, kTimeout),
                      "looking up what " + own.score.group + " has committed"));
  for (const auto& at : WEIR_TRY(during(broker->log_ends(features, kTimeout),
                                        "looking up where " + features + " ends"))) {
    status.partitions[at.partition].end = at.next_offset;
  }
  for (const auto& at : committed) status.partitions[at.partition].committed = at.next_offset;
  for (const auto& member : status.members) {
    if (member.silent) continue;
    for (const auto& told : member.latest.progress.partitions) {
      PartitionStatus& partition = status.partitions[told.partition];
      partition.member = member.latest.member;
      if (!told.last_record_age_ms) continue;
      // It was that old when the member told of it.
      partition.last_record_age_ms = *told.last_record_age_ms + heard_ms(member, context.clock());
    }
  }
  return status;
}

// The record since which the gate is as it is; none before the first model.
const record::ControlRecord* since(const record::ControlState& state) {
  if (state.version == 0) return nullptr;
  if (!state.gate_open()) return &*state.begun;
  return &*state.last_resume;
}

std::string seconds(std::int64_t milliseconds) {
  char text[40];
  std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(milliseconds) / 1000);
  return text;
}

std::string cause_of(const record::ControlRecord& begun) {
  if (begun.dataset) return "data set " + one_line(begun.dataset->path) + " is being trained on";
  return "a rollback to version " + std::to_string(begun.rollback_to.value_or(0));
}

std::string member_state(const gate::MemberTable::Member& member) {
  const record::MemberProgress& progress = member.latest.progress;
  if (member.silent) return "silent";
  std::string state = "at work";
  if (member.halted_epoch != 0) state = "halted for epoch " + std::to_string(member.halted_epoch);
  if (progress.waiting_for.empty()) return state;
  return (member.halted_epoch != 0 ? state + ": " : "") + one_line(progress.waiting_for) +
         ", for " + seconds(progress.waiting_ms);
}

void print_text(const PipelineStatus& status, const std::string& pipeline, Clock& clock) {
  const record::ControlState& state = status.control;
  const record::ControlRecord* begin = since(state);
  std::printf("pipeline %s: %s%s%s\n", pipeline.c_str(),
              state.version == 0  ? "no model yet"
              : state.gate_open() ? "the gate is open since "
                                  : "the gate is closed since ",
              begin ? one_line(begin->at).c_str() : "",
              state.version == 0 ? ""
                                 : (", model " + std::to_string(state.version) + ", epoch " +
                                    std::to_string(state.ruling_epoch))
                                       .c_str());
  if (state.begun) {
    std::printf("  epoch %" PRIu64 " is under way since %s: %s\n", state.begun->epoch,
                one_line(state.begun->at).c_str(), cause_of(*state.begun).c_str());
  }
  std::printf("\n%-32s  %-8s  %9s  %6s  %6s  %s\n", "MEMBER", "ROLE", "HEARD OF", "MODEL", "EPOCH",
              "STATE");
  for (const auto& member : status.members) {
    const record::MemberProgress& progress = member.latest.progress;
    const auto number = [](std::uint64_t value) {
      return value == 0 ? std::string("-") : std::to_string(value);
    };
    std::printf("%-32s  %-8s  %9s  %6s  %6s  %s\n", one_line(member.latest.member).c_str(),
                one_line(member.latest.role).c_str(), seconds(heard_ms(member, clock)).c_str(),
                number(progress.model).c_str(), number(progress.model_epoch).c_str(),
                member_state(member).c_str());
  }
  if (status.members.empty()) std::printf("(none)\n");
  std::printf("\n%9s  %12s  %12s  %10s  %12s  %s\n", "PARTITION", "COMMITTED", "END", "LAG",
              "LAST RECORD", "MEMBER");
  for (const auto& [number, at] : status.partitions) {
    std::printf("%9d  %12" PRId64 "  %12" PRId64 "  %10" PRId64 "  %12s  %s\n", number,
                at.committed, at.end, std::max<std::int64_t>(at.end - at.committed, 0),
                at.last_record_age_ms ? seconds(*at.last_record_age_ms).c_str() : "-",
                at.member.empty() ? "-" : one_line(at.member).c_str());
  }
}

Json member_json(const gate::MemberTable::Member& member, Clock& clock) {
  const record::MemberProgress& progress = member.latest.progress;
  Json json = {{"member", member.latest.member},         {"role", member.latest.role},
               {"heard_of_ms", heard_ms(member, clock)}, {"silent", member.silent},
               {"halted_epoch", member.halted_epoch},    {"model", progress.model},
               {"epoch", progress.model_epoch},          {"waiting_for", nullptr},
               {"waiting_ms", progress.waiting_ms}};
  if (!progress.waiting_for.empty()) json["waiting_for"] = progress.waiting_for;
  return json;
}

void print_json(const PipelineStatus& status, const std::string& pipeline, Clock& clock) {
  const record::ControlState& state = status.control;
  const record::ControlRecord* begin = since(state);
  Json json;
  json["pipeline"] = pipeline;
  json["gate"] = {{"open", state.gate_open()}, {"since", nullptr}};
  if (begin) json["gate"]["since"] = begin->at;
  json["model"] = state.version;
  json["epoch"] = state.ruling_epoch;
  json["begun"] = nullptr;
  if (state.begun) json["begun"] = Json::parse(state.begun->to_json());
  json["members"] = Json::array();
  for (const auto& member : status.members) json["members"].push_back(member_json(member, clock));
  json["partitions"] = Json::array();
  for (const auto& [number, at] : status.partitions) {
    Json partition = {{"partition", number},
                      {"committed", at.committed},
                      {"end", at.end},
                      {"lag", std::max<std::int64_t>(at.end - at.committed, 0)},
                      {"last_record_age_ms", nullptr},
                      {"member", nullptr}};
    if (at.last_record_age_ms) partition["last_record_age_ms"] = *at.last_record_age_ms;
    if (!at.member.empty()) partition["member"] = at.member;
    json["partitions"].push_back(std::move(partition));
  }
  std::printf("%s\n", json.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
}

int show_status(const CommonOptions& common) {
  auto context = Context::make(common);
  if (!context) return report(context.error());
  const auto status = look(**context);
  if (!status) return report(status.error());
  const auto print = common.json() ? print_json : print_text;
  print(*status, (*context)->settings().pipeline, (*context)->clock());
  return kExitOk;
}

}  // namespace

void add_status(CLI::App& app, Action& action) {
  auto options = std::make_shared<CommonOptions>();
  CLI::App* command = app.add_subcommand(
      "status", "Who is there, what they wait for, and how far each partition is behind");
  add_common_options(*command, *options);
  command->callback([options, &action] { action = [options] { return show_status(*options); }; });
}

}  // namespace weir::cli
