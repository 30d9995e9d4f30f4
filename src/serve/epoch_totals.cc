#include "serve/epoch_totals.h"

#include <algorithm>

#include "base/time_text.h"

namespace weir::serve {

void EpochTotals::apply(const record::ControlRecord& record) {
  if (record.type == record::ControlType::kHalt) halt_ = record;
  if (record.type == record::ControlType::kTrain) halt_.reset();
  if (record.type != record::ControlType::kResume) return;
  ++by_outcome[record.outcome];
  const auto at = parse_time(record.at);
  if (record.outcome == record::Outcome::kTrained && at) {
    trained_at[record.version] = *at;
    if (trained_at.size() > kVersionsMax) trained_at.erase(trained_at.begin());
  }
  if (!halt_ || halt_->epoch != record.epoch) return;
  const auto since = parse_time(halt_->at);
  // The clocks are those of trainers, which may differ.
  last_halt = at && since ? std::max(Millis{0}, Millis{*at - *since}) : Millis{0};
  halted += last_halt;
  ++halts;
  halt_.reset();
}

std::optional<WallTime> EpochTotals::trained(std::uint64_t version) const {
  const auto found = trained_at.find(version);
  return found == trained_at.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace weir::serve
