// One connection: reads a request, hands it on, writes the answer, again and again.
//
// Made for plain sockets and for TLS by the same template. Everything runs on the connection's own
// strand; the Reply, the body's reader and a ResponseStream come in from other threads by posting
// to it. A connection keeps itself alive by the operations that it waits for.
#pragma once

#include <boost/asio/dispatch.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <memory>
#include <mutex>
#include <set>

#include "http/server.h"

namespace weir::http {

namespace asio = boost::asio;
namespace beast = boost::beast;

class ConnectionBase {
 public:
  virtual ~ConnectionBase() = default;
  // End after the answer that is under way; at once where there is none. From any thread that holds
  // the lock of `connections`; it must be given up before what comes back is, which may be all that
  // keeps the connection.
  virtual std::shared_ptr<void> drain() = 0;
  // Tells the reader of a body that is on its way that no more comes. No thread of the server runs.
  virtual std::shared_ptr<void> cut() = 0;
};

// What all connections of a server share; it outlives them.
struct Surroundings {
  const ServerOptions& options;
  Handler& handler;
  ServerCounters& counters;
  const std::shared_ptr<MemoryBudget> bodies;
  const std::shared_ptr<MemoryBudget> answers;
  std::mutex mutex;
  std::set<ConnectionBase*> connections;  // guarded by mutex
  std::atomic<bool> draining{false};
};

void start_connection(beast::tcp_stream stream, asio::ssl::context* tls, Surroundings& around);

// Of the certificate that the peer has shown; empty where it has shown none.
std::string common_name_of(ssl_st* session);

// The bytes of an answer but for its body.
std::string head_of(const Response& response, bool keep_alive, bool chunked);

}  // namespace weir::http
