// Asks a Redis server, within a deadline, from any thread: a few connections that are lent to
// whoever calls, and a breaker over all of them.
//
// Owner: whoever made it; it outlives the calls. Threads: any. Errors: kTimeout (no answer within
// the deadline), kUnavailable (no connection, or the breaker is open), kPermissionDenied (the login
// was refused), kIo (an answer that is not Redis's). After any of them the connection is gone. A
// command may have been carried out all the same: send only what may be sent twice.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "redis/redis_reply.h"

namespace weir::redis {

struct Address {
  std::string host;
  int port = 6379;
  int database = 0;
};
// redis://HOST[:PORT][/DATABASE]; an IPv6 address stands in brackets. kBadConfig.
Result<Address> parse_address(const std::string& url);

struct Login {
  std::string user;  // empty: Redis's default user
  std::string password;
};
// The password, or a line with the user's name and one with the password. kBadConfig names the file
// and never what is in it.
Result<Login> read_login(const std::string& path);

struct ClientOptions {
  Address address;
  std::optional<Login> login;
  Millis timeout{1'000};  // of one call, the connection included where one has to be made
  std::size_t connections_max = 8;
  std::size_t reply_bytes_max = 256'000'000;  // of one call, all replies together
  // The breaker: after so many failures in a row nobody is asked for `rest_min`, doubled each time
  // that the one who is let through then fails, up to `rest_max`.
  int failures_max = 3;
  Millis rest_min{500};
  Millis rest_max{30'000};
};

// A command with its arguments, any bytes. The views outlive the call.
using Command = std::vector<std::string_view>;

struct ClientState {
  bool resting = false;  // the breaker is open
  std::uint64_t calls = 0;
  std::uint64_t failures = 0;
  std::uint64_t refused = 0;  // calls that the breaker let nobody make
  std::optional<Error> last_failure;
};

class Connection;

class Client {
 public:
  // Reaches nobody yet.
  explicit Client(ClientOptions options, Clock& clock = system_clock());
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Sends all, then reads as many replies, in their order. A refusal is a reply. `timeout`: in the
  // place of that of the options.
  Result<std::vector<Reply>> ask(std::span<const Command> commands,
                                 std::optional<Millis> timeout = std::nullopt);
  // As ask(), for who may not wait for more than an answer: only over a connection that is open and
  // free. Nothing where there is none; whoever may resolve a name and connect then opens one.
  Result<std::optional<std::vector<Reply>>> ask_if_open(std::span<const Command> commands,
                                                        Millis timeout);
  // One more connection for ask_if_open(), where not all are in use. How long a name takes to
  // resolve is bounded by the machine's resolver alone.
  Status open_one(Millis timeout);
  // As ask() of one command, whose refusal is an error.
  Result<Reply> ask_one(const Command& command, std::optional<Millis> timeout = std::nullopt);

  ClientState state() const;
  std::string where() const;  // "redis://host:6379/0"

 private:
  Result<std::unique_ptr<Connection>> borrow(SteadyTime deadline);
  std::unique_ptr<Connection> take_open();  // with mutex_ held; counts it as lent
  Result<std::vector<Reply>> exchange(std::unique_ptr<Connection> connection,
                                      std::span<const Command> commands, SteadyTime deadline);
  void give_back(std::unique_ptr<Connection> connection);
  Status admit();
  void note(const Status& outcome);

  const ClientOptions options_;
  Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable back_;
  std::vector<std::unique_ptr<Connection>> idle_;  // guarded by mutex_
  std::size_t lent_ = 0;                           // guarded by mutex_
  ClientState state_;                              // guarded by mutex_
  int failures_in_a_row_ = 0;                      // guarded by mutex_
  Millis rest_{0};                                 // guarded by mutex_
  SteadyTime rest_until_{};                        // guarded by mutex_
  bool trying_ = false;                            // one is let through; guarded by mutex_
};

}  // namespace weir::redis
