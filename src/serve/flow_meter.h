// A store of predictions as the feed sees it, which tells a Flow of each batch that was applied.
// Without a store behind it, it keeps nothing: for whoever wants the figures alone (`weir top`).
//
// Owner: whoever owns the store; store and flow outlive it. Threads and errors: those of the store.
#pragma once

#include "predictions/prediction_store.h"
#include "serve/flow.h"

namespace weir::serve {

class FlowMeter final : public predictions::PredictionStore {
 public:
  FlowMeter(Flow& flow, predictions::PredictionStore* store) : flow_(flow), store_(store) {}

  Result<predictions::Positions> positions() override;
  Status apply(const predictions::Batch& batch) override;
  Result<std::uint64_t> drop(std::int64_t before_ms, std::uint64_t records_max) override;
  Status clear() override;
  Result<std::optional<predictions::ById>> by_id(std::string_view id) override;
  Result<std::optional<predictions::Kept>> by_place(const predictions::Place& place) override;
  Result<predictions::Page> list(const predictions::ListQuery& query) override;
  Result<std::vector<std::optional<predictions::FirstOfId>>> find_ids(
      std::span<const std::string> ids) override;
  Result<predictions::StoreStats> stats() override;

 private:
  Flow& flow_;
  predictions::PredictionStore* const store_;  // null: none
};

}  // namespace weir::serve
