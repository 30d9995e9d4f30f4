// An HTTP/1.1 server: takes connections, holds each to its limits, hands whole requests on.
//
//   auto server = WEIR_TRY(http::Server::start(options, handler));
//   … server->port() …
//   server->stop();
//
// A connection is answered in order, one request at a time. What a client may cost is bounded: the
// head in bytes and time, the body in bytes and time, the answer in time, the connections in
// number. A request whose head could be understood in two ways is refused and its connection closed
// (head_check.h).
//
// Owner: a gateway. The handler outlives the server; every Reply, body and stream that it keeps is
// let go of before the server is destroyed, though not before stop(). Threads: start() makes
// `threads` of its own, and calls the handler on them: it must not block there, but may keep the
// Reply and answer from any thread. stop() from one other thread; it returns when no thread of the
// server runs any more. Errors: start(): kBadConfig (address, certificate), kUnavailable (the port
// is taken).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "http/message.h"

namespace weir::http {

struct TlsFiles {
  std::string certificate;       // PEM, the chain
  std::string key;               // PEM
  std::string client_authority;  // PEM; not empty: clients must show a certificate of it
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any that is free
  int threads = 2;
  std::size_t connections_max = 1'000;
  Millis idle_timeout{60'000};
  Millis head_timeout{10'000};   // from a request's first byte to the end of its head
  Millis body_timeout{30'000};   // a gathered body in all; a streamed one: from piece to piece
  Millis write_timeout{30'000};  // an answer; of a stream, each piece
  std::size_t held_bytes_max = std::size_t{8} << 20;  // of a stream that its client does not read
  std::uint64_t bodies_bytes_max = std::uint64_t{256} << 20;  // gathered ones, of all connections
  // Of answers that their clients have not taken yet, of all connections; small ones do not count.
  std::uint64_t answers_bytes_max = std::uint64_t{256} << 20;
  TlsFiles tls;  // empty: plain HTTP
};

// What is to become of a request's body, decided when its head is there.
struct BodyPlan {
  std::optional<Response> refusal;  // do not read it: answer this
  bool stream = false;              // hand it on as it comes, in the place of gathering it
  std::uint64_t bytes_max = 0;      // else 413
};

// An answer that goes on: server-sent events. Shared; from any thread. Ends when it is let go of.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;
  // False where the client has gone, or reads so slowly that it was let go.
  virtual bool write(std::string bytes) = 0;
  virtual bool open() const = 0;
};

// The place where the answer to one request goes. Let go of without an answer it gives a 500.
class Reply {
 public:
  class Target {
   public:
    virtual ~Target() = default;
    virtual void send(Response response) = 0;
    virtual std::shared_ptr<ResponseStream> start_stream(Response head) = 0;
  };

  explicit Reply(std::shared_ptr<Target> target) : target_(std::move(target)) {}
  Reply(Reply&&) = default;
  Reply& operator=(Reply&&) = default;
  ~Reply();

  // Once, either of the two.
  void send(Response response);
  // The head's body is sent first. The stream ends with the connection.
  std::shared_ptr<ResponseStream> start_stream(Response head);

 private:
  std::shared_ptr<Target> target_;
};

class Handler {
 public:
  virtual ~Handler() = default;
  virtual BodyPlan plan(const Request& head) = 0;
  virtual void handle(Request request, Reply reply) = 0;
  // The answer to what never became a request: `reason` says what was wrong with it.
  virtual Response fault(unsigned status, const std::string& reason) = 0;
};

struct ServerCounters {
  std::atomic<std::uint64_t> connections{0};          // so far
  std::atomic<std::uint64_t> connections_open{0};     // now
  std::atomic<std::uint64_t> connections_refused{0};  // over connections_max
  std::atomic<std::uint64_t> requests{0};             // whose head was sound
  std::atomic<std::uint64_t> faults{0};               // that were none, or did not come whole
};

class Server {
 public:
  static Result<std::unique_ptr<Server>> start(const ServerOptions& options, Handler& handler);
  virtual ~Server() = default;
  virtual std::uint16_t port() const = 0;
  virtual const ServerCounters& counters() const = 0;
  virtual std::uint64_t body_bytes_held() const = 0;    // of gathered bodies, now
  virtual std::uint64_t answer_bytes_held() const = 0;  // of large answers under way
  // Takes no more connections, lets requests under way be answered for so long, then ends all.
  virtual void stop(Millis grace) = 0;
};

}  // namespace weir::http
