#include "serve/api.h"

#include <utility>

#include "base/text.h"
#include "serve/problem.h"

namespace weir::serve {
namespace {

// Passes the answer on, and tells the metrics of it.
class CountedTarget final : public http::Reply::Target {
 public:
  CountedTarget(http::Reply reply, RequestMetrics& metrics, RequestMetrics::Key key,
                std::optional<RequestTrace> trace)
      : reply_(std::move(reply)),
        metrics_(metrics),
        key_(std::move(key)),
        trace_(std::move(trace)),
        begun_(std::chrono::steady_clock::now()) {}

  void send(http::Response response) override {
    count(response.status);
    reply_.send(std::move(response));
  }
  std::shared_ptr<http::ResponseStream> start_stream(http::Response head) override {
    count(head.status);
    return reply_.start_stream(std::move(head));
  }

 private:
  void count(unsigned status) {
    key_.status_class = status / 100;
    metrics_.add(key_, std::chrono::steady_clock::now() - begun_);
    if (trace_) std::exchange(trace_, std::nullopt)->end(status);
  }

  http::Reply reply_;
  RequestMetrics& metrics_;
  RequestMetrics::Key key_;
  std::optional<RequestTrace> trace_;
  const std::chrono::steady_clock::time_point begun_;
};

constexpr std::size_t kBytesAtOnceMax = 16'384;

// What stands in metrics in the place of a method that nobody has heard of.
std::string known_method(const std::string& method) {
  for (const char* known : {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
    if (method == known) return method;
  }
  return "other";
}

// What takes no longer than the answer's own way through the server.
bool at_once(const Route& route, const http::Request& request) {
  if (route.where != Where::kBySize) return route.where == Where::kAtOnce;
  return request.body.size() <= kBytesAtOnceMax && !request.header("content-encoding");
}

}  // namespace

Api::Api(ApiOptions options, Parts& parts)
    : options_(std::move(options)),
      parts_(parts),
      guard_(options_.guard, parts.clock),
      messages_(parts),
      predictions_(parts),
      models_(parts),
      datasets_(parts),
      inference_(parts.pipeline, parts.live),
      infer_(parts, inference_),
      watch_(parts),
      cache_(parts),
      health_(parts, metrics_),
      flow_(parts) {
  messages_.add_routes(router_);
  predictions_.add_routes(router_);
  models_.add_routes(router_);
  datasets_.add_routes(router_);
  infer_.add_routes(router_);
  watch_.add_routes(router_);
  cache_.add_routes(router_);
  health_.add_routes(router_);
  flow_.add_routes(router_);
  assets_.add_routes(router_);
}

http::BodyPlan Api::plan(const http::Request& head) {
  http::BodyPlan plan;
  const auto refuse = [&](http::Response response) {
    metrics_.add({known_method(head.method), "", response.status / 100}, {});
    plan.refusal = std::move(response);
    return plan;
  };
  if (auto refusal = guard_.refusal(head)) return refuse(std::move(*refusal));
  const Router::Match match = router_.find(head.method, head.segments);
  // Who may not even read learns nothing about what there is.
  const Permission needed = match.route ? match.route->permission : Permission::kRead;
  if (auto refusal = options_.access.refusal(head, needed)) return refuse(std::move(*refusal));
  if (!match.route && match.allowed.empty()) {
    return refuse(problem(404, "there is nothing at " + one_line(head.target.substr(0, 200)) +
                                   "; /docs tells what there is"));
  }
  if (!match.route) {
    std::string allowed;
    for (const auto& method : match.allowed) allowed += (allowed.empty() ? "" : ", ") + method;
    http::Response response =
        problem(405, "this path takes " + allowed + ", not " + one_line(head.method.substr(0, 40)));
    response.headers.emplace_back("Allow", allowed);
    return refuse(std::move(response));
  }
  plan.bytes_max = match.route->body_bytes_max;
  plan.stream = match.route->stream;
  return plan;
}

http::Reply Api::counted(http::Reply reply, RequestMetrics::Key key,
                         std::optional<RequestTrace> trace) const {
  return http::Reply(std::make_shared<CountedTarget>(std::move(reply), metrics_, std::move(key),
                                                     std::move(trace)));
}

void Api::handle(http::Request request, http::Reply reply) {
  Router::Match match = router_.find(request.method, request.segments);
  const Route& route = *match.route;  // plan() has found it
  auto trace = RequestTrace::begin(parts_.tracer, request, route);
  http::Reply answer =
      counted(std::move(reply), {known_method(request.method), route.pattern, 0}, std::move(trace));
  Call call{std::move(request), std::move(match.variables)};
  if (at_once(route, call.request)) return route.handle(std::move(call), std::move(answer));
  // A std::function has to be copyable, a Reply is not.
  struct Task {
    Call call;
    http::Reply reply;
  };
  auto task = std::make_shared<Task>(Task{std::move(call), std::move(answer)});
  const auto run = [task, &route] { route.handle(std::move(task->call), std::move(task->reply)); };
  // What waits for nothing does not wait behind what may.
  const bool taken = route.where == Where::kBySize
                         ? inference_.later(task->call.request.body.size(), run)
                         : parts_.workers.submit(run);
  if (taken) return;
  if (task->call.request.stream) task->call.request.stream->abandon();
  task->reply.send(problem(503, "too many requests wait already; try again"));
}

http::Response Api::fault(unsigned status, const std::string& reason) {
  return problem(status, reason);
}

}  // namespace weir::serve
