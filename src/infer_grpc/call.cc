#include <array>

#include "base/text.h"
#include "infer_grpc/call_internal.h"

namespace weir::infer_grpc {
namespace {

using grpc::StatusCode;

constexpr std::size_t kShownMax = 100;
constexpr std::string_view kService = "/inference.GRPCInferenceService/";
constexpr std::array<std::string_view, 6> kMethods = {
    "/inference.GRPCInferenceService/ServerLive",
    "/inference.GRPCInferenceService/ServerReady",
    "/inference.GRPCInferenceService/ModelReady",
    "/inference.GRPCInferenceService/ServerMetadata",
    "/inference.GRPCInferenceService/ModelMetadata",
    "/inference.GRPCInferenceService/ModelInfer"};

StatusCode code_of(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
    case Code::kBadData: return StatusCode::INVALID_ARGUMENT;
    case Code::kNotFound: return StatusCode::NOT_FOUND;
    case Code::kExhausted: return StatusCode::RESOURCE_EXHAUSTED;
    case Code::kUnavailable: return StatusCode::UNAVAILABLE;
    case Code::kCancelled: return StatusCode::CANCELLED;
    default: return StatusCode::INTERNAL;
  }
}

// The class that HTTP has for it, as the metrics count: whose fault it was.
unsigned status_class_of(StatusCode code) {
  switch (code) {
    case StatusCode::OK: return 2;
    case StatusCode::UNAVAILABLE:
    case StatusCode::INTERNAL:
    case StatusCode::UNKNOWN:
    case StatusCode::DATA_LOSS: return 5;
    default: return 4;
  }
}

// "ipv4:127.0.0.1:50312" -> "127.0.0.1", as the other door names its clients;
// "ipv6:%5B::1%5D:50312" -> "::1".
std::string client_of(const std::string& peer) {
  const auto begin = peer.find(':') + 1;
  const auto end = peer.rfind(':');
  if (begin == 0 || end < begin) return peer;
  std::string client = peer.substr(begin, end - begin);
  for (const std::string_view bracket : {"%5B", "%5D"}) {
    if (const auto at = client.find(bracket); at != client.npos) client.erase(at, bracket.size());
  }
  return client;
}

std::string header_of(const grpc::CallbackServerContext& context, const char* name) {
  const auto& fields = context.client_metadata();
  const auto found = fields.find(name);
  return found == fields.end() ? "" : std::string(found->second.data(), found->second.size());
}

// Of a verified client certificate its common name, else empty.
std::string client_name_of(const grpc::CallbackServerContext& context) {
  const auto who = context.auth_context();
  if (!who || !who->IsPeerAuthenticated()) return "";
  const auto names = who->FindPropertyValues("x509_common_name");
  return names.empty() ? "" : std::string(names.front().data(), names.front().size());
}

}  // namespace

void ClientWaits::add(Call& call) {
  const std::lock_guard lock(mutex_);
  call.place_ = waiting_.emplace(waiting_.end(), std::chrono::steady_clock::now(), &call);
}

void ClientWaits::remove(Call& call) {
  const std::lock_guard lock(mutex_);
  if (call.place_) waiting_.erase(*call.place_);
  call.place_.reset();
}

void ClientWaits::end_older_than(Millis age) {
  const auto before = std::chrono::steady_clock::now() - age;
  const std::lock_guard lock(mutex_);
  while (!waiting_.empty() && waiting_.front().first < before) {
    Call& call = *waiting_.front().second;
    remove(call);
    call.context_.TryCancel();
  }
}

// A request of ModelInfer on its way, maybe to a worker. Dropped by it, it still ends the call.
struct Call::Job {
  explicit Job(Call& own) : call(own) {}
  ~Job() {
    if (!finished) call.finish({StatusCode::UNAVAILABLE, "the gateway is ending"});
  }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  Status read() {
    WEIR_TRY(read_message(call.bytes_, request));
    model =
        WEIR_TRY(call.shared_.door.inference.model(request.model_name(), request.model_version()));
    const auto tensors = WEIR_TRY(tensors_of(request));
    rows = WEIR_TRY(serve::Inference::rows(*model, tensors, outputs_of(request)));
    return {};
  }
  void finish(const Error& error) {
    finished = true;
    call.finish(error);
  }

  Call& call;
  bool finished = false;
  inference::ModelInferRequest request;
  std::shared_ptr<const serve::LiveModel> model;
  std::vector<double> rows;
};

Call::Call(Shared& shared, grpc::GenericCallbackServerContext& context)
    : shared_(shared), context_(context) {
  for (const std::string_view known : kMethods) {
    if (context.method() == known) method_ = known;
  }
}

void Call::begin() {
  if (const auto refused = refusal()) return finish(*refused);
  shared_.waits.add(*this);
  StartRead(&bytes_);
}

