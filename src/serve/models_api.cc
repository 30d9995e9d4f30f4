#include "serve/models_api.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/text.h"
#include "gate/training_request.h"
#include "record/reigns.h"
#include "serve/answering.h"
#include "serve/held_out_values.h"
#include "serve/parameters.h"
#include "serve/prediction_json.h"

namespace weir::serve {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kManifestsKeptMax = 1'000;
constexpr std::size_t kListMax = 200;
constexpr Millis kFlushTimeout{10'000};
constexpr Millis kLookAgain{50};

// Who ruled when, by the control log.
std::vector<record::Reign> reigns_of(const LiveView& view, std::uint64_t version) {
  record::ReignHistory history;
  for (const auto& record : *view.history) history.apply(record);
  return history.reigns(version);
}

Json reign_json(const record::Reign& reign) {
  Json json = {{"epoch", reign.resume.epoch},
               {"version", reign.resume.version},
               {"outcome", record::outcome_name(reign.resume.outcome)},
               {"reason", reign.resume.reason},
               {"by", reign.resume.by},
               {"since", reign.resume.at},
               {"until", nullptr}};
  if (reign.ended_by) json["until"] = reign.ended_by->at;
  return json;
}

Json summary_json(const registry::Manifest& manifest, std::uint64_t live) {
  Json json = {{"version", manifest.version},
               {"live", manifest.version == live},
               {"algorithm", manifest.algorithm},
               {"target", manifest.schema.target},
               {"features", manifest.schema.features.size()},
               {"dataset", manifest.dataset.path},
               {"rows", manifest.rows},
               {"rows_refused", manifest.rows_refused},
               {"held_out", nullptr},
               {"parent_version", manifest.parent_version},
               {"trained_at", manifest.trained_at},
               {"training_seconds", manifest.training_seconds},
               {"sha256", manifest.model_sha256}};
  if (manifest.has_held_out) {
    json["held_out"] = {{"rmse", manifest.held_out.rmse},
                        {"mae", manifest.held_out.mae},
                        {"r2", manifest.held_out.r2},
                        {"rows", manifest.rows_held_out}};
  }
  return json;
}

Result<std::uint64_t> version_of(const Call& call) {
  const auto version = number_of(call.variable("version"));
  if (version && *version > 0 && *version <= record::kEpochMax) return *version;
  return fail(Code::kInvalidArgument, "a version is a whole number from 1, not '" +
                                          one_line(call.variable("version").substr(0, 100)) + "'");
}

}  // namespace

void ModelsApi::add_routes(Router& router) {
  const auto add = [&](std::string method, std::string pattern, Permission permission,
                       auto member) {
    router.add({std::move(method), std::move(pattern), permission, Where::kWorkers, 0, false,
                answering([this, member](const Call& call) { return (this->*member)(call); })});
  };
  add("GET", "/v1/models", Permission::kRead, &ModelsApi::list);
  add("GET", "/v1/models/{version}", Permission::kRead, &ModelsApi::show);
  add("GET", "/v1/models/{version}/held-out", Permission::kRead, &ModelsApi::held_out);
  add("POST", "/v1/models/{version}/rollback", Permission::kAdmin, &ModelsApi::roll_back);
  add("POST", "/v1/train", Permission::kAdmin, &ModelsApi::train);
}

Result<registry::Manifest> ModelsApi::manifest(std::uint64_t version) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = manifests_.find(version); found != manifests_.end()) {
      return found->second;
    }
  }
  registry::Manifest read = WEIR_TRY(parts_.models.manifest(version));
  const std::lock_guard lock(mutex_);
  if (manifests_.size() >= kManifestsKeptMax) manifests_.erase(manifests_.begin());
  manifests_[version] = read;
  return read;
}

Result<http::Response> ModelsApi::list(const Call& call) const {
  WEIR_TRY(only_parameters(call.request, {"limit", "before"}));
  const auto limit = WEIR_TRY(number_parameter(call.request, "limit", 1, kListMax)).value_or(50);
  const auto before = WEIR_TRY(number_parameter(call.request, "before", 1, record::kEpochMax));
  const auto view = WEIR_TRY(parts_.live.view_or_trouble());
  const std::uint64_t live = view->status.control.version;
  auto versions = WEIR_TRY(parts_.models.versions());
  std::reverse(versions.begin(), versions.end());
  if (before) std::erase_if(versions, [&](std::uint64_t version) { return version >= *before; });
  Json json = {{"live", live}, {"models", Json::array()}, {"next", nullptr}};
  for (const std::uint64_t version : versions) {
    if (json["models"].size() == limit) {
      json["next"] = json["models"].back()["version"];
      break;
    }
    const auto found = manifest(version);
    if (found) {
      json["models"].push_back(summary_json(*found, live));
    } else if (found.error().retryable()) {
      return weir::fail(found.error());
    } else {
      json["models"].push_back({{"version", version}, {"unreadable", found.error().message()}});
    }
  }
  return json_response(to_text(json));
}

