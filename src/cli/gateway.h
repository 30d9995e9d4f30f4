// The gateway, put together: the server, what it asks, and the roles that keep that up to date.
//
// Owner: a command; the roles outlive it, and the supervisor that drives its specs ends before it.
// Threads: make(), listen() and stop() from the command's; the specs each on a thread of its own.
// Errors: make() as those of the store of predictions, kUnavailable where another gateway has it;
// listen() kUnavailable where a port that was asked for is taken, kBadConfig for an address, port
// or certificate that cannot be had, and for an address that others can reach without tokens.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/roles.h"
#include "http/server.h"
#include "infer_grpc/server.h"
#include "redis/redis_client.h"
#include "serve/api.h"
#include "serve/flow_meter.h"

namespace weir::cli {

class Gateway {
 public:
  // It has its store, and is to listen() before anything else.
  static Result<std::unique_ptr<Gateway>> make(Roles& roles);
  ~Gateway();
  Status listen();
  // Where its page and its paths are: "http://127.0.0.1:8080".
  std::string url() const;
  // Where it speaks gRPC: "127.0.0.1:8081"; "off" where it does not.
  std::string grpc_address() const;
  std::vector<RoleSpec> specs();
  // Takes no more requests, answers those under way, and ends.
  void stop();

 private:
  Gateway(Roles& roles, std::string member);
  std::string place(std::uint16_t port) const;  // "127.0.0.1:8080", "[::1]:8080"
  Status open_store();
  Status open_redis();
  Result<serve::ApiOptions> api_options() const;
  Result<http::ServerOptions> server_options() const;
  Status open_grpc();

  Roles& roles_;
  const std::string member_;
  std::unique_ptr<redis::Client> redis_;  // where there is one
  std::unique_ptr<predictions::PredictionStore> store_;
  std::unique_ptr<serve::FlowMeter> meter_;    // the store as the feed fills it
  std::unique_ptr<cache::CacheAccess> cache_;  // where there is one
  predictions::AnswerBoard board_;
  predictions::FeedProgress progress_;
  serve::Live live_;
  serve::Flow flow_;
  serve::PushQueue pushes_;
  serve::ActualsQueue actuals_;
  serve::Timers timers_;
  serve::Workers workers_;
  std::atomic<bool> ending_{false};
  std::unique_ptr<serve::Parts> parts_;
  std::unique_ptr<serve::Api> api_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<infer_grpc::Server> grpc_;  // where there is one
};

}  // namespace weir::cli
