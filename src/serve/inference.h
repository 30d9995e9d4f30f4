// The model in force, asked directly: named tensors in, predictions out. Nothing of HTTP or gRPC,
// and nothing of it is in the stream.
//
// A request of few bytes and little work costs some microseconds, less than to hand it to another
// thread: it is answered at once, on the server's thread. Others go to workers of their own, so
// that neither small requests nor whatever else the gateway does waits behind them; when too many
// wait, in number or in bytes, further ones are refused.
//
// Owner: the gateway. Threads: any. Errors: kNotFound for a model or version that does not answer
// here, kUnavailable where there is none yet, kInvalidArgument and kBadData for the request.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "format/tensor.h"
#include "serve/live.h"
#include "serve/workers.h"

namespace weir::serve {

inline constexpr std::string_view kPredictionOutput = "prediction";

struct TensorForm {
  std::string name;
  std::string_view datatype;
  std::vector<std::int64_t> shape;  // -1: any
};

// What the model takes and gives, as both protocols tell it.
struct ModelForm {
  std::uint64_t version = 0;
  std::string platform;
  std::vector<TensorForm> inputs;
  TensorForm output;
};

class Inference {
 public:
  // Measured, see docs/decisions/inference.md.
  static constexpr std::size_t kBytesAtOnceMax = 4'096;
  static constexpr std::size_t kRowsAtOnceMax = 64;
  static constexpr std::size_t kStepsAtOnceMax = 32'768;  // of all rows: Model::steps_of_row()
  static constexpr std::size_t kWaitingMax = 256;
  static constexpr std::size_t kWaitingBytesMax = std::size_t{64} << 20;
  static constexpr std::size_t kThreads = 2;

  Inference(std::string pipeline, const Live& live);

  const std::string& pipeline() const { return pipeline_; }
  // Whether a model is in force and at hand.
  bool ready() const;
  // `version` empty: the one in force.
  Result<std::shared_ptr<const LiveModel>> model(std::string_view name,
                                                 std::string_view version) const;
  static ModelForm form(const LiveModel& model);

  // The rows that the tensors are, and what the model says of each. `outputs`: those wanted by
  // name; none: all.
  static Result<std::vector<double>> rows(const LiveModel& model,
                                          const std::vector<format::Tensor>& inputs,
                                          const std::vector<std::string>& outputs);
  static Result<std::vector<double>> predict(const LiveModel& model,
                                             const std::vector<double>& rows);
  // Whether they may be predicted on a thread that others wait for.
  static bool little_work(const LiveModel& model, const std::vector<double>& rows) {
    const std::size_t count = rows.size() / model.schema().features.size();
    return count <= kRowsAtOnceMax && count * model.model().steps_of_row() <= kStepsAtOnceMax;
  }

  // On a worker that only computes, so that tasks must not wait; false where too much waits
  // already. What has not begun when stop() is called is dropped.
  bool later(std::size_t bytes, std::function<void()> task);
  std::size_t waiting() const { return workers_.waiting(); }
  void stop() { workers_.stop(); }

 private:
  const std::string pipeline_;
  const Live& live_;
  std::atomic<std::size_t> bytes_{0};       // of requests that wait, or are worked on
  Workers workers_{kThreads, kWaitingMax};  // last: its tasks end first
};

inline constexpr const char* kTooMuchWaits = "too many large requests wait already; try again";

}  // namespace weir::serve
