// The model in force, asked over gRPC: inference.GRPCInferenceService.
//
//   auto server = WEIR_TRY(infer_grpc::Server::start(options, door));
//   … server->port() …
//   server->stop(grace);
//
// What a client may cost is bounded: a message in bytes and in time, an answer in time, the calls
// of a connection in number, the memory of all connections together. A call is refused before its
// message is read where its token, its client's rate or its method is none that is taken.
//
// Owner: a gateway; what the door names outlives the server. Threads: gRPC's own, as many as cores,
// which do not wait; one that ends calls whose client keeps the server waiting. stop() from one
// other thread; it returns when no call is under way any more. Errors: start(): kUnavailable (the
// port is taken), kBadConfig (address, certificate).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "serve/access.h"
#include "serve/inference.h"
#include "serve/request_guard.h"
#include "serve/request_metrics.h"

namespace weir::infer_grpc {

struct TlsTexts {
  std::string certificate;       // PEM, the chain; empty: plain
  std::string key;               // PEM
  std::string client_authority;  // PEM; not empty: clients must show a certificate of it
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any that is free
  std::size_t message_bytes_max = std::size_t{16} << 20;
  int calls_of_connection_max = 100;
  std::size_t memory_bytes_max = std::size_t{256} << 20;  // of messages and connections
  Millis client_timeout{30'000};  // to send a message whole; to take an answer
  TlsTexts tls;
};

// What it shares with the gateway's other door.
struct Door {
  const serve::AccessList& access;
  serve::RequestGuard& guard;
  serve::RequestMetrics& metrics;
  serve::Inference& inference;
};

class Server {
 public:
  static Result<std::unique_ptr<Server>> start(const ServerOptions& options, const Door& door);
  virtual ~Server() = default;
  virtual std::uint16_t port() const = 0;
  // Takes no more calls, lets those under way be answered for so long, then ends all. Call it
  // before the inference's workers are stopped.
  virtual void stop(Millis grace) = 0;
};

}  // namespace weir::infer_grpc
