// A store of predictions as the feed sees it, which tells a Flow of each batch that was applied.
// Without a store behind it, it keeps nothing: for whoever wants the figures alone (`weir top`).
//
// A feed goes on at the positions that it is told. Where those lie before what the flow has counted
// (the store has lost something and is filled again, or there is none), the flow begins anew, so
// that no record counts twice.
//
// Owner: whoever owns the store; store and flow outlive it. Threads: positions(), apply() and
// clear() one, the feed's; the others as the store's. Errors: those of the store.
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
  bool counted_beyond(const predictions::Positions& positions) const;
  void begin_anew();

  Flow& flow_;
  predictions::PredictionStore* const store_;  // null: none
  predictions::Positions counted_;             // what the flow has been told of ends there
};

}  // namespace weir::serve
