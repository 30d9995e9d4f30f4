#include "serve/flow_meter.h"

#include <algorithm>

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

// Whether something is read again that the flow has been told of.
bool FlowMeter::counted_beyond(const Positions& positions) const {
  return std::any_of(counted_.begin(), counted_.end(), [&](const auto& counted) {
    const auto found = positions.find(counted.first);
    if (found == positions.end() || found->second.topic_id != counted.second.topic_id) return true;
    const auto& next = found->second.next;
    return std::any_of(counted.second.next.begin(), counted.second.next.end(),
                       [&](const auto& partition) {
                         const auto at = next.find(partition.first);
                         return at == next.end() || at->second < partition.second;
                       });
  });
}

void FlowMeter::begin_anew() {
  counted_.clear();
  flow_.clear();
}

Result<Positions> FlowMeter::positions() {
  Positions positions;
  if (store_) positions = WEIR_TRY(store_->positions());
  if (counted_beyond(positions)) begin_anew();
  return positions;
}

Status FlowMeter::apply(const Batch& batch) {
  if (store_) WEIR_TRY(store_->apply(batch));
  for (const auto& [topic, position] : batch.positions) counted_[topic] = position;
  flow_.take(batch);
  return {};
}

Result<std::uint64_t> FlowMeter::drop(std::int64_t before_ms, std::uint64_t records_max) {
  return store_ ? store_->drop(before_ms, records_max) : Result<std::uint64_t>(0U);
}

Status FlowMeter::clear() {
  if (store_) WEIR_TRY(store_->clear());
  begin_anew();
  return {};
}

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
