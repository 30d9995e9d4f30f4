// A real Redis server of the test's own, on a free port, with faults on demand.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "redis/redis_client.h"

namespace weir::redis {

class RedisServer {
 public:
  // nullptr where this machine has no redis-server. `options` as its command line takes them.
  static std::unique_ptr<RedisServer> start(const std::vector<std::string>& options = {});
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  ClientOptions options() const;
  std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }

  void kill();     // SIGKILL
  void restart();  // on the same port, empty
  void stall();    // SIGSTOP: connections stand, nothing is answered
  void resume();

 private:
  RedisServer(int port, std::vector<std::string> options)
      : port_(port), options_(std::move(options)) {}
  bool run();

  const int port_;
  const std::vector<std::string> options_;
  ::pid_t process_ = -1;
};

}  // namespace weir::redis
