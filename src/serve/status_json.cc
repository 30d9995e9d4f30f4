#include "serve/status_json.h"

#include <nlohmann/json.hpp>

namespace weir::serve {
namespace {

using Json = nlohmann::ordered_json;

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

}  // namespace

Json status_json(const PipelineStatus& status, const std::string& pipeline, Clock& clock) {
  const record::ControlState& state = status.control;
  const record::ControlRecord* begin = gate_since(state);
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
    Json partition = {{"partition", number}, {"committed", at.committed},     {"end", at.end},
                      {"lag", at.lag()},     {"last_record_age_ms", nullptr}, {"member", nullptr}};
    if (at.last_record_age_ms) partition["last_record_age_ms"] = *at.last_record_age_ms;
    if (!at.member.empty()) partition["member"] = at.member;
    json["partitions"].push_back(std::move(partition));
  }
  return json;
}

}  // namespace weir::serve