std::optional<grpc::Status> Call::refusal() {
  const Door& door = shared_.door;
  if (!door.guard.may_ask(client_of(context_.peer()))) {
    return grpc::Status(StatusCode::RESOURCE_EXHAUSTED, serve::kTooManyRequests);
  }
  // Who may not even read learns nothing about what there is.
  if (const auto denied = door.access.denial(header_of(context_, "authorization"),
                                             client_name_of(context_), serve::Permission::kRead)) {
    return grpc::Status(denied->known ? StatusCode::PERMISSION_DENIED : StatusCode::UNAUTHENTICATED,
                        denied->reason);
  }
  if (!method_.empty()) return std::nullopt;
  return grpc::Status(StatusCode::UNIMPLEMENTED,
                      "there is no method " + one_line(context_.method().substr(0, kShownMax)) +
                          "; " + std::string(kService) +
                          " has ServerLive, ServerReady, ModelReady, ServerMetadata, "
                          "ModelMetadata and ModelInfer");
}

template <typename Request, typename Make>
void Call::answer_with(Make make) {
  Request request;
  if (auto read = read_message(bytes_, request); !read) return finish(read.error());
  const auto response = make(request);
  if (!response) return finish(response.error());
  answer(*response);
}

void Call::OnReadDone(bool ok) {
  shared_.waits.remove(*this);
  if (!ok) return finish({StatusCode::INVALID_ARGUMENT, "the call brought no message"});
  using namespace inference;
  serve::Inference& model = shared_.door.inference;
  if (method_.ends_with("/ModelInfer")) return infer();
  if (method_.ends_with("/ServerLive")) {
    return answer_with<ServerLiveRequest>([](const auto&) -> Result<ServerLiveResponse> {
      ServerLiveResponse response;
      response.set_live(true);
      return response;
    });
  }
  if (method_.ends_with("/ServerReady")) {
    return answer_with<ServerReadyRequest>([&](const auto&) -> Result<ServerReadyResponse> {
      ServerReadyResponse response;
      response.set_ready(model.ready());
      return response;
    });
  }
  if (method_.ends_with("/ModelReady")) {
    return answer_with<ModelReadyRequest>([&](const auto& asked) -> Result<ModelReadyResponse> {
      ModelReadyResponse response;
      response.set_ready(model.model(asked.name(), asked.version()).has_value());
      return response;
    });
  }
  if (method_.ends_with("/ServerMetadata")) {
    return answer_with<ServerMetadataRequest>([](const auto&) -> Result<ServerMetadataResponse> {
      ServerMetadataResponse response;
      response.set_name("weirkeeper");
      response.set_version(WEIR_VERSION);
      return response;
    });
  }
  answer_with<ModelMetadataRequest>([&](const auto& asked) -> Result<ModelMetadataResponse> {
    const auto live = WEIR_TRY(model.model(asked.name(), asked.version()));
    ModelMetadataResponse response;
    fill(model.pipeline(), serve::Inference::form(*live), response);
    return response;
  });
}

void Call::infer() {
  using serve::Inference;
  const std::size_t bytes = bytes_.Length();
  auto job = std::make_shared<Job>(*this);
  std::function<void()> task;
  if (bytes <= Inference::kBytesAtOnceMax) {
    if (auto good = job->read(); !good) return job->finish(good.error());
    if (Inference::little_work(*job->model, job->rows)) return finish_job(*job);
    task = [this, job] { finish_job(*job); };
  } else {
    task = [this, job] {
      // Nobody waits for it any more.
      if (context_.IsCancelled()) {
        return job->finish(Error(Code::kCancelled, "the client has given up"));
      }
      if (auto good = job->read(); !good) return job->finish(good.error());
      finish_job(*job);
    };
  }
  if (shared_.door.inference.later(bytes, std::move(task))) return;
  job->finish(Error(Code::kUnavailable, serve::kTooMuchWaits));
}

void Call::finish_job(Job& job) {
  const auto predictions = serve::Inference::predict(*job.model, job.rows);
  if (!predictions) return job.finish(predictions.error());
  inference::ModelInferResponse response;
  fill(job.request, job.model->version(), *predictions, response);
  job.finished = true;
  answer(response);
}

void Call::finish(const grpc::Status& status) {
  count(status.error_code());
  Finish(status);
}

void Call::finish(const Error& error) { finish({code_of(error.code()), error.message()}); }

void Call::answer(const google::protobuf::Message& message) {
  if (!write_message(message, bytes_)) {
    return finish({StatusCode::RESOURCE_EXHAUSTED, "the answer is too large"});
  }
  count(StatusCode::OK);
  shared_.waits.add(*this);
  StartWriteAndFinish(&bytes_, {}, grpc::Status::OK);
}

void Call::count(StatusCode code) {
  shared_.door.metrics.add({"gRPC", std::string(method_), status_class_of(code)},
                           std::chrono::steady_clock::now() - begun_);
}

void Call::OnDone() {
  shared_.waits.remove(*this);
  delete this;
}

}  // namespace weir::infer_grpc
