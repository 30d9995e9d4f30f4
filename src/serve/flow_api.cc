#include "serve/flow_api.h"

#include <nlohmann/json.hpp>

#include "serve/answering.h"
#include "serve/flow_json.h"
#include "serve/parameters.h"
#include "serve/prediction_json.h"

namespace weir::serve {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kEpochsMax = 1'000;

// Of an epoch what its first record says, and, once it has come, what its last one does.
Json epoch_json(const record::ControlRecord& begun) {
  Json json = {{"epoch", begun.epoch},
               {"begun_at", begun.at},
               {"halts", begun.type == record::ControlType::kHalt},
               {"dataset", nullptr},
               {"rollback_to", nullptr},
               {"ended_at", nullptr},
               {"version", nullptr},
               {"outcome", nullptr},
               {"reason", nullptr},
               {"by", nullptr}};
  if (begun.dataset) json["dataset"] = begun.dataset->path;
  if (begun.rollback_to) json["rollback_to"] = *begun.rollback_to;
  return json;
}

void end_epoch(Json& json, const record::ControlRecord& resume) {
  json["ended_at"] = resume.at;
  json["version"] = resume.version;
  json["outcome"] = record::outcome_name(resume.outcome);
  json["reason"] = resume.reason;
  json["by"] = resume.by;
}

}  // namespace

std::int64_t copy_behind(const Parts& parts) {
  std::int64_t behind = 0;
  for (const auto& lag : parts.progress.lag()) behind += lag.behind;
  return behind;
}

void FlowApi::add_routes(Router& router) {
  const auto add = [&](std::string pattern, auto member) {
    router.add({"GET", std::move(pattern), Permission::kRead, Where::kAtOnce, 0, false,
                answering([this, member](const Call& call) { return (this->*member)(call); })});
  };
  add("/v1/flow", &FlowApi::flow);
  add("/v1/alerts", &FlowApi::alerts);
  add("/v1/epochs", &FlowApi::epochs);
}

Result<http::Response> FlowApi::flow(const Call& call) const {
  WEIR_TRY(only_parameters(call.request, {}));
  return json_response(to_text(flow_json(parts_.flow.figures(), copy_behind(parts_))));
}

Result<http::Response> FlowApi::alerts(const Call& call) const {
  WEIR_TRY(only_parameters(call.request, {}));
  const auto view = parts_.live.view();
  AlertSources sources = alert_sources(view.get(), parts_.live.trouble(), parts_.clock);
  if (const auto trouble = parts_.progress.trouble()) sources.store_trouble = trouble->message();
  sources.push_trouble = parts_.pushes.trouble();
  sources.flow = parts_.flow.figures();
  sources.copy_behind = copy_behind(parts_);
  return json_response(to_text(alerts_json(alerts_of(sources, parts_.clock))));
}

Result<http::Response> FlowApi::epochs(const Call& call) const {
  WEIR_TRY(only_parameters(call.request, {"limit"}));
  const auto limit = WEIR_TRY(number_parameter(call.request, "limit", 1, kEpochsMax)).value_or(50);
  const auto view = WEIR_TRY(parts_.live.view_or_trouble());
  Json json = {{"epochs", Json::array()}};
  const record::ControlRecord* resume = nullptr;
  const auto& history = *view->history;
  for (auto at = history.rbegin(); at != history.rend() && json["epochs"].size() < limit; ++at) {
    if (at->type == record::ControlType::kResume) {
      resume = &*at;
      continue;
    }
    Json epoch = epoch_json(*at);
    if (resume && resume->epoch == at->epoch) end_epoch(epoch, *resume);
    json["epochs"].push_back(std::move(epoch));
  }
  return json_response(to_text(json));
}

}  // namespace weir::serve
