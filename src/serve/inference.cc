#include "serve/inference.h"

#include <cmath>

#include "base/text.h"
#include "format/tensor_rows.h"

namespace weir::serve {
namespace {

constexpr std::size_t kShownMax = 100;

// Gives back what a task has taken of the bytes, whether it was run or dropped.
class Share {
 public:
  Share(std::atomic<std::size_t>& all, std::size_t bytes) : all_(all), bytes_(bytes) {}
  ~Share() { all_ -= bytes_; }
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

 private:
  std::atomic<std::size_t>& all_;
  const std::size_t bytes_;
};

}  // namespace

Inference::Inference(std::string pipeline, const Live& live)
    : pipeline_(std::move(pipeline)), live_(live) {}

bool Inference::ready() const {
  const auto view = live_.view();
  return view && view->model;
}

Result<std::shared_ptr<const LiveModel>> Inference::model(std::string_view name,
                                                          std::string_view version) const {
  if (name != pipeline_) {
    return fail(Code::kNotFound, "there is no model '" + one_line(name.substr(0, kShownMax)) +
                                     "' here; '" + pipeline_ + "' is the one");
  }
  const auto view = live_.view();
  if (!view || !view->model) return fail(Code::kUnavailable, "no model is in force yet");
  if (!version.empty() && version != std::to_string(view->model->version())) {
    return fail(Code::kNotFound, "version " + std::to_string(view->model->version()) +
                                     " is in force, and no other answers here");
  }
  return view->model;
}

ModelForm Inference::form(const LiveModel& model) {
  ModelForm form;
  form.version = model.version();
  form.platform = "weirkeeper_" + std::string(model.model().algorithm());
  form.output = {std::string(kPredictionOutput), "FP64", {-1}};
  const auto& features = model.schema().features;
  const format::CellEncoder* encoder = model.encoder();
  if (format::takes_all_features(model.schema(), encoder)) {
    form.inputs.push_back({std::string(format::kAllFeatures),
                           "FP64",
                           {-1, static_cast<std::int64_t>(features.size())}});
    return form;
  }
  for (std::size_t i = 0; i < features.size(); ++i) {
    const bool number = encoder == nullptr || encoder->kind(i) == record::InputKind::kNumber;
    form.inputs.push_back({features[i], number ? "FP64" : "BYTES", {-1}});
  }
  return form;
}

Result<std::vector<double>> Inference::rows(const LiveModel& model,
                                            const std::vector<format::Tensor>& inputs,
                                            const std::vector<std::string>& outputs) {
  for (const std::string& output : outputs) {
    if (output == kPredictionOutput) continue;
    return fail(Code::kInvalidArgument, "there is no output '" +
                                            one_line(output.substr(0, kShownMax)) +
                                            "'; 'prediction' is the one");
  }
  return format::rows_of_tensors(inputs, model.schema(), model.encoder());
}

Result<std::vector<double>> Inference::predict(const LiveModel& model,
                                               const std::vector<double>& rows) {
  std::vector<double> predictions(rows.size() / model.schema().features.size());
  model.predict(rows, predictions);
  for (std::size_t row = 0; row < predictions.size(); ++row) {
    if (std::isfinite(predictions[row])) continue;
    return fail(Code::kBadData, "row " + std::to_string(row) + ": the prediction is not finite");
  }
  return predictions;
}

bool Inference::later(std::size_t bytes, std::function<void()> task) {
  // The first one always fits, however large requests may be by the settings.
  const std::size_t before = bytes_.fetch_add(bytes);
  const bool fits = before == 0 || before + bytes <= kWaitingBytesMax;
  auto share = std::make_shared<Share>(bytes_, bytes);
  return fits && workers_.submit([share, task = std::move(task)] { task(); });
}

}  // namespace weir::serve
