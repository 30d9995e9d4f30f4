#include "record/reigns.h"

#include <algorithm>

namespace weir::record {

void ReignHistory::apply(const ControlRecord& record) {
  if (!state_.apply(record)) return;
  if (record.type == ControlType::kResume) resumes_[record.epoch] = record;
}

void ReignHistory::apply(const SwapRecord& swap) {
  const auto [at, is_new] =
      notes_[swap.partition][swap.epoch].try_emplace(swap.version, swap.offset);
  if (!is_new) at->second = std::min(at->second, swap.offset);
}

std::optional<std::int64_t> ReignHistory::first_of(std::int32_t partition,
                                                   std::uint64_t epoch) const {
  const auto resume = resumes_.find(epoch);
  if (resume == resumes_.end()) return std::nullopt;
  const auto& by_epoch = notes_.at(partition);
  const auto noted = by_epoch.find(epoch);
  if (noted == by_epoch.end()) return std::nullopt;
  const auto first = noted->second.find(resume->second.version);
  if (first == noted->second.end()) return std::nullopt;
  return first->second;
}

std::vector<Reign> ReignHistory::reigns(std::uint64_t version) const {
  std::vector<Reign> found;
  for (auto at = resumes_.begin(); at != resumes_.end(); ++at) {
    const auto& [epoch, resume] = *at;
    if (resume.version == 0 || (version != 0 && resume.version != version)) continue;
    Reign reign;
    reign.resume = resume;
    if (const auto next = std::next(at); next != resumes_.end()) reign.ended_by = next->second;
    for (const auto& [partition, by_epoch] : notes_) {
      const auto first = first_of(partition, epoch);
      if (!first) continue;
      OffsetRange range{*first, std::nullopt};
      for (auto later = by_epoch.upper_bound(epoch); later != by_epoch.end() && !range.next;
           ++later) {
        range.next = first_of(partition, later->first);
      }
      reign.ranges.emplace(partition, range);
    }
    found.push_back(std::move(reign));
  }
  return found;
}

std::uint64_t ReignHistory::contradictions() const {
  std::uint64_t count = 0;
  for (const auto& [partition, by_epoch] : notes_) {
    for (const auto& [epoch, by_version] : by_epoch) {
      count += by_version.size() - (first_of(partition, epoch) ? 1 : 0);
    }
  }
  return count;
}

}  // namespace weir::record
