#include "serve/infer_api.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "format/inference_json.h"
#include "format/json_row.h"
#include "http/content_coding.h"
#include "serve/parameters.h"
#include "serve/prediction_json.h"
#include "serve/problem.h"

namespace weir::serve {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kNumberBytes = 20;  // of a prediction's text, about

http::Response error_response(const Error& error) {
  unsigned status = status_of(error.code());
  if (error.code() == Code::kBadData) status = 400;
  if (error.code() == Code::kExhausted) status = 413;
  if (error.code() == Code::kUnsupported) status = 415;
  http::Response response = json_response(to_text({{"error", error.message()}}), status);
  if (status == 503) {
    response.headers.emplace_back("Retry-After", std::to_string(kRetryAfterSeconds));
  }
  return response;
}

// Of Content-Encoding, whether the body is packed; an Error where it is in a way that is not known.
Result<bool> is_packed(const http::Request& request) {
  const auto coding = request.header("content-encoding");
  if (!coding || *coding == "identity") return false;
  if (*coding == "gzip") return true;
  return fail(Code::kUnsupported, "Content-Encoding: only gzip is understood");
}

Json json_of(const TensorForm& form) {
  return {{"name", form.name}, {"datatype", form.datatype}, {"shape", form.shape}};
}

// Written by hand: a tree of the numbers would cost several times what they do.
std::string head_of(const std::string& pipeline, std::uint64_t version, const std::string& id,
                    std::size_t rows) {
  std::string text = "{\"model_name\":";
  format::append_json_string(text, pipeline);
  text += ",\"model_version\":\"" + std::to_string(version) + "\"";
  if (!id.empty()) {
    text += ",\"id\":";
    format::append_json_string(text, id);
  }
  text += ",\"outputs\":[{\"name\":\"prediction\",\"datatype\":\"FP64\",\"shape\":[" +
          std::to_string(rows) + "]";
  return text;
}

}  // namespace

// A request of infer on its way, maybe from the server's thread to a worker.
struct InferApi::Job {
  Call call;
  http::Reply reply;
  bool packed = false;
  // Of read():
  std::shared_ptr<const LiveModel> model = nullptr;
  std::string id = {};
  bool binary_output = false;
  std::vector<double> rows = {};
};

void InferApi::add_routes(Router& router) {
  const auto answer_with = [&](std::string pattern, auto make) {
    router.add({"GET", std::move(pattern), Permission::kRead, Where::kAtOnce, 0, false,
                [make](Call call, http::Reply reply) {
                  Result<http::Response> response = make(call);
                  reply.send(response ? std::move(*response) : error_response(response.error()));
                }});
  };
  // Probes may have a parameter that keeps caches away: what tells of health takes any.
  const auto ready = [this](const Call& call) {
    const bool known = call.variables.empty() || model_of(call);
    const bool good = known && inference_.ready();
    return json_response(to_text({{"ready", good}}), good ? 200 : 503);
  };
  answer_with("/v2/health/live", [](const Call&) { return json_response("{\"live\":true}"); });
  answer_with("/v2/health/ready", ready);
  answer_with("/v2", [this](const Call& call) -> Result<http::Response> {
    WEIR_TRY(only_parameters(call.request, {}));
    return server_metadata();
  });
  for (const std::string model : {"/v2/models/{model}", "/v2/models/{model}/versions/{version}"}) {
    answer_with(model + "/ready", ready);
    answer_with(model, [this](const Call& call) { return metadata(call); });
    router.add({"POST", model + "/infer", Permission::kRead, Where::kAtOnce,
                parts_.limits.body_bytes_max, false, [this](Call call, http::Reply reply) {
                  infer(std::move(call), std::move(reply));
                }});
  }
}

Result<std::shared_ptr<const LiveModel>> InferApi::model_of(const Call& call) const {
  const auto version = call.variables.find("version");
  return inference_.model(call.variable("model"),
                          version == call.variables.end() ? "" : version->second);
}

