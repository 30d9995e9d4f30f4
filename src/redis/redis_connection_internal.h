// One connection to Redis. Any error ends it: what comes later on it would be taken for the answer
// to another question.
//
// Owner: the client. Threads: one at a time. Errors: as redis_client.h.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "redis/redis_client.h"

struct redisContext;

namespace weir::redis {

class Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(const ClientOptions& options,
                                                  SteadyTime deadline);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Result<std::vector<Reply>> ask(std::span<const Command> commands, SteadyTime deadline);
  // False where the other side has closed it meanwhile, or has sent what nobody asked for.
  bool fresh() const;

 private:
  Connection(redisContext* context, std::size_t reply_bytes_max)
      : context_(context), reply_bytes_max_(reply_bytes_max) {}
  Status log_in(const ClientOptions& options, SteadyTime deadline);
  Status wait(short events, SteadyTime deadline);
  Status send_all(std::string_view bytes, SteadyTime deadline);
  Result<Reply> read_one(SteadyTime deadline, std::size_t& bytes);
  Error broken() const;

  redisContext* const context_;
  const std::size_t reply_bytes_max_;
};

}  // namespace weir::redis
