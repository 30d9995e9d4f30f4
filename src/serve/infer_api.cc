#include "serve/infer_api.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "format/json_row.h"
#include "serve/parameters.h"
#include "serve/prediction_json.h"
#include "serve/problem.h"
#include "serve/tensors.h"

namespace weir::serve {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kAllFeatures = "features";
constexpr std::string_view kOutput = "prediction";

http::Response error_response(const Error& error) {
  return json_response(to_text({{"error", error.message()}}),
                       error.code() == Code::kBadData ? 400 : status_of(error.code()));
}

// Where the rows of a request come from: one tensor for all features, or one for each.
class RowTensors {
 public:
  static Result<RowTensors> make(const InferRequest& request, const LiveModel& model) {
    RowTensors made(model);
    const auto& features = model.schema().features;
    const Tensor& first = request.inputs.front();
    if (request.inputs.size() == 1 && first.name == kAllFeatures &&
        !model.schema().feature_index(std::string(kAllFeatures))) {
      if (first.is_text() || !model.model().inputs().plain()) {
        return fail(Code::kInvalidArgument,
                    "features that are not all numbers come as a tensor each, by their names");
      }
      if (first.shape.size() != 2 || first.shape[1] != static_cast<std::int64_t>(features.size())) {
        return fail(Code::kInvalidArgument, "input 'features' has the shape [rows, " +
                                                std::to_string(features.size()) + "]");
      }
      made.all_ = &first;
      made.rows_ = static_cast<std::size_t>(first.shape[0]);
      return made;
    }
    made.each_.assign(features.size(), nullptr);
    for (const Tensor& tensor : request.inputs) WEIR_TRY(made.place(tensor));
    for (std::size_t i = 0; i < features.size(); ++i) {
      if (made.each_[i]) continue;
      return fail(Code::kInvalidArgument, "there is no input '" + one_line(features[i]) + "'");
    }
    return made;
  }

  std::size_t rows() const { return rows_; }

  Result<std::vector<double>> values() const {
    std::vector<double> values;
    if (all_) {
      values = all_->numbers;
    } else if (model_->model().inputs().plain()) {
      values.reserve(rows_ * each_.size());
      for (std::size_t row = 0; row < rows_; ++row) {
        for (const Tensor* tensor : each_) {
          if (tensor->is_text()) {
            return fail(Code::kInvalidArgument,
                        "input '" + one_line(tensor->name) + "' is text, the feature a number");
          }
          values.push_back(tensor->numbers[row]);
        }
      }
    } else {
      return values_of_messages();
    }
    for (const double value : values) {
      if (!std::isfinite(value)) return fail(Code::kInvalidArgument, "an input is not finite");
    }
    return values;
  }

 private:
  explicit RowTensors(const LiveModel& model) : model_(&model) {}

  Status place(const Tensor& tensor) {
    const auto index = model_->schema().feature_index(tensor.name);
    if (!index) {
      return fail(Code::kInvalidArgument,
                  "the model has no feature '" + one_line(tensor.name.substr(0, 100)) + "'");
    }
    if (each_[*index]) {
      return fail(Code::kInvalidArgument, "input '" + one_line(tensor.name) + "' came twice");
    }
    const bool column =
        tensor.shape.size() == 1 || (tensor.shape.size() == 2 && tensor.shape[1] == 1);
    if (!column) {
      return fail(Code::kInvalidArgument,
                  "input '" + one_line(tensor.name) + "' has the shape [rows] or [rows, 1]");
    }
    if (placed_ > 0 && tensor.size() != rows_) {
      return fail(Code::kInvalidArgument, "the inputs have different numbers of rows");
    }
    rows_ = tensor.size();
    ++placed_;
    each_[*index] = &tensor;
    return {};
  }

  // By the way that messages take, so that texts become the same numbers.
  Result<std::vector<double>> values_of_messages() const {
    std::vector<double> values;
    auto parser = model_->parser();
    std::string message;
    for (std::size_t row = 0; row < rows_; ++row) {
      message = "{";
      for (const Tensor* tensor : each_) {
        if (message.size() > 1) message += ",";
        format::append_json_string(message, tensor->name);
        message += ":";
        if (tensor->is_text()) {
          format::append_json_string(message, tensor->texts[row]);
        } else if (std::isnan(tensor->numbers[row])) {
          message += "null";
        } else {
          message += format_double(tensor->numbers[row]);
        }
      }
      message += "}";
      if (!parser->parse(message, values)) {
        return fail(Code::kInvalidArgument,
                    "row " + std::to_string(row) + ": " + parser->refusal().text);
      }
    }
    return values;
  }

  const LiveModel* model_;
  const Tensor* all_ = nullptr;
  std::vector<const Tensor*> each_;  // by feature
  std::size_t rows_ = 0;
  std::size_t placed_ = 0;
};

std::string_view datatype_of(const LiveModel& model, std::size_t feature) {
  const record::Inputs& inputs = model.model().inputs();
  return inputs.plain() || inputs.columns[feature].kind == record::InputKind::kNumber ? "FP64"
                                                                                      : "BYTES";
}

}  // namespace

