#include "score/swap_notes.h"

namespace weir::score {

bool SwapNotes::is_noted(std::int32_t partition, std::uint64_t epoch) const {
  for (const auto* notes : {&noted_, &in_flight_}) {
    const auto found = notes->find(partition);
    if (found != notes->end() && found->second == epoch) return true;
  }
  return false;
}

std::vector<SwapNotes::First> SwapNotes::take(std::span<const stream::Record> records,
                                              std::uint64_t epoch) {
  std::vector<First> firsts;
  std::int32_t last_looked_at = -1;
  for (const stream::Record& record : records) {
    if (record.partition == last_looked_at) continue;  // records come in runs of one partition
    last_looked_at = record.partition;
    if (is_noted(record.partition, epoch)) continue;
    in_flight_[record.partition] = epoch;
    firsts.push_back({record.partition, record.offset});
  }
  return firsts;
}

void SwapNotes::committed() {
  for (const auto& [partition, epoch] : in_flight_) noted_[partition] = epoch;
  in_flight_.clear();
}

void SwapNotes::aborted() { in_flight_.clear(); }

void SwapNotes::forget(std::span<const std::int32_t> partitions) {
  for (const std::int32_t partition : partitions) noted_.erase(partition);
}

}  // namespace weir::score
