#include "serve/predictions_api.h"

#include <limits>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "serve/answering.h"
#include "serve/parameters.h"
#include "serve/prediction_json.h"
#include "serve/problem.h"

namespace weir::serve {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kEventsAtOnce = 1'000;
constexpr std::uint64_t kPerSecondMax = 100'000;
constexpr Millis kKeepAliveEvery{15'000};

// One client of /v1/predictions/stream. Kept by the timer that keeps it alive, until the client has
// gone or was too slow.
class EventClient : public std::enable_shared_from_this<EventClient> {
 public:
  // per_second_max: more are left out; absent: none.
  EventClient(Parts& parts, std::shared_ptr<http::ResponseStream> stream,
              std::optional<std::uint64_t> per_second_max)
      : parts_(parts), stream_(std::move(stream)), per_second_max_(per_second_max) {}

  Status begin() {
    {
      // News may come before the watcher is known here.
      const std::lock_guard lock(mutex_);
      watcher_ = WEIR_TRY(parts_.board.watch([weak = weak_from_this()] {
        if (const auto own = weak.lock()) own->pass_on();
      }));
    }
    keep_alive();
    return {};
  }

 private:
  // All that there is: the board rings again only once nothing was left.
  void pass_on() {
    const std::lock_guard lock(mutex_);
    while (stream_->open() && pass_some_on()) {
    }
  }

  bool pass_some_on() {
    std::string events;
    const auto answers = watcher_->take(kEventsAtOnce);
    for (const auto& answer : answers) {
      if (!may_pass()) continue;
      Json json = {
          {"id", nullptr}, {"partition", answer->of.partition}, {"offset", answer->of.offset}};
      if (answer->id) json["id"] = *answer->id;
      add_answer(json, *answer);
      events += "id: " + std::to_string(answer->of.partition) + "-" +
                std::to_string(answer->of.offset) + "\ndata: " + to_text(json) + "\n\n";
    }
    if (watcher_->cut_off()) events += "event: cut-off\ndata: {\"reason\":\"read too slowly\"}\n\n";
    if (!events.empty()) stream_->write(std::move(events));
    return !answers.empty();
  }

  bool may_pass() {
    if (!per_second_max_) return true;
    const SteadyTime now = parts_.clock.steady();
    if (now - second_begun_ >= Millis(1'000)) {
      second_begun_ = now;
      passed_ = 0;
    }
    return passed_++ < *per_second_max_;
  }

  void keep_alive() {
    const std::lock_guard lock(mutex_);
    if (!stream_->open() || watcher_->cut_off()) return;
    stream_->write(": still here\n\n");
    parts_.timers.at(parts_.clock.steady() + kKeepAliveEvery,
                     [self = shared_from_this()] { self->keep_alive(); });
  }

  Parts& parts_;
  const std::shared_ptr<http::ResponseStream> stream_;
  const std::optional<std::uint64_t> per_second_max_;
  std::mutex mutex_;
  SteadyTime second_begun_{};                      // guarded by mutex_
  std::uint64_t passed_ = 0;                       // in that second; guarded by mutex_
  std::shared_ptr<predictions::Watcher> watcher_;  // guarded by mutex_
};

Result<std::optional<predictions::State>> state_parameter(const http::Request& request) {
  const auto text = request.parameter("state");
  if (!text) return std::nullopt;
  if (*text == "waiting") return predictions::State::kWaiting;
  if (*text == "predicted") return predictions::State::kPredicted;
  if (*text == "dead") return predictions::State::kDead;
  return fail(Code::kInvalidArgument,
              "state is waiting, predicted or dead, not '" + one_line(text->substr(0, 100)) + "'");
}

}  // namespace

void PredictionsApi::add_routes(Router& router) {
  // Before {id}, which would fit it, too.
  router.add({"GET", "/v1/predictions/stream", Permission::kRead, Where::kAtOnce, 0, false,
              [this](Call call, http::Reply reply) { stream(std::move(call), std::move(reply)); }});
  router.add({"GET", "/v1/predictions", Permission::kRead, Where::kWorkers, 0, false,
              answering([this](const Call& call) { return list(call); })});
  router.add({"GET", "/v1/predictions/{id}", Permission::kRead, Where::kWorkers, 0, false,
              answering([this](const Call& call) { return by_id(call); })});
  router.add({"GET", "/v1/records/{partition}/{offset}", Permission::kRead, Where::kWorkers, 0,
              false, answering([this](const Call& call) { return by_place(call); })});
}

Result<http::Response> PredictionsApi::by_id(const Call& call) const {
  WEIR_TRY(only_parameters(call.request, {}));
  const std::string& id = call.variable("id");
  const auto found = WEIR_TRY(parts_.predictions.by_id(id));
  if (!found) {
    return fail(Code::kNotFound, "no record with id '" + one_line(id.substr(0, 200)) +
                                     "' is kept; it never came, or longer ago than serve.keep");
  }
  Json json = kept_json(found->newest);
  json["records_of_this_id"] = found->count;
  return json_response(to_text(json));
}

Result<http::Response> PredictionsApi::by_place(const Call& call) const {
  WEIR_TRY(only_parameters(call.request, {}));
  const auto partition = number_of(call.variable("partition"));
  const auto offset = number_of(call.variable("offset"));
  if (!partition || !offset || *partition > std::numeric_limits<std::int32_t>::max()) {
    return fail(Code::kInvalidArgument, "a place is PARTITION/OFFSET, two whole numbers");
  }
  const auto found = WEIR_TRY(parts_.predictions.by_place(
      {static_cast<std::int32_t>(*partition), static_cast<std::int64_t>(*offset)}));
  if (!found) return fail(Code::kNotFound, "no record that stands there is kept");
  return json_response(to_text(kept_json(*found)));
}

Result<http::Response> PredictionsApi::list(const Call& call) const {
  const http::Request& request = call.request;
  WEIR_TRY(only_parameters(request,
                           {"from", "until", "model", "id_prefix", "state", "limit", "cursor"}));
  const WallTime now = parts_.clock.wall();
  predictions::ListQuery query;
  query.from_ms = WEIR_TRY(moment_parameter(request, "from", now));
  query.until_ms = WEIR_TRY(moment_parameter(request, "until", now));
  query.model = WEIR_TRY(number_parameter(request, "model", 1, record::kEpochMax));
  if (const auto prefix = request.parameter("id_prefix")) query.id_prefix = std::string(*prefix);
  query.state = WEIR_TRY(state_parameter(request));
  query.limit = WEIR_TRY(number_parameter(request, "limit", 1, predictions::kListLimitMax))
                    .value_or(query.limit);
  query.cursor = std::string(request.parameter("cursor").value_or(""));
  const predictions::Page page = WEIR_TRY(parts_.predictions.list(query));
  Json json = {{"predictions", Json::array()}, {"next", nullptr}};
  for (const auto& kept : page.items) json["predictions"].push_back(kept_json(kept));
  if (!page.next.empty()) json["next"] = page.next;
  return json_response(to_text(json));
}

void PredictionsApi::stream(Call call, http::Reply reply) {
  if (auto good = only_parameters(call.request, {"per_second_max"}); !good) {
    return reply.send(problem_of(good.error()));
  }
  const auto per_second_max = number_parameter(call.request, "per_second_max", 1, kPerSecondMax);
  if (!per_second_max) return reply.send(problem_of(per_second_max.error()));
  // A trial first: once the head is out no other status can be given.
  auto trial = parts_.board.watch([] {});
  if (!trial) return reply.send(problem(503, trial.error().message()));
  trial->reset();
  http::Response head;
  head.content_type = "text/event-stream";
  head.headers.emplace_back("Cache-Control", "no-store");
  if (call.request.method == "HEAD") return reply.send(std::move(head));
  auto client =
      std::make_shared<EventClient>(parts_, reply.start_stream(std::move(head)), *per_second_max);
  static_cast<void>(client->begin());
}

}  // namespace weir::serve
