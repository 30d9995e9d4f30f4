#include "serve/watch_api.h"

#include <nlohmann/json.hpp>

#include "serve/actuals_batch.h"
#include "serve/answering.h"
#include "serve/parameters.h"
#include "serve/prediction_json.h"
#include "serve/problem.h"
#include "serve/request_body.h"
#include "serve/request_trace.h"
#include "serve/watch_json.h"

namespace weir::serve {

void WatchApi::add_routes(Router& router) {
  router.add({"GET", "/v1/watch", Permission::kRead, Where::kAtOnce, 0, false,
              answering([this](const Call& call) { return watch(call); })});
  router.add({"POST", "/v1/actuals", Permission::kPush, Where::kBySize,
              parts_.limits.body_bytes_max, false,
              [this](Call call, http::Reply reply) { push(std::move(call), std::move(reply)); }});
}

Result<http::Response> WatchApi::watch(const Call& call) const {
  WEIR_TRY(only_parameters(call.request, {}));
  const auto view = WEIR_TRY(parts_.live.view_or_trouble());
  return json_response(to_text(watch_json(view->status, parts_.pipeline, parts_.clock)));
}

void WatchApi::push(Call call, http::Reply reply) {
  const auto attempt = [&]() -> Result<ActualsBatch> {
    WEIR_TRY(only_parameters(call.request, {}));
    std::string unpacked;
    const auto kind = WEIR_TRY(batch_kind_of(call.request));
    const auto body = WEIR_TRY(body_of(call.request, parts_.limits.body_bytes_max, unpacked));
    return read_actuals(body, kind, parts_.limits.records_max);
  };
  auto batch = attempt();
  if (!batch) return reply.send(body_problem(batch.error()));
  ActualsRequest request;
  request.headers = trace_headers(call.request);
  const nlohmann::ordered_json counts = {{"accepted", batch->actuals.size()},
                                         {"repeated", batch->repeated}};
  request.actuals = std::move(batch->actuals);
  // A std::function has to be copyable, a Reply is not.
  auto shared = std::make_shared<http::Reply>(std::move(reply));
  request.done = [shared, text = to_text(counts)](const Status& written) {
    shared->send(written ? json_response(text, 202) : problem_of(written.error()));
  };
  parts_.actuals.submit(std::move(request));
}

}  // namespace weir::serve
