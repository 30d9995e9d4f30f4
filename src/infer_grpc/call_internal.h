// One call, from its head to its end. For this room's .cc files alone.
//
// Every method comes through gRPC's generic service, though each has one message either way: that
// way a call can be refused when its head is there. A service that protoc generates is handed a
// call when its message has been read, so that strangers could have megabytes kept for them.
//
// Owner: itself, as gRPC's reactors do; gone after OnDone(). Threads: gRPC calls it on its own, and
// a worker may finish it.
#pragma once

#include <grpcpp/generic/async_generic_service.h>

#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "infer_grpc/messages_internal.h"
#include "infer_grpc/server.h"

namespace weir::infer_grpc {

class Call;

// Calls that wait for their clients, the longest first. Those that wait too long are ended.
class ClientWaits {
 public:
  using Places = std::list<std::pair<std::chrono::steady_clock::time_point, Call*>>;

  void add(Call& call);
  // Nothing where it does not wait.
  void remove(Call& call);
  void end_older_than(Millis age);

 private:
  // Recursive: a call that is ended may come back by OnReadDone() or OnDone() at once.
  std::recursive_mutex mutex_;
  Places waiting_;  // guarded by mutex_, as is each call's place
};

struct Shared {
  Door door;
  Millis client_timeout;
  ClientWaits waits;
};

class Call final : public grpc::ServerGenericBidiReactor {
 public:
  Call(Shared& shared, grpc::GenericCallbackServerContext& context);
  // Looks at the head: refuses the call, or reads its message.
  void begin();
  void OnReadDone(bool ok) override;
  void OnDone() override;

 private:
  struct Job;
  friend class ClientWaits;

  std::optional<grpc::Status> refusal();
  void infer();
  void finish_job(Job& job);
  void finish(const grpc::Status& status);
  void finish(const Error& error);
  void answer(const google::protobuf::Message& message);
  void count(grpc::StatusCode code);

  template <typename Request, typename Make>
  void answer_with(Make make);

  Shared& shared_;
  grpc::GenericCallbackServerContext& context_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  std::string_view method_;  // "" where it is none that is known
  grpc::ByteBuffer bytes_;
  std::optional<ClientWaits::Places::iterator> place_;  // guarded by shared_.waits: where it waits
};

}  // namespace weir::infer_grpc
