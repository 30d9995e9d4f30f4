// The table of what the gateway serves: method and path -> who may, what of the body, what to do.
//
// Owner: the gateway; filled before the first request. Threads: find() from any thread. Errors:
// none; what is not found says which methods the path has.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "http/server.h"
#include "serve/access.h"

namespace weir::serve {

// One request and the variables of its path: {"id" -> "a7"}.
struct Call {
  http::Request request;
  std::map<std::string, std::string, std::less<>> variables;

  const std::string& variable(std::string_view name) const { return variables.find(name)->second; }
};

enum class Where {
  kAtOnce,   // on the server's own thread: must not wait for anything
  kBySize,   // where the body is small and not packed at once, else on one that only computes
  kWorkers,  // on a worker: may ask Kafka or the store
};

struct Route {
  std::string method;
  std::string pattern;  // "/v1/predictions/{id}"
  Permission permission = Permission::kRead;
  Where where = Where::kWorkers;
  std::uint64_t body_bytes_max = 0;
  bool stream = false;
  std::function<void(Call, http::Reply)> handle;
};

class Router {
 public:
  struct Match {
    const Route* route = nullptr;
    std::map<std::string, std::string, std::less<>> variables;
    std::vector<std::string> allowed;  // the path's methods, where the method is none of them
  };

  void add(Route route);
  // HEAD is answered by GET's route.
  Match find(std::string_view method, const std::vector<std::string>& segments) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
  std::vector<std::vector<std::string>> patterns_;  // of each route, its segments
};

}  // namespace weir::serve
