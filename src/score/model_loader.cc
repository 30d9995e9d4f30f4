#include "score/model_loader.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace weir::score {

struct BackgroundModelLoader::State {
  struct Wanted {
    std::uint64_t version = 0;
    std::string sha256;
  };

  explicit State(const registry::ModelRegistry& its_models) : models(its_models) {}
  void run(const std::stop_token& stop);

  const registry::ModelRegistry& models;
  std::mutex mutex;
  std::condition_variable_any changed;
  std::optional<Wanted> wanted;  // asked for, not begun
  std::uint64_t requests = 0;    // how often was asked: what is loaded for an older one is dropped
  std::optional<Result<registry::LoadedModel>> loaded;  // of the last request
  std::jthread thread;  // last: it uses the rest, and is joined first
};

void BackgroundModelLoader::State::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex);
  while (changed.wait(lock, stop, [this] { return wanted.has_value(); })) {
    const Wanted now = *std::exchange(wanted, std::nullopt);
    const std::uint64_t request = requests;
    lock.unlock();
    auto result = models.load(now.version, now.sha256);
    lock.lock();
    if (request == requests) loaded = std::move(result);
  }
}

BackgroundModelLoader::BackgroundModelLoader(const registry::ModelRegistry& models)
    : state_(std::make_unique<State>(models)) {
  state_->thread =
      std::jthread([state = state_.get()](const std::stop_token& stop) { state->run(stop); });
}

BackgroundModelLoader::~BackgroundModelLoader() = default;

void BackgroundModelLoader::request(std::uint64_t version, const std::string& sha256) {
  {
    const std::lock_guard lock(state_->mutex);
    ++state_->requests;
    state_->loaded.reset();
    state_->wanted = State::Wanted{version, sha256};
  }
  state_->changed.notify_one();
}

std::optional<Result<registry::LoadedModel>> BackgroundModelLoader::take() {
  const std::lock_guard lock(state_->mutex);
  return std::exchange(state_->loaded, std::nullopt);
}

}  // namespace weir::score
