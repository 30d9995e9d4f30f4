#include "store/webhdfs_client.h"

#include "base/check.h"
#include "base/log.h"

namespace weir::store {
namespace {

constexpr int kAttemptToWarnOf = 3;

AttemptFailure final_failure(Code code, std::string reason, std::size_t name_node = 0) {
  return {{Error(code, std::move(reason)), Retry::kNever}, name_node, ""};
}

bool is_unreachable(const AttemptFailure& failure) {
  return failure.verdict.error.retryable() && failure.data_node.empty();
}

}  // namespace

Result<std::unique_ptr<WebHdfsClient>> WebHdfsClient::make(const WebHdfsOptions& options) {
  WEIR_CHECK(!options.name_nodes.empty());
  std::vector<UrlOrigin> name_nodes;
  for (const std::string& address : options.name_nodes) {
    name_nodes.push_back(WEIR_TRY(origin_of(address)));
  }
  return std::unique_ptr<WebHdfsClient>(new WebHdfsClient(options, std::move(name_nodes)));
}

WebHdfsClient::WebHdfsClient(const WebHdfsOptions& options, std::vector<UrlOrigin> name_nodes)
    : options_(options), name_nodes_(std::move(name_nodes)), http_(options.http) {}

// Only if nobody else has done so since: else two threads would swing back to the one that is away.
void WebHdfsClient::pass_on(std::size_t from) {
  active_.compare_exchange_strong(from, (from + 1) % name_nodes_.size());
}

tl::expected<Answer, AttemptFailure> WebHdfsClient::ask_once(const NameNodeCall& call) {
  const std::size_t asked = active_.load();
  const UrlOrigin& node = name_nodes_[asked];
  const std::string url =
      node.scheme + "://" + node.authority + "/webhdfs/v1" + percent_encode_path(call.path);
  UrlParameters parameters = call.parameters;
  if (options_.auth == HttpAuth::kNone && !options_.user.empty()) {
    parameters.emplace_back("user.name", options_.user);
  }
  HttpRequest request;
  request.method = call.method;
  request.url = url + query_of(parameters);
  request.what = call.parameters.front().second + " " + url;
  request.auth = options_.auth;
  request.sink = call.sink;
  request.body_bytes_max = call.answer_bytes_max;

  auto response = http_.perform(request);
  const auto failed = [&](Verdict verdict) {
    return tl::unexpected<AttemptFailure>(AttemptFailure{std::move(verdict), asked, ""});
  };
  if (!response) return failed(judge(std::move(response.error())));
  const bool is_redirect = response->status >= 300 && response->status < 400;
  if (is_redirect && call.may_redirect && !response->redirect_url.empty()) {
    return Answer{std::move(*response), node};
  }
  if (response->status >= 200 && response->status < 300) return Answer{std::move(*response), node};
  return failed(judge(*response, request.what));
}

Result<Answer> WebHdfsClient::ask(const NameNodeCall& call) {
  Attempts attempts(*this);
  while (true) {
    auto answer = ask_once(call);
    if (answer) return std::move(*answer);
    if (!attempts.again(answer.error())) return fail(attempts.give_up(std::move(answer.error())));
  }
}

tl::expected<HttpResponse, AttemptFailure> WebHdfsClient::follow(const Answer& redirect,
                                                                 const DataCall& call) {
  const std::string& url = redirect.response.redirect_url;
  const std::string what = call.what + " " + without_query(url);
  const auto refuse = [&](const std::string& why) {
    return tl::unexpected<AttemptFailure>(final_failure(Code::kIo, what + ": " + why));
  };
  const auto target = origin_of(url);
  if (!target) return refuse("the NameNode redirects to what is no http or https address");
  if (redirect.name_node.scheme == "https" && target->scheme != "https") {
    return refuse("the NameNode redirects from https to http, where all could read along");
  }
  HttpRequest request;
  request.method = call.method;
  request.url = url;
  request.what = what;
  // HttpFS redirects to itself, and wants a login there too.
  if (*target == redirect.name_node) request.auth = options_.auth;
  request.source = call.source;
  request.sink = call.sink;

  auto response = http_.perform(request);
  if (!response) {
    HttpFailure failure = std::move(response.error());
    const bool retryable = !failure.from_caller && failure.error.retryable();
    std::string peer = failure.peer.empty() ? host_of_authority(target->authority) : failure.peer;
    return tl::unexpected<AttemptFailure>(AttemptFailure{
        {std::move(failure.error), retryable ? Retry::kSame : Retry::kNever}, 0, std::move(peer)});
  }
  if (response->status >= 200 && response->status < 300) return std::move(*response);
  if (response->status >= 300 && response->status < 400) return refuse("redirected twice");
  return tl::unexpected<AttemptFailure>(
      AttemptFailure{judge(*response, what), active_.load(), response->peer});
}

WebHdfsClient::Attempts::Attempts(WebHdfsClient& client)
    : client_(client), backoff_(client.options_.retry, *client.options_.clock) {}

void WebHdfsClient::Attempts::reset() {
  backoff_.reset();
  in_turn_ = 1;
}

bool WebHdfsClient::Attempts::again(const AttemptFailure& failure) {
  const Verdict& verdict = failure.verdict;
  if (verdict.retry == Retry::kNever) return false;
  if (backoff_.attempts() == kAttemptToWarnOf) {
    log::warn("hdfs does not answer as it should; trying again", {{"error", verdict.error}});
  }
  const std::size_t nodes = client_.name_nodes_.size();
  if (verdict.retry == Retry::kOther && nodes > 1) {
    client_.pass_on(failure.name_node);
    if (in_turn_ < nodes) {
      ++in_turn_;
      return backoff_.go_on();
    }
  }
  in_turn_ = 1;
  return backoff_.wait();
}

Error WebHdfsClient::Attempts::give_up(AttemptFailure failure) const {
  Error& error = failure.verdict.error;
  std::string reason = error.reason();
  if (backoff_.attempts() > 1) {
    reason += " (tried " + std::to_string(backoff_.attempts()) + " times)";
  }
  if (is_unreachable(failure)) {
    reason += "; check that HDFS runs, and dfs.namenode.http-address in hdfs-site.xml";
  }
  return {error.code(), std::move(reason)};
}

}  // namespace weir::store
