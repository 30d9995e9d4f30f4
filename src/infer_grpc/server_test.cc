#include "infer_grpc/server.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <optional>
#include <thread>

namespace weir::infer_grpc {
namespace {

using testing::HasSubstr;

const std::string kInfer = "/inference.GRPCInferenceService/ModelInfer";

class InferenceServer : public testing::Test {
 protected:
  void start(const std::string& tokens = "") {
    access_ = *serve::AccessList::parse(tokens);
    ServerOptions options;
    options.message_bytes_max = 100'000;
    options.client_timeout = Millis(100);
    auto started = Server::start(options, {access_, guard_, metrics_, inference_});
    ASSERT_TRUE(started) << started.error().message();
    server_ = std::move(*started);
    channel_ = grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->port()),
                                   grpc::InsecureChannelCredentials());
  }

  // One call, its message sent where there is one; how it ended.
  grpc::Status call(const std::string& method, const std::optional<std::string>& message,
                    bool say_no_more = true) {
    grpc::GenericStub stub(channel_);
    grpc::ClientContext context;
    grpc::CompletionQueue events;
    const auto next = [&] {
      void* tag = nullptr;
      bool ok = false;
      EXPECT_TRUE(events.Next(&tag, &ok));
      return ok;
    };
    auto stream = stub.PrepareCall(&context, method, &events);
    stream->StartCall(nullptr);
    next();
    if (message) {
      const grpc::Slice slice(*message);
      stream->Write(grpc::ByteBuffer(&slice, 1), nullptr);
      next();
    }
    if (say_no_more) {
      stream->WritesDone(nullptr);
      next();
    }
    grpc::Status status;
    grpc::ByteBuffer answer;
    stream->Read(&answer, nullptr);
    next();
    stream->Finish(&status, nullptr);
    next();
    events.Shutdown();
    return status;
  }

  Clock& clock_ = system_clock();
  serve::Live live_;
  serve::AccessList access_;
  serve::RequestGuard guard_{{}, clock_};
  serve::RequestMetrics metrics_;
  serve::Inference inference_{"boston", live_};
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(InferenceServer, answers_and_says_what_is_missing) {
  start();
  EXPECT_TRUE(call("/inference.GRPCInferenceService/ServerLive", "").ok());
  const auto status = call(kInfer, std::string("\x0a\x06"
                                               "boston"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("no model is in force yet"));
}

TEST_F(InferenceServer, ends_a_call_whose_message_does_not_come) {
  start();
  EXPECT_EQ(call(kInfer, std::nullopt, false).error_code(), grpc::StatusCode::CANCELLED);
  const auto status = call(kInfer, std::nullopt);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("no message"));
}

TEST_F(InferenceServer, refuses_by_the_head_alone) {
  start("read 0123456789abcdef");
  // No message is sent: it was not waited for.
  EXPECT_EQ(call(kInfer, std::nullopt, false).error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(InferenceServer, refuses_a_message_that_is_too_large) {
  start();
  EXPECT_EQ(call(kInfer, std::string(100'001, 'x')).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(
      call("/inference.GRPCInferenceService/ServerLive", std::string(70'000, 'x')).error_code(),
      grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(InferenceServer, takes_no_port_that_another_has) {
  start();
  ServerOptions options;
  options.port = server_->port();
  const auto second = Server::start(options, {access_, guard_, metrics_, inference_});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::kUnavailable);
  EXPECT_EQ(second.error().message(), "listening at 127.0.0.1 port " +
                                          std::to_string(options.port) + ": another program does");
}

TEST_F(InferenceServer, tells_what_is_wrong_with_its_address_or_certificate) {
  const auto refused = [&](const ServerOptions& options) {
    auto server = Server::start(options, {access_, guard_, metrics_, inference_});
    return server ? Error(Code::kInternal, "it listens") : server.error();
  };
  ServerOptions options;
  options.address = "192.0.2.1";  // of documentation: no machine's
  EXPECT_EQ(refused(options).code(), Code::kBadConfig);
  EXPECT_THAT(refused(options).message(), HasSubstr("192.0.2.1 port 0: Cannot assign"));
  options.address = "localhost";
  EXPECT_EQ(refused(options).code(), Code::kBadConfig);
  EXPECT_THAT(refused(options).message(), HasSubstr("'localhost' is no address"));
  options.address = "127.0.0.1";
  options.tls = {"no certificate", "no key", ""};
  EXPECT_EQ(refused(options).code(), Code::kBadConfig);
  EXPECT_THAT(refused(options).message(), HasSubstr("certificate"));
}

// A large request is worked on while the server ends, again and again: each call has an end.
TEST_F(InferenceServer, ends_every_call_when_it_stops) {
  start();
  std::vector<std::jthread> clients;
  std::atomic<int> ended{0};
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      while (call(kInfer, std::string(50'000, '\xff')).error_code() !=
             grpc::StatusCode::UNAVAILABLE) {
        ++ended;
      }
    });
  }
  while (ended < 100) std::this_thread::yield();
  server_->stop(Millis(5'000));
}

}  // namespace
}  // namespace weir::infer_grpc
