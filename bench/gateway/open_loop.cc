// bench_open_loop PORT METHOD PATH BODY_FILE|- RATE SECONDS CONNECTIONS: asks at fixed moments,
// whether the answers come or not.
//
// A client that waits for an answer before it asks again asks a slow server less, and so hides how
// long others would have waited (Tene, "How NOT to Measure Latency", 2015: coordinated omission).
// Here request number i is due i / RATE seconds after the start, and its time is from then to its
// answer, also where it waited for a free connection. Prints one line of JSON: how many were
// answered, by status class, and the quantiles of their times in milliseconds.
#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <memory>
#include <vector>

namespace weir::bench {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Clock = std::chrono::steady_clock;
using boost::system::error_code;

constexpr std::chrono::seconds kPatience{30};  // for what is due last

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "bench_open_loop: %s\n", what.c_str());
  std::exit(1);
}

struct Load {
  std::string bytes;  // of one request
  double rate = 0;
  std::size_t requests = 0;
};

// Deals requests that are due to connections that are free.
class OpenLoop {
 public:
  OpenLoop(asio::io_context& io, std::uint16_t port, Load load, std::size_t connections)
      : io_(io), timer_(io), load_(std::move(load)) {
    times_ms_.reserve(load_.requests);
    const asio::ip::tcp::endpoint server(asio::ip::address_v4::loopback(), port);
    for (std::size_t i = 0; i < connections; ++i) {
      auto connection = std::make_unique<Connection>(io);
      connection->socket.connect(server);
      connection->socket.set_option(asio::ip::tcp::no_delay(true));
      idle_.push_back(connection.get());
      connections_.push_back(std::move(connection));
    }
  }

  void run() {
    start_ = Clock::now() + std::chrono::milliseconds(50);
    wait();
    io_.run_until(start_ + since_start(load_.requests) + kPatience);
    if (answered_ < load_.requests) {
      die(std::to_string(load_.requests - answered_) + " requests were not answered in time");
    }
  }

  void print() {
    std::sort(times_ms_.begin(), times_ms_.end());
    const auto at = [&](double part) {
      return times_ms_[static_cast<std::size_t>(part * static_cast<double>(times_ms_.size() - 1))];
    };
    std::printf(
        "{\"requests\": %zu, \"failed\": %zu, \"late\": %zu, \"p50_ms\": %.3f, \"p90_ms\": %.3f, "
        "\"p99_ms\": %.3f, \"p999_ms\": %.3f, \"max_ms\": %.3f}\n",
        answered_, failed_, late_, at(0.5), at(0.9), at(0.99), at(0.999), at(1));
  }

 private:
  struct Connection {
    explicit Connection(asio::io_context& io) : socket(io) {}
    asio::ip::tcp::socket socket;
    boost::beast::flat_buffer buffer;
    http::response<http::string_body> response;
    Clock::time_point due;
  };

  Clock::duration since_start(std::size_t number) const {
    return std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(static_cast<double>(number) / load_.rate));
  }

  void wait() {
    if (next_ == load_.requests) return;
    timer_.expires_at(start_ + since_start(next_));
    timer_.async_wait([this](error_code) { send_due(); });
  }

  void send_due() {
    while (next_ < load_.requests && start_ + since_start(next_) <= Clock::now()) {
      waiting_.push_back(start_ + since_start(next_++));
      if (idle_.empty()) ++late_;
      serve();
    }
    wait();
  }

  void serve() {
    while (!waiting_.empty() && !idle_.empty()) {
      Connection& connection = *idle_.back();
      idle_.pop_back();
      connection.due = waiting_.front();
      waiting_.pop_front();
      asio::async_write(connection.socket, asio::buffer(load_.bytes),
                        [this, &connection](error_code error, std::size_t) {
                          if (error) die("writing: " + error.message());
                          read(connection);
                        });
    }
  }

  void read(Connection& connection) {
    connection.response = {};
    http::async_read(connection.socket, connection.buffer, connection.response,
                     [this, &connection](error_code error, std::size_t) {
                       if (error) die("reading: " + error.message());
                       if (connection.response.result_int() / 100 != 2) ++failed_;
                       const std::chrono::duration<double, std::milli> time =
                           Clock::now() - connection.due;
                       times_ms_.push_back(time.count());
                       if (++answered_ == load_.requests) return io_.stop();
                       idle_.push_back(&connection);
                       serve();
                     });
  }

  asio::io_context& io_;
  asio::steady_timer timer_;
  const Load load_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> idle_;
  std::deque<Clock::time_point> waiting_;  // when each was due
  std::size_t next_ = 0;
  std::size_t answered_ = 0;
  std::size_t failed_ = 0;
  std::size_t late_ = 0;  // waited for a free connection
  std::vector<double> times_ms_;
  Clock::time_point start_;
};

std::string request_bytes(const std::string& method, const std::string& path, const char* file) {
  std::string body;
  if (std::string_view(file) != "-") {
    std::ifstream in(file, std::ios::binary);
    if (!in) die(std::string("cannot read ") + file);
    body.assign(std::istreambuf_iterator<char>(in), {});
  }
  std::string bytes = method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n";
  if (!body.empty()) {
    bytes +=
        "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  }
  return bytes + "\r\n" + body;
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  if (argc != 8) {
    die("usage: bench_open_loop PORT METHOD PATH BODY_FILE|- RATE SECONDS CONNECTIONS");
  }
  Load load;
  load.bytes = request_bytes(argv[2], argv[3], argv[4]);
  load.rate = std::atof(argv[5]);
  load.requests = static_cast<std::size_t>(load.rate * std::atof(argv[6]));
  if (load.requests == 0) die("no request is due in so short a time");
  asio::io_context io(1);
  OpenLoop loop(io, static_cast<std::uint16_t>(std::atoi(argv[1])), std::move(load),
                static_cast<std::size_t>(std::atoi(argv[7])));
  loop.run();
  loop.print();
}
