// Loads and checks a model version beside the scoring: reading a model takes round trips to the
// store, and the stream is not to stand still for them.
//
// Owner: a scorer. Threads: all calls from its one thread; BackgroundModelLoader has one of its own
// for the loading. Errors: those of ModelRegistry::load, given by take().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "registry/model_registry.h"

namespace weir::score {

class ModelLoader {
 public:
  virtual ~ModelLoader() = default;
  // Begins to load a version. What was asked for before is forgotten, come or not.
  virtual void request(std::uint64_t version, const std::string& sha256) = 0;
  // What came of the last request, once; nothing while it is still on its way, or was taken.
  virtual std::optional<Result<registry::LoadedModel>> take() = 0;
};

// Loads on a thread of its own. The destructor waits for a load under way, as long as the store's
// own deadlines let that take.
class BackgroundModelLoader final : public ModelLoader {
 public:
  // `models` outlives the loader.
  explicit BackgroundModelLoader(const registry::ModelRegistry& models);
  ~BackgroundModelLoader() override;
  void request(std::uint64_t version, const std::string& sha256) override;
  std::optional<Result<registry::LoadedModel>> take() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::score