http::Response InferApi::server_metadata() const {
  return json_response(to_text(
      {{"name", "weirkeeper"}, {"version", WEIR_VERSION}, {"extensions", {"binary_tensor_data"}}}));
}

Result<http::Response> InferApi::metadata(const Call& call) const {
  WEIR_TRY(only_parameters(call.request, {}));
  const ModelForm form = Inference::form(*WEIR_TRY(model_of(call)));
  Json inputs = Json::array();
  for (const TensorForm& input : form.inputs) inputs.push_back(json_of(input));
  return json_response(to_text({{"name", parts_.pipeline},
                                {"versions", {std::to_string(form.version)}},
                                {"platform", form.platform},
                                {"inputs", std::move(inputs)},
                                {"outputs", Json::array({json_of(form.output)})}}));
}

void InferApi::infer(Call call, http::Reply reply) {
  const auto packed = is_packed(call.request);
  if (!packed) return reply.send(error_response(packed.error()));
  auto job = std::make_shared<Job>(Job{std::move(call), std::move(reply), *packed});
  const auto finish = [this](Job& own) {
    auto response = answer(own);
    own.reply.send(response ? std::move(*response) : error_response(response.error()));
  };
  const std::size_t bytes = job->call.request.body.size();
  std::function<void()> task;
  if (bytes <= Inference::kBytesAtOnceMax && !*packed) {
    if (auto good = read(*job); !good) return job->reply.send(error_response(good.error()));
    if (Inference::little_work(*job->model, job->rows)) return finish(*job);
    task = [job, finish] { finish(*job); };
  } else {
    task = [this, job, finish] {
      if (auto good = read(*job); !good) return job->reply.send(error_response(good.error()));
      finish(*job);
    };
  }
  if (inference_.later(bytes, std::move(task))) return;
  job->reply.send(error_response(Error(Code::kUnavailable, kTooMuchWaits)));
}

Status InferApi::read(Job& job) const {
  const http::Request& request = job.call.request;
  WEIR_TRY(only_parameters(request, {}));
  job.model = WEIR_TRY(model_of(job.call));
  std::string unpacked;
  std::string_view body = request.body;
  if (job.packed) {
    unpacked =
        WEIR_TRY(during(http::gunzip(body, parts_.limits.body_bytes_max), "unpacking the body"));
    body = unpacked;
  }
  std::size_t json_bytes = body.size();
  if (const auto header = request.header("inference-header-content-length")) {
    const auto number = number_of(*header);
    if (!number) {
      return fail(Code::kInvalidArgument, "Inference-Header-Content-Length is no number");
    }
    json_bytes = static_cast<std::size_t>(*number);
  }
  format::InferenceRequest asked = WEIR_TRY(format::read_inference_json(body, json_bytes));
  job.rows = WEIR_TRY(Inference::rows(*job.model, asked.inputs, asked.outputs));
  job.id = std::move(asked.id);
  job.binary_output = asked.binary_output;
  return {};
}

Result<http::Response> InferApi::answer(const Job& job) const {
  const std::vector<double> predictions = WEIR_TRY(Inference::predict(*job.model, job.rows));
  http::Response response;
  std::string& text = response.body;
  text = head_of(parts_.pipeline, job.model->version(), job.id, predictions.size());
  if (job.binary_output) {
    const std::string raw = format::raw_fp64(predictions);
    text += ",\"parameters\":{\"binary_data_size\":" + std::to_string(raw.size()) + "}}]}";
    response.headers.emplace_back("Inference-Header-Content-Length", std::to_string(text.size()));
    response.content_type = "application/octet-stream";
    text += raw;
    return response;
  }
  text.reserve(text.size() + kNumberBytes * predictions.size());
  text += ",\"data\":[";
  for (std::size_t row = 0; row < predictions.size(); ++row) {
    if (row > 0) text += ',';
    text += format_double(predictions[row]);
  }
  text += "]}]}";
  return response;
}

}  // namespace weir::serve
