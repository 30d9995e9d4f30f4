#include "redis/redis_server_test.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>

namespace weir::redis {
namespace {

namespace fs = std::filesystem;

// Debian's redis-tools holds the whole server in redis-check-rdb, which looks at the name that it
// is called by.
std::string executable() {
  for (const char* name :
       {"/usr/bin/redis-server", "/usr/bin/redis-check-rdb", "/usr/local/bin/redis-server"}) {
    if (fs::exists(name)) return name;
  }
  return "";
}

int free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
  ::sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::socklen_t size = sizeof address;
  int port = 0;
  if (::bind(probe, reinterpret_cast<::sockaddr*>(&address), size) == 0 &&
      ::getsockname(probe, reinterpret_cast<::sockaddr*>(&address), &size) == 0) {
    port = ntohs(address.sin_port);
  }
  ::close(probe);
  return port;
}

}  // namespace

std::unique_ptr<RedisServer> RedisServer::start(const std::vector<std::string>& options) {
  if (executable().empty()) return nullptr;
  // Another process may take the port between the look and the start.
  for (int attempt = 0; attempt < 5; ++attempt) {
    std::unique_ptr<RedisServer> server(new RedisServer(free_port(), options));
    if (server->run()) return server;
  }
  ADD_FAILURE() << "redis-server does not start";
  return nullptr;
}

RedisServer::~RedisServer() { kill(); }

bool RedisServer::run() {
  const std::string program = executable();
  std::vector<std::string> words = {"redis-server",
                                    "--bind",
                                    "127.0.0.1",
                                    "--port",
                                    std::to_string(port_),
                                    "--save",
                                    "",
                                    "--appendonly",
                                    "no",
                                    "--daemonize",
                                    "no",
                                    "--loglevel",
                                    "warning",
                                    "--set-proc-title",
                                    "no",
                                    "--dir",
                                    fs::temp_directory_path().string()};
  words.insert(words.end(), options_.begin(), options_.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  process_ = ::fork();
  if (process_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::execv(program.c_str(), arguments.data());
    ::_exit(127);
  }
  ClientOptions patient = options();
  patient.failures_max = 1'000'000;
  Client client(patient);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < deadline) {
    const auto answer = client.ask_one({"PING"}, Millis(1'000));
    // With a password of its own it is there as soon as it refuses.
    if (answer || answer.error().code() == Code::kPermissionDenied) return true;
    if (::waitpid(process_, nullptr, WNOHANG) == process_) {
      process_ = -1;
      return false;
    }
  }
  return false;
}

ClientOptions RedisServer::options() const {
  ClientOptions options;
  options.address.host = "127.0.0.1";
  options.address.port = port_;
  options.timeout = Millis(10'000);
  return options;
}

void RedisServer::kill() {
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

void RedisServer::restart() {
  kill();
  EXPECT_TRUE(run());
}

void RedisServer::stall() { ::kill(process_, SIGSTOP); }
void RedisServer::resume() { ::kill(process_, SIGCONT); }

}  // namespace weir::redis
