#include "serve/flow_meter.h"

namespace weir::serve {

using predictions::Batch;
using predictions::ById;
using predictions::FirstOfId;
using predictions::Kept;
using predictions::ListQuery;
using predictions::Page;
using predictions::Place;
using predictions::Positions;
using predictions::StoreStats;

Result<Positions> FlowMeter::positions() {
  return store_ ? store_->positions() : Result<Positions>(Positions());
}

Status FlowMeter::apply(const Batch& batch) {
  if (store_) WEIR_TRY(store_->apply(batch));
  flow_.take(batch);
  return {};
}

Result<std::uint64_t> FlowMeter::drop(std::int64_t before_ms, std::uint64_t records_max) {
  return store_ ? store_->drop(before_ms, records_max) : Result<std::uint64_t>(0U);
}

Status FlowMeter::clear() { return store_ ? store_->clear() : Status(); }

Result<std::optional<ById>> FlowMeter::by_id(std::string_view id) {
  return store_ ? store_->by_id(id) : Result<std::optional<ById>>(std::nullopt);
}

Result<std::optional<Kept>> FlowMeter::by_place(const Place& place) {
  return store_ ? store_->by_place(place) : Result<std::optional<Kept>>(std::nullopt);
}

Result<Page> FlowMeter::list(const ListQuery& query) {
  return store_ ? store_->list(query) : Result<Page>(Page());
}

Result<std::vector<std::optional<FirstOfId>>> FlowMeter::find_ids(
    std::span<const std::string> ids) {
  if (store_) return store_->find_ids(ids);
  return std::vector<std::optional<FirstOfId>>(ids.size());
}

Result<StoreStats> FlowMeter::stats() {
  return store_ ? store_->stats() : Result<StoreStats>(StoreStats());
}

}  // namespace weir::serve