Result<http::Response> ModelsApi::show(const Call& call) const {
  WEIR_TRY(only_parameters(call.request, {}));
  const std::uint64_t version = WEIR_TRY(version_of(call));
  const auto view = WEIR_TRY(parts_.live.view_or_trouble());
  const registry::Manifest found = WEIR_TRY(manifest(version));
  Json json = Json::parse(found.to_json());
  json["live"] = view->status.control.version == version;
  json["reigns"] = Json::array();
  for (const auto& reign : reigns_of(*view, version)) json["reigns"].push_back(reign_json(reign));
  return json_response(to_text(json));
}

// By the row's number, as it stands in the keys that the built-in producer writes.
Result<http::Response> ModelsApi::held_out(const Call& call) const {
  WEIR_TRY(only_parameters(call.request, {}));
  const std::uint64_t version = WEIR_TRY(version_of(call));
  const registry::Manifest found = WEIR_TRY(manifest(version));
  const auto values =
      WEIR_TRY(held_out_values(WEIR_TRY(parts_.models.test_csv(version)), found.schema.target));
  Json json = {{"version", version}, {"target", found.schema.target}, {"rows", Json::object()}};
  for (const auto& [row, text] : values) {
    if (const auto value = parse_finite_double(text)) json["rows"][row] = *value;
  }
  return json_response(to_text(json));
}

Status ModelsApi::ask(record::MemberRecord request) const {
  request.member = parts_.self;
  auto publisher = WEIR_TRY(parts_.broker.open_publisher());
  WEIR_TRY(publisher->send({parts_.members_topic, 0, request.member, request.to_json(), nullptr}));
  return publisher->flush(kFlushTimeout);
}

// The leading trainer acts, and alone writes the control log; here its outcome is waited for.
Result<http::Response> ModelsApi::roll_back(const Call& call) const {
  WEIR_TRY(only_parameters(call.request, {"wait"}));
  const auto wait = WEIR_TRY(duration_parameter(call.request, "wait", parts_.limits.wait_max))
                        .value_or(Millis{30'000});
  const std::uint64_t version = WEIR_TRY(version_of(call));
  const auto view = WEIR_TRY(parts_.live.view_or_trouble());
  WEIR_TRY(parts_.models.load(version, ""));
  const std::uint64_t epoch = view->status.control.epoch;
  record::MemberRecord request;
  request.type = record::MemberType::kAskRollback;
  request.epoch = epoch;
  request.version = version;
  WEIR_TRY(during(ask(std::move(request)), "asking the trainers for a rollback"));
  const SteadyTime deadline = parts_.clock.steady() + wait;
  while (parts_.clock.steady() < deadline && !parts_.ending) {
    const auto now = parts_.live.view();
    const auto& resume = now->status.control.last_resume;
    if (!resume || resume->epoch <= epoch) {
      parts_.clock.sleep_for(kLookAgain, {});
      continue;
    }
    if (resume->outcome == record::Outcome::kRolledBack && resume->version == version) {
      return json_response(to_text({{"version", version}, {"epoch", resume->epoch}}));
    }
    return fail(Code::kAlreadyExists, "epoch " + std::to_string(resume->epoch) + " put version " +
                                          std::to_string(resume->version) + " in force instead (" +
                                          std::string(record::outcome_name(resume->outcome)) +
                                          ": " + resume->reason + "); look at it and ask again");
  }
  return json_response(
      to_text({{"version", version}, {"detail", "asked for; no trainer has answered yet"}}), 202);
}

// With the epoch that was begun, or the reason why none was: the leading trainer answers.
Result<http::Response> ModelsApi::train(const Call& call) const {
  WEIR_TRY(only_parameters(call.request, {"dataset", "wait"}));
  const auto wait = WEIR_TRY(duration_parameter(call.request, "wait", parts_.limits.wait_max))
                        .value_or(Millis{30'000});
  const auto view = WEIR_TRY(parts_.live.view_or_trouble());
  const gate::TrainingWish wish{parts_.self,
                                std::string(call.request.parameter("dataset").value_or("")),
                                view->status.control.epoch, wait};
  auto request = WEIR_TRY(
      during(gate::TrainingRequest::send(parts_.broker, parts_.members_topic, wish, parts_.clock),
             "asking the trainers to train now"));
  const SteadyTime deadline = parts_.clock.steady() + wait;
  while (parts_.clock.steady() < deadline && !parts_.ending) {
    const auto answer = WEIR_TRY(request->poll(kLookAgain));
    if (!answer) continue;
    if (answer->epoch == 0) return fail(Code::kAlreadyExists, "not trained: " + answer->reason);
    return json_response(to_text({{"epoch", answer->epoch}, {"dataset", answer->dataset}}), 202);
  }
  return fail(Code::kTimeout, "no trainer has answered, and the request is void; is one running?");
}

}  // namespace weir::serve
