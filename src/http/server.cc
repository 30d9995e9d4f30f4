#include "http/server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>
#include <vector>

#include "base/log.h"
#include "http/connection_internal.h"

namespace weir::http {
namespace {

using asio::ip::tcp;
using boost::system::error_code;

// After accept() has failed, as it does where file descriptors have run out.
constexpr std::chrono::milliseconds kAcceptPause{100};

Result<std::unique_ptr<asio::ssl::context>> make_tls(const TlsFiles& files) {
  if (files.certificate.empty()) return nullptr;
  auto context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  error_code error;
  const auto tried = [&](const std::string& what, const std::string& file) -> Status {
    if (!error) return {};
    return weir::fail(Code::kBadConfig, what + " " + file + " cannot be used: " + error.message());
  };
  context->set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1 |
                           asio::ssl::context::no_compression,
                       error);
  // Else OpenSSL refuses each resumed session of a client that shows a certificate.
  static constexpr unsigned char kSessions[] = "weir";
  SSL_CTX_set_session_id_context(context->native_handle(), kSessions, sizeof kSessions - 1);
  context->use_certificate_chain_file(files.certificate, error);
  WEIR_TRY(tried("the certificate", files.certificate));
  context->use_private_key_file(files.key, asio::ssl::context::pem, error);
  WEIR_TRY(tried("the private key", files.key));
  if (!files.client_authority.empty()) {
    context->load_verify_file(files.client_authority, error);
    WEIR_TRY(tried("the clients' authority", files.client_authority));
    context->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert,
                             error);
    WEIR_TRY(tried("the clients' authority", files.client_authority));
  }
  return context;
}

class BeastServer final : public Server {
 public:
  BeastServer(const ServerOptions& options, Handler& handler)
      : options_(options),
        around_{options_,
                handler,
                counters_,
                std::make_shared<MemoryBudget>(options.bodies_bytes_max),
                std::make_shared<MemoryBudget>(options.answers_bytes_max),
                {},
                {},
                {}},
        io_(options.threads),
        acceptor_(asio::make_strand(io_)),
        pause_(acceptor_.get_executor()) {}

  ~BeastServer() override { stop(Millis{0}); }

  Status open() {
    tls_ = WEIR_TRY(make_tls(options_.tls));
    error_code error;
    const auto address = asio::ip::make_address(options_.address, error);
    if (error) {
      return weir::fail(Code::kBadConfig, "'" + options_.address +
                                              "' is no address: write one such "
                                              "as 127.0.0.1, 0.0.0.0 or ::1");
    }
    const std::string place = options_.address + " port " + std::to_string(options_.port);
    const tcp::endpoint endpoint(address, options_.port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error == asio::error::address_in_use) {
      return weir::fail(Code::kUnavailable, "listening at " + place + ": another program does");
    }
    if (error)
      return weir::fail(Code::kBadConfig, "listening at " + place + ": " + error.message());
    port_ = acceptor_.local_endpoint(error).port();
    asio::post(acceptor_.get_executor(), [this] { accept(); });
    for (int i = 0; i < options_.threads; ++i) {
      threads_.emplace_back([this] { io_.run(); });
    }
    return {};
  }

  std::uint16_t port() const override { return port_; }
  const ServerCounters& counters() const override { return counters_; }
  std::uint64_t body_bytes_held() const override { return around_.bodies->held(); }
  std::uint64_t answer_bytes_held() const override { return around_.answers->held(); }

  void stop(Millis grace) override {
    if (threads_.empty()) return;
    around_.draining = true;
    asio::post(acceptor_.get_executor(), [this] {
      error_code ignored;
      acceptor_.close(ignored);
      pause_.cancel();
    });
    std::vector<std::shared_ptr<void>> kept;
    {
      const std::lock_guard lock(around_.mutex);
      for (ConnectionBase* connection : around_.connections) kept.push_back(connection->drain());
    }
    kept.clear();
    const SteadyTime deadline = std::chrono::steady_clock::now() + grace;
    while (counters_.connections_open > 0 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(Millis{5});
    }
    io_.stop();
    threads_.clear();
    // Whoever reads a body that is still on its way would wait for it for ever.
    {
      const std::lock_guard lock(around_.mutex);
      for (ConnectionBase* connection : around_.connections) kept.push_back(connection->cut());
    }
    kept.clear();
  }

 private:
  void accept() {
    acceptor_.async_accept(asio::make_strand(io_), [this](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
      if (error) {
        log::warn("a connection could not be taken", {{"reason", error.message()}});
        pause_.expires_after(kAcceptPause);
        pause_.async_wait([this](error_code cancelled) {
          if (!cancelled) accept();
        });
        return;
      }
      take(std::move(socket));
      accept();
    });
  }

  void take(tcp::socket socket) {
    ++counters_.connections;
    if (counters_.connections_open >= options_.connections_max) {
      ++counters_.connections_refused;
      refuse(std::move(socket));
      return;
    }
    start_connection(beast::tcp_stream(std::move(socket)), tls_.get(), around_);
  }

  // Without a wait: what does not fit into the socket's own buffer is not said. Over TLS a plain
  // answer would mean nothing.
  void refuse(tcp::socket socket) {
    error_code ignored;
    if (!tls_) {
      Response response = around_.handler.fault(503, "too many connections; try again later");
      response.headers.emplace_back("Retry-After", "1");
      const std::string bytes = head_of(response, false, false) + response.body;
      socket.non_blocking(true, ignored);
      socket.write_some(asio::buffer(bytes), ignored);
      socket.shutdown(tcp::socket::shutdown_both, ignored);
    }
    socket.close(ignored);
  }

  const ServerOptions options_;
  ServerCounters counters_;
  std::unique_ptr<asio::ssl::context> tls_;
  Surroundings around_;
  asio::io_context io_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::uint16_t port_ = 0;
  std::vector<std::jthread> threads_;  // last: they end first
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options, Handler& handler) {
  auto server = std::make_unique<BeastServer>(options, handler);
  WEIR_TRY(server->open());
  return server;
}

}  // namespace weir::http
