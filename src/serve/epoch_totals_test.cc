#include "serve/epoch_totals.h"

#include <gtest/gtest.h>

#include "base/time_text.h"

namespace weir::serve {
namespace {

record::ControlRecord record_of(record::ControlType type, std::uint64_t epoch, int second) {
  record::ControlRecord record;
  record.type = type;
  record.epoch = epoch;
  record.at = "2026-01-01T00:00:" + std::to_string(10 + second) + ".000Z";
  return record;
}

record::ControlRecord resume_of(std::uint64_t epoch, int second, std::uint64_t version,
                                record::Outcome outcome) {
  auto record = record_of(record::ControlType::kResume, epoch, second);
  record.version = version;
  record.outcome = outcome;
  return record;
}

TEST(EpochTotals, count_how_epochs_ended_and_how_long_the_stream_was_halted) {
  EpochTotals totals;
  totals.apply(record_of(record::ControlType::kTrain, 1, 0));
  totals.apply(resume_of(1, 5, 1, record::Outcome::kTrained));
  EXPECT_EQ(totals.halts, 0u) << "the first model halts nothing";
  totals.apply(record_of(record::ControlType::kHalt, 2, 10));
  totals.apply(resume_of(2, 13, 2, record::Outcome::kTrained));
  totals.apply(record_of(record::ControlType::kHalt, 3, 20));
  totals.apply(resume_of(3, 21, 2, record::Outcome::kRefused));
  totals.apply(record_of(record::ControlType::kHalt, 4, 30));
  EXPECT_EQ(totals.halts, 2u) << "one that has not ended does not count yet";
  EXPECT_EQ(totals.halted, Millis{4'000});
  EXPECT_EQ(totals.last_halt, Millis{1'000});
  EXPECT_EQ(totals.by_outcome[record::Outcome::kTrained], 2u);
  EXPECT_EQ(totals.by_outcome[record::Outcome::kRefused], 1u);
  EXPECT_EQ(totals.by_outcome[record::Outcome::kFailed], 0u);
}

TEST(EpochTotals, know_when_the_model_in_force_was_trained_also_after_a_rollback) {
  EpochTotals totals;
  totals.apply(resume_of(1, 5, 1, record::Outcome::kTrained));
  totals.apply(resume_of(2, 13, 2, record::Outcome::kTrained));
  totals.apply(resume_of(3, 20, 1, record::Outcome::kRolledBack));
  EXPECT_EQ(totals.trained(1), parse_time("2026-01-01T00:00:15.000Z"));
  EXPECT_EQ(totals.trained(9), std::nullopt);
}

TEST(EpochTotals, take_a_clock_that_was_behind_for_no_time) {
  EpochTotals totals;
  totals.apply(record_of(record::ControlType::kHalt, 2, 10));
  totals.apply(resume_of(2, 3, 2, record::Outcome::kTrained));
  EXPECT_EQ(totals.halts, 1u);
  EXPECT_EQ(totals.halted, Millis{0});
}

}  // namespace
}  // namespace weir::serve
