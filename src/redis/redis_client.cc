#include "redis/redis_client.h"

#include <algorithm>

#include "base/local_file.h"
#include "base/log.h"
#include "base/text.h"
#include "redis/redis_connection_internal.h"

namespace weir::redis {
namespace {

constexpr std::size_t kLoginBytesMax = 10'000;
constexpr int kDatabaseMax = 99'999;

std::optional<int> number_up_to(std::string_view text, std::int64_t max) {
  const auto number = parse_int64(text);
  if (!number || *number < 0 || *number > max) return std::nullopt;
  return static_cast<int>(*number);
}

}  // namespace

Error error_of(const Reply& refusal) {
  const std::string_view text = refusal.text;
  const std::string_view word = text.substr(0, text.find(' '));
  const auto is_one_of = [&](std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  Code code = Code::kIo;
  // A script that was refused inside brings the reason behind words of its own.
  if (word == "OOM" || text.find("OOM command not allowed") != text.npos) {
    code = Code::kExhausted;
  } else if (is_one_of({"LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "MISCONF",
                        "NOREPLICAS"})) {
    code = Code::kUnavailable;
  } else if (is_one_of({"NOAUTH", "WRONGPASS", "NOPERM"}) ||
             text.find("invalid password") != text.npos ||
             text.find("without any password configured") != text.npos) {
    code = Code::kPermissionDenied;
  } else if (word == "WRONGTYPE" || text.find("WRONGTYPE ") != text.npos) {
    code = Code::kCorrupt;
  } else if (word == "BUSY") {
    code = Code::kTimeout;
  }
  return Error(code, "Redis refuses: " + one_line(text.substr(0, 300)));
}

Result<Address> parse_address(const std::string& url) {
  const auto refused = [&](const std::string& why) {
    return fail(Code::kBadConfig, "redis.url: " + why + "; it is redis://HOST[:PORT][/DATABASE]");
  };
  constexpr std::string_view kScheme = "redis://";
  std::string_view rest = url;
  if (rest.starts_with("rediss://")) return refused("TLS to Redis is not supported");
  if (!rest.starts_with(kScheme)) return refused("not the address of a Redis");
  rest.remove_prefix(kScheme.size());
  if (rest.find('@') != rest.npos) return refused("who logs in belongs into redis.auth_file");
  Address address;
  if (const std::size_t slash = rest.find('/'); slash != rest.npos) {
    const std::string_view database = rest.substr(slash + 1);
    if (!database.empty()) {
      const auto number = number_up_to(database, kDatabaseMax);
      if (!number) return refused("the database is a number");
      address.database = *number;
    }
    rest = rest.substr(0, slash);
  }
  const bool bracketed = rest.starts_with('[');
  const std::size_t host_end = bracketed ? rest.find(']') : rest.rfind(':');
  if (bracketed && host_end == rest.npos) return refused("a bracket is open");
  const std::size_t colon = bracketed ? host_end + 1 : host_end;
  if (colon < rest.size()) {
    const auto port = number_up_to(rest.substr(colon + 1), 65'535);
    if (rest[colon] != ':' || !port || *port == 0) return refused("the port is 1 to 65535");
    address.port = *port;
  }
  address.host = bracketed ? rest.substr(1, host_end - 1) : rest.substr(0, host_end);
  if (address.host.empty()) return refused("the host is missing");
  return address;
}

Result<Login> read_login(const std::string& path) {
  const std::string text = WEIR_TRY(during(read_local_file(path, kLoginBytesMax + 1),
                                           "reading the login of Redis, redis.auth_file"));
  std::vector<std::string> lines;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  if (text.size() > kLoginBytesMax || lines.empty() || lines.size() > 2) {
    return fail(Code::kBadConfig, path +
                                      " holds no login: one line with the password, or a line "
                                      "with the user's name before it");
  }
  Login login;
  login.password = lines.back();
  if (lines.size() == 2) login.user = lines.front();
  return login;
}

Client::Client(ClientOptions options, Clock& clock) : options_(std::move(options)), clock_(clock) {}

Client::~Client() = default;

std::string Client::where() const {
  const Address& at = options_.address;
  const bool ipv6 = at.host.find(':') != at.host.npos;
  return "redis://" + (ipv6 ? "[" + at.host + "]" : at.host) + ":" + std::to_string(at.port) + "/" +
         std::to_string(at.database);
}

Result<std::vector<Reply>> Client::ask(std::span<const Command> commands,
                                       std::optional<Millis> timeout) {
  WEIR_TRY(admit());
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout.value_or(options_.timeout);
  const auto asked = [&]() -> Result<std::vector<Reply>> {
    return exchange(WEIR_TRY(borrow(deadline)), commands, deadline);
  };
  auto replies = during(asked(), "asking " + where());
  note(replies ? Status() : fail(replies.error()));
  return replies;
}

Result<std::optional<std::vector<Reply>>> Client::ask_if_open(std::span<const Command> commands,
                                                              Millis timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  std::unique_ptr<Connection> connection;
  {
    const std::lock_guard lock(mutex_);
    connection = take_open();
  }
  if (!connection) return std::optional<std::vector<Reply>>();
  if (const auto admitted = admit(); !admitted) {
    give_back(std::move(connection));
    return fail(admitted.error());
  }
  auto replies = during(exchange(std::move(connection), commands, deadline), "asking " + where());
  note(replies ? Status() : fail(replies.error()));
  return std::optional(WEIR_TRY(std::move(replies)));
}

Status Client::open_one(Millis timeout) {
  WEIR_TRY(admit());
  bool free = false;
  {
    const std::lock_guard lock(mutex_);
    free = lent_ + idle_.size() < options_.connections_max;
    if (free) ++lent_;
  }
  if (!free) return {};  // nothing was asked of the server
  auto opened = Connection::open(options_, std::chrono::steady_clock::now() + timeout);
  Status outcome;
  if (!opened) outcome = fail(Error(opened.error()).while_doing("asking " + where()));
  give_back(opened ? std::move(*opened) : nullptr);
  note(outcome);
  return outcome;
}

Result<Reply> Client::ask_one(const Command& command, std::optional<Millis> timeout) {
  auto replies = WEIR_TRY(ask({&command, 1}, timeout));
  if (replies[0].is_error()) return fail(error_of(replies[0]).while_doing("asking " + where()));
  return std::move(replies[0]);
}

ClientState Client::state() const {
  const std::lock_guard lock(mutex_);
  ClientState state = state_;
  state.resting = clock_.steady() < rest_until_;
  return state;
}

Result<std::unique_ptr<Connection>> Client::borrow(SteadyTime deadline) {
  {
    std::unique_lock lock(mutex_);
    const bool free = back_.wait_until(
        lock, deadline, [&] { return !idle_.empty() || lent_ < options_.connections_max; });
    if (!free) return fail(Code::kTimeout, "all connections are in use");
    if (auto connection = take_open()) return connection;
    ++lent_;
  }
  auto opened = Connection::open(options_, deadline);
  if (!opened) give_back(nullptr);
  return opened;
}

std::unique_ptr<Connection> Client::take_open() {
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    // A server that was restarted has closed them all.
    if (!connection->fresh()) continue;
    ++lent_;
    return connection;
  }
  return nullptr;
}

Result<std::vector<Reply>> Client::exchange(std::unique_ptr<Connection> connection,
                                            std::span<const Command> commands,
                                            SteadyTime deadline) {
  auto replies = connection->ask(commands, deadline);
  if (!replies) connection.reset();
  give_back(std::move(connection));
  return replies;
}

void Client::give_back(std::unique_ptr<Connection> connection) {
  const std::lock_guard lock(mutex_);
  --lent_;
  if (connection) idle_.push_back(std::move(connection));
  back_.notify_one();
}

// ---- the breaker ----

Status Client::admit() {
  const std::lock_guard lock(mutex_);
  if (rest_ > Millis(0)) {
    // Open, and half-open once the rest is over: one call decides.
    if (clock_.steady() < rest_until_ || trying_) {
      ++state_.refused;
      return fail(Code::kUnavailable,
                  where() + " is not asked for now, as it has failed: " +
                      (state_.last_failure ? state_.last_failure->message() : ""));
    }
    trying_ = true;
  }
  ++state_.calls;
  return {};
}

void Client::note(const Status& outcome) {
  bool opened = false;
  {
    const std::lock_guard lock(mutex_);
    trying_ = false;
    if (outcome) {
      failures_in_a_row_ = 0;
      rest_ = Millis(0);
      return;
    }
    ++state_.failures;
    ++failures_in_a_row_;
    state_.last_failure = outcome.error();
    if (failures_in_a_row_ < options_.failures_max) return;
    opened = rest_ == Millis(0);
    rest_ = opened ? options_.rest_min : std::min(rest_ * 2, options_.rest_max);
    rest_until_ = clock_.steady() + rest_;
  }
  if (opened) {
    log::warn("redis does not answer; going on without it for now", {{"reason", outcome.error()}});
  }
}

}  // namespace weir::redis
