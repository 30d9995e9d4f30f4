#include "infer_grpc/server.h"

#include <grpc/support/log.h>
#include <grpcpp/grpcpp.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "infer_grpc/call_internal.h"

namespace weir::infer_grpc {
namespace {

constexpr int kMetadataBytesMax = 16 * 1024;
constexpr int kHandshakeMs = 10'000;
constexpr int kIdleMs = 300'000;  // clients connect again by themselves
constexpr int kKeepaliveMs = 60'000;
constexpr int kKeepaliveAnswerMs = 20'000;
constexpr int kPingIntervalMinMs = 10'000;  // of a client; two too many end its connection
constexpr int kPingStrikesMax = 2;
constexpr Millis kLookEvery{1'000};

// What gRPC itself has to say is of interest to those who look for a fault alone: a stranger can
// make it say much.
void tell_log(gpr_log_func_args* said) { log::debug("gRPC says", {{"message", said->message}}); }

class Service final : public grpc::CallbackGenericService {
 public:
  explicit Service(Shared& shared) : shared_(shared) {}
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    auto* call = new Call(shared_, *context);
    call->begin();
    return call;
  }

 private:
  Shared& shared_;
};

class GrpcServer final : public Server {
 public:
  GrpcServer(const ServerOptions& options, const Door& door)
      : shared_{door, options.client_timeout, {}}, service_(shared_) {}
  ~GrpcServer() override { stop(Millis(0)); }

  Status open(const ServerOptions& options);
  std::uint16_t port() const override { return static_cast<std::uint16_t>(port_); }
  void stop(Millis grace) override;

 private:
  void look(const std::stop_token& stop);

  Shared shared_;
  Service service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::jthread looker_;  // last: it ends first
};

std::shared_ptr<grpc::ServerCredentials> credentials_of(const TlsTexts& tls) {
  if (tls.certificate.empty()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options(
      tls.client_authority.empty() ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                                   : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_key_cert_pairs.push_back({tls.key, tls.certificate});
  options.pem_root_certs = tls.client_authority;
  return grpc::SslServerCredentials(options);
}

// Numbers alone: no name is resolved.
using Resolved = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;
Result<Resolved> resolve(const ServerOptions& options) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(options.address.c_str(), std::to_string(options.port).c_str(), &hints,
                    &found) != 0) {
    return fail(Code::kBadConfig, "'" + options.address +
                                      "' is no address: write one such as 127.0.0.1, 0.0.0.0 or "
                                      "::1");
  }
  return Resolved(found, &::freeaddrinfo);
}

// gRPC does not tell why it cannot listen; the system does, to who tries the same.
Error why_not_listening(const ServerOptions& options, const addrinfo& at) {
  const std::string doing =
      "listening at " + options.address + " port " + std::to_string(options.port) + ": ";
  const int probe = ::socket(at.ai_family, at.ai_socktype, at.ai_protocol);
  const int on = 1;
  const bool listens = probe >= 0 &&
                       ::setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                       ::bind(probe, at.ai_addr, at.ai_addrlen) == 0 && ::listen(probe, 1) == 0;
  const int error = errno;
  if (probe >= 0) ::close(probe);
  if (!listens && error != EADDRINUSE) return {Code::kBadConfig, doing + std::strerror(error)};
  if (listens && !options.tls.certificate.empty()) {
    return {Code::kBadConfig, doing + "the certificate and its key do not fit each other"};
  }
  return {Code::kUnavailable, doing + "another program does"};
}

Status GrpcServer::open(const ServerOptions& options) {
  gpr_set_log_function(tell_log);
  const auto address = WEIR_TRY(resolve(options));
  grpc::ServerBuilder builder;
  const bool v6 = options.address.find(':') != std::string::npos;
  const std::string place =
      (v6 ? "[" + options.address + "]" : options.address) + ":" + std::to_string(options.port);
  builder.AddListeningPort(place, credentials_of(options.tls), &port_);
  builder.RegisterCallbackGenericService(&service_);
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.message_bytes_max));
  grpc::ResourceQuota quota("weir");
  quota.Resize(options.memory_bytes_max);
  builder.SetResourceQuota(quota);
  // A message that is packed can stand for any number of bytes.
  for (const auto packed : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    builder.SetCompressionAlgorithmSupportStatus(packed, false);
  }
  // Else a second server could take the same port, and half of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.calls_of_connection_max);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMetadataBytesMax);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kIdleMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveAnswerMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kPingIntervalMinMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, kPingStrikesMax);
  server_ = builder.BuildAndStart();
  if (!server_ || port_ == 0) {
    server_.reset();  // it may have the port all the same
    return fail(why_not_listening(options, *address));
  }
  looker_ = std::jthread([this](const std::stop_token& stop) { look(stop); });
  return {};
}

void GrpcServer::look(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, stop, kLookEvery, [&] { return stop.stop_requested(); })) {
    shared_.waits.end_older_than(shared_.client_timeout);
  }
}

void GrpcServer::stop(Millis grace) {
  if (server_) {
    server_->Shutdown(std::chrono::system_clock::now() + grace);
    server_->Wait();
    server_.reset();
  }
  if (looker_.joinable()) {
    looker_.request_stop();
    looker_.join();
  }
}

}  // namespace

Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options, const Door& door) {
  auto server = std::make_unique<GrpcServer>(options, door);
  WEIR_TRY(server->open(options));
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace weir::infer_grpc
