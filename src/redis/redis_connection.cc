// The deadline is kept by poll(2) around every read and write on a socket that does not block:
// hiredis's own time-outs begin anew with each byte that comes. What hiredis resolves a name with
// may block; an address of numbers never does. So who may not wait asks over a connection that
// somebody else has opened (Client::ask_if_open).
#include <hiredis/hiredis.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/pulse.h"
#include "base/text.h"
#include "redis/redis_connection_internal.h"

namespace weir::redis {
namespace {

constexpr std::size_t kDepthMax = 8;

int left_until(SteadyTime deadline) {
  const auto left = std::chrono::ceil<Millis>(deadline - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<Millis::rep>(left, 0, 1 << 30));
}

struct ReplyDeleter {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};

// False where it is nested deeper than anything that is asked for.
bool take(const redisReply& from, std::size_t depth, std::size_t& bytes, Reply& to) {
  switch (from.type) {
    case REDIS_REPLY_NIL: to.kind = Reply::Kind::kNil; break;
    case REDIS_REPLY_INTEGER:
      to.kind = Reply::Kind::kInteger;
      to.integer = from.integer;
      break;
    case REDIS_REPLY_ARRAY:
      if (depth >= kDepthMax) return false;
      to.kind = Reply::Kind::kList;
      to.items.resize(from.elements);
      for (std::size_t i = 0; i < from.elements; ++i) {
        if (!take(*from.element[i], depth + 1, bytes, to.items[i])) return false;
      }
      break;
    default:
      to.kind = from.type == REDIS_REPLY_STRING   ? Reply::Kind::kText
                : from.type == REDIS_REPLY_STATUS ? Reply::Kind::kStatus
                                                  : Reply::Kind::kError;
      to.text.assign(from.str, from.len);
      bytes += from.len;
  }
  return true;
}

void append_command(std::string& bytes, const Command& command) {
  bytes += '*' + std::to_string(command.size()) + "\r\n";
  for (const std::string_view word : command) {
    bytes += '$' + std::to_string(word.size()) + "\r\n";
    bytes += word;
    bytes += "\r\n";
  }
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const ClientOptions& options,
                                                     SteadyTime deadline) {
  redisContext* context = redisConnectNonBlock(options.address.host.c_str(), options.address.port);
  if (!context) return fail(Code::kExhausted, "no memory for a connection to Redis");
  std::unique_ptr<Connection> connection(new Connection(context, options.reply_bytes_max));
  if (context->err) return fail(connection->broken());
  WEIR_TRY(during(connection->wait(POLLOUT, deadline), "connecting"));
  int error = 0;
  ::socklen_t size = sizeof error;
  if (::getsockopt(context->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return fail(Code::kUnavailable, std::strerror(error));
  redisEnableKeepAlive(context);
  WEIR_TRY(during(connection->log_in(options, deadline), "logging in"));
  return connection;
}

Connection::~Connection() { redisFree(context_); }

Status Connection::log_in(const ClientOptions& options, SteadyTime deadline) {
  std::vector<Command> commands;
  const std::string database = std::to_string(options.address.database);
  if (options.login && options.login->user.empty()) {
    commands.push_back({"AUTH", options.login->password});
  } else if (options.login) {
    commands.push_back({"AUTH", options.login->user, options.login->password});
  }
  commands.push_back({"SELECT", database});
  const auto replies = WEIR_TRY(ask(commands, deadline));
  for (const Reply& reply : replies) {
    if (reply.is_error()) return fail(error_of(reply));
  }
  return {};
}

Status Connection::wait(short events, SteadyTime deadline) {
  const Inside call("waiting for Redis");
  ::pollfd waited{context_->fd, events, 0};
  for (;;) {
    const int left = left_until(deadline);
    const int count = ::poll(&waited, 1, left);
    if (count > 0) return {};  // errors of the socket come with the next read or write
    if (count == 0) return fail(Code::kTimeout, "no answer in time");
    if (errno != EINTR) return fail(Code::kUnavailable, std::strerror(errno));
  }
}

// Not hiredis's own writing: that ends the process by SIGPIPE where the other side has gone.
Status Connection::send_all(std::string_view bytes, SteadyTime deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(context_->fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      WEIR_TRY(wait(POLLOUT, deadline));
    } else if (errno != EINTR) {
      return fail(Code::kUnavailable, std::strerror(errno));
    }
  }
  return {};
}

Result<Reply> Connection::read_one(SteadyTime deadline, std::size_t& bytes) {
  for (;;) {
    void* read = nullptr;
    if (redisReaderGetReply(context_->reader, &read) != REDIS_OK) {
      return fail(Code::kIo, std::string("not an answer of Redis: ") + context_->reader->errstr);
    }
    if (read) {
      const std::unique_ptr<redisReply, ReplyDeleter> owned(static_cast<redisReply*>(read));
      Reply reply;
      if (!take(*owned, 0, bytes, reply) || bytes > reply_bytes_max_) {
        return fail(Code::kIo, "an answer that is too large");
      }
      return reply;
    }
    // What has come and is not whole yet.
    if (context_->reader->len - context_->reader->pos > reply_bytes_max_) {
      return fail(Code::kIo, "an answer that is too large");
    }
    WEIR_TRY(wait(POLLIN, deadline));
    if (redisBufferRead(context_) != REDIS_OK) return fail(broken());
  }
}

Result<std::vector<Reply>> Connection::ask(std::span<const Command> commands, SteadyTime deadline) {
  std::string bytes;
  for (const Command& command : commands) append_command(bytes, command);
  WEIR_TRY(send_all(bytes, deadline));
  std::vector<Reply> replies;
  replies.reserve(commands.size());
  std::size_t taken = 0;
  while (replies.size() < commands.size()) {
    replies.push_back(WEIR_TRY(read_one(deadline, taken)));
  }
  return replies;
}

bool Connection::fresh() const {
  ::pollfd asked{context_->fd, POLLIN, 0};
  return ::poll(&asked, 1, 0) == 0 && context_->reader->len == context_->reader->pos;
}

Error Connection::broken() const {
  std::string reason = context_->errstr[0] ? context_->errstr : "the connection broke";
  return Error(context_->err == REDIS_ERR_PROTOCOL ? Code::kIo : Code::kUnavailable,
               one_line(reason));
}

}  // namespace weir::redis