void InferApi::add_routes(Router& router) {
  const auto add = [&](std::string method, std::string pattern, auto member) {
    Route route;
    route.method = std::move(method);
    route.pattern = std::move(pattern);
    route.where = Where::kAtOnce;
    route.body_bytes_max = parts_.limits.body_bytes_max;
    route.handle = [this, member](Call call, http::Reply reply) {
      auto response = (this->*member)(call);
      reply.send(response ? std::move(*response) : error_response(response.error()));
    };
    router.add(std::move(route));
  };
  const auto answer = [&](std::string pattern, auto make) {
    router.add({"GET", std::move(pattern), Permission::kRead, Where::kAtOnce, 0, false,
                [make](Call call, http::Reply reply) { reply.send(make(call)); }});
  };
  const auto ready = [this](const Call& call) {
    const auto model =
        call.variables.empty() ? Result<std::shared_ptr<const LiveModel>>(nullptr) : model_of(call);
    const auto view = parts_.live.view();
    const bool good = model && view && view->model;
    return json_response(to_text({{"ready", good}}), good ? 200 : 503);
  };
  answer("/v2/health/live", [](const Call&) { return json_response("{\"live\":true}"); });
  answer("/v2/health/ready", ready);
  answer("/v2", [this](const Call&) { return server_metadata(); });
  for (const std::string model : {"/v2/models/{model}", "/v2/models/{model}/versions/{version}"}) {
    answer(model + "/ready", ready);
    add("GET", model, &InferApi::metadata);
    add("POST", model + "/infer", &InferApi::infer);
  }
}

Result<std::shared_ptr<const LiveModel>> InferApi::model_of(const Call& call) const {
  if (call.variable("model") != parts_.pipeline) {
    return fail(Code::kNotFound, "there is no model '" +
                                     one_line(call.variable("model").substr(0, 100)) + "' here; '" +
                                     parts_.pipeline + "' is the one");
  }
  const auto view = parts_.live.view();
  if (!view || !view->model) return fail(Code::kUnavailable, "no model is in force yet");
  if (const auto version = call.variables.find("version"); version != call.variables.end()) {
    if (version->second != std::to_string(view->model->version())) {
      return fail(Code::kNotFound, "version " + std::to_string(view->model->version()) +
                                       " is in force, and no other answers here");
    }
  }
  return view->model;
}

http::Response InferApi::server_metadata() const {
  return json_response(to_text(
      {{"name", "weirkeeper"}, {"version", WEIR_VERSION}, {"extensions", {"binary_tensor_data"}}}));
}

Result<http::Response> InferApi::metadata(const Call& call) const {
  const auto model = WEIR_TRY(model_of(call));
  Json inputs = Json::array();
  const auto& features = model->schema().features;
  if (model->model().inputs().plain() &&
      !model->schema().feature_index(std::string(kAllFeatures))) {
    inputs.push_back(
        {{"name", kAllFeatures}, {"datatype", "FP64"}, {"shape", {-1, features.size()}}});
  } else {
    for (std::size_t i = 0; i < features.size(); ++i) {
      inputs.push_back(
          {{"name", features[i]}, {"datatype", datatype_of(*model, i)}, {"shape", {-1}}});
    }
  }
  return json_response(
      to_text({{"name", parts_.pipeline},
               {"versions", {std::to_string(model->version())}},
               {"platform", "weirkeeper_" + std::string(model->model().algorithm())},
               {"inputs", std::move(inputs)},
               {"outputs", {{{"name", kOutput}, {"datatype", "FP64"}, {"shape", {-1}}}}}}));
}

Result<http::Response> InferApi::infer(const Call& call) const {
  const auto model = WEIR_TRY(model_of(call));
  std::size_t json_bytes = call.request.body.size();
  if (const auto header = call.request.header("inference-header-content-length")) {
    const auto number = number_of(*header);
    if (!number) {
      return fail(Code::kInvalidArgument, "Inference-Header-Content-Length is no number");
    }
    json_bytes = static_cast<std::size_t>(*number);
  }
  const InferRequest request = WEIR_TRY(read_infer_request(call.request.body, json_bytes));
  for (const std::string& output : request.outputs) {
    if (output != kOutput) {
      return fail(Code::kInvalidArgument, "there is no output '" + one_line(output.substr(0, 100)) +
                                              "'; 'prediction' is the one");
    }
  }
  const RowTensors rows = WEIR_TRY(RowTensors::make(request, *model));
  const std::vector<double> values = WEIR_TRY(rows.values());
  std::vector<double> predictions(rows.rows());
  model->model().predict(values, predictions);
  for (std::size_t row = 0; row < predictions.size(); ++row) {
    if (!std::isfinite(predictions[row])) {
      return fail(Code::kBadData, "row " + std::to_string(row) + ": the prediction is not finite");
    }
  }
  Json output = {{"name", kOutput}, {"datatype", "FP64"}, {"shape", {predictions.size()}}};
  std::string raw;
  if (request.binary_output) {
    raw = raw_fp64(predictions);
    output["parameters"] = {{"binary_data_size", raw.size()}};
  } else {
    output["data"] = predictions;
  }
  Json json = {{"model_name", parts_.pipeline},
               {"model_version", std::to_string(model->version())}};
  if (!request.id.empty()) json["id"] = request.id;
  json["outputs"] = Json::array({std::move(output)});
  http::Response response = json_response(to_text(json));
  if (request.binary_output) {
    response.headers.emplace_back("Inference-Header-Content-Length",
                                  std::to_string(response.body.size()));
    response.content_type = "application/octet-stream";
    response.body += raw;
  }
  return response;
}

}  // namespace weir::serve
