#include "cache/prediction_cache.h"

namespace weir::cache {
namespace {

constexpr std::size_t kSha256Digits = 64;

class CachedModel final : public model::Model {
 public:
  CachedModel(std::shared_ptr<const model::Model> model, std::shared_ptr<ModelCache> cache,
              std::shared_ptr<CacheTally> tally)
      : model_(std::move(model)), cache_(std::move(cache)), tally_(std::move(tally)) {}

  std::string_view algorithm() const override { return model_->algorithm(); }
  const record::Schema& schema() const override { return model_->schema(); }
  const record::Inputs& inputs() const override { return model_->inputs(); }
  void predict(std::span<const double> rows, std::span<double> out) const override {
    cache_->predict(*model_, rows, out, *tally_);
  }
  std::size_t steps_of_row() const override { return model_->steps_of_row(); }
  std::string to_json() const override { return model_->to_json(); }

 private:
  const std::shared_ptr<const model::Model> model_;
  const std::shared_ptr<ModelCache> cache_;
  const std::shared_ptr<CacheTally> tally_;
};

}  // namespace

PredictionCache::PredictionCache(PredictionCacheOptions options, Clock& clock,
                                 std::unique_ptr<SharedEntries> shared)
    : common_(std::make_shared<CommonCache>(std::move(options), clock, std::move(shared))) {}

std::shared_ptr<ModelCache> PredictionCache::of(const std::string& model_sha256,
                                                std::size_t features) {
  const std::lock_guard lock(mutex_);
  std::erase_if(models_, [](const auto& model) { return model.second.expired(); });
  std::weak_ptr<ModelCache>& known = models_[model_sha256];
  auto cache = known.lock();
  if (!cache) {
    cache = std::make_shared<ModelCache>(common_, model_sha256, features);
    known = cache;
  }
  return cache;
}

CacheAccess::CacheAccess(PredictionCache& cache)
    : cache_(cache), tally_(std::make_shared<CacheTally>()) {}

std::shared_ptr<const model::Model> CacheAccess::in_front_of(
    std::shared_ptr<const model::Model> model, std::uint64_t version, const std::string& sha256) {
  const std::size_t features = model->schema().features.size();
  if (sha256.size() != kSha256Digits || features == 0) return model;
  auto cache = cache_.of(sha256, features);
  {
    const std::lock_guard lock(mutex_);
    last_ = cache;
    version_ = version;
  }
  return std::make_shared<CachedModel>(std::move(model), std::move(cache), tally_);
}

record::CacheState CacheAccess::state() const {
  record::CacheState state;
  state.hits_local = tally_->hits_local;
  state.hits_shared = tally_->hits_shared;
  state.misses = tally_->misses;
  state.bypassed = tally_->bypassed;
  state.recomputed = tally_->recomputed;
  state.mismatches = tally_->mismatches;
  state.saved_seconds = static_cast<double>(tally_->saved_ns) / 1e9;
  state.shared.asked = tally_->asked;
  state.shared.refused = tally_->refused;
  const std::lock_guard lock(mutex_);
  state.model = version_;
  if (last_) last_->describe(state);
  return state;
}

}  // namespace weir::cache
