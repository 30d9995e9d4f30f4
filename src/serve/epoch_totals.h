// What the control log says of all epochs together: how many ended how, and how long the stream was
// halted for them; for metrics.
//
// Threads: plain values. Errors: none; a time that cannot be read counts as no time.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "record/control.h"

namespace weir::serve {

struct EpochTotals {
  static constexpr std::array kOutcomes = {record::Outcome::kTrained, record::Outcome::kRefused,
                                           record::Outcome::kFailed, record::Outcome::kRolledBack};
  static constexpr std::size_t kVersionsMax = 1'000;  // of which it is remembered, the last

  std::map<record::Outcome, std::uint64_t> by_outcome;
  std::uint64_t halts = 0;  // that have ended
  Millis halted{0};         // by them all
  Millis last_halt{0};
  std::map<std::uint64_t, WallTime> trained_at;  // by version

  // The next record of the log; those that cannot follow are not told.
  void apply(const record::ControlRecord& record);
  std::optional<WallTime> trained(std::uint64_t version) const;

 private:
  std::optional<record::ControlRecord> halt_;  // that has not ended
};

}  // namespace weir::serve
