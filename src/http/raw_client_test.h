// A client that says what it is told to, byte by byte: for what no well-behaved client says.
//
// Owner: a test. Threads: one. Errors: fail the test.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::http {

class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~RawClient() { close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // False where the server has closed the connection.
  bool say(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void end_saying() { shutdown(socket_, SHUT_WR); }

  // All that comes until the server closes the connection.
  std::string hear_all() {
    while (more()) {
    }
    return std::move(heard_);
  }
  // What comes up to and with `mark`, or all before the connection ends.
  std::string hear_until(std::string_view mark) {
    std::size_t at;
    while ((at = heard_.find(mark)) == std::string::npos && more()) {
    }
    std::string before = heard_.substr(0, at == std::string::npos ? at : at + mark.size());
    heard_.erase(0, before.size());
    return before;
  }

 private:
  bool more() {
    pollfd wait{socket_, POLLIN, 0};
    if (poll(&wait, 1, 20'000) != 1) {
      ADD_FAILURE() << "the server said nothing for 20 s, after: " << heard_;
      return false;
    }
    char bytes[4096];
    const ssize_t count = recv(socket_, bytes, sizeof bytes, 0);
    if (count <= 0) return false;
    heard_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }

  const int socket_;
  std::string heard_;
};

}  // namespace weir::http
