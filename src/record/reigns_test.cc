#include "record/reigns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::record {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

ControlRecord begin(std::uint64_t epoch) {
  ControlRecord record;
  record.epoch = epoch;
  record.dataset = DatasetIdentity{"/dataset/a.csv", 1, 2, "3"};
  return record;
}

ControlRecord resume(std::uint64_t epoch, std::uint64_t version, Outcome outcome) {
  ControlRecord record;
  record.type = ControlType::kResume;
  record.epoch = epoch;
  record.version = version;
  record.outcome = outcome;
  return record;
}

void rule(ReignHistory& history, std::uint64_t epoch, std::uint64_t version,
          Outcome outcome = Outcome::kTrained) {
  history.apply(begin(epoch));
  history.apply(resume(epoch, version, outcome));
}

SwapRecord swap(std::uint64_t epoch, std::uint64_t version, std::int32_t partition,
                std::int64_t offset) {
  return {epoch, version, partition, offset, "scorer-a"};
}

OffsetRange from(std::int64_t first) { return {first, std::nullopt}; }
OffsetRange between(std::int64_t first, std::int64_t next) { return {first, next}; }

TEST(ReignHistory, of_nothing_has_no_reign) {
  EXPECT_THAT(ReignHistory().reigns(0), IsEmpty());
  EXPECT_EQ(ReignHistory().contradictions(), 0u);
}

TEST(ReignHistory, ends_a_range_where_the_next_epoch_took_over) {
  ReignHistory history;
  rule(history, 1, 1);
  rule(history, 2, 2);
  for (const auto& note : {swap(1, 1, 0, 0), swap(1, 1, 1, 4), swap(2, 2, 0, 16)}) {
    history.apply(note);
  }
  const auto first = history.reigns(1);
  ASSERT_EQ(first.size(), 1u);
  ASSERT_TRUE(first[0].ended_by);
  EXPECT_EQ(first[0].ended_by->epoch, 2u);
  EXPECT_THAT(first[0].ranges, ElementsAre(Pair(0, between(0, 16)), Pair(1, from(4))));
  const auto second = history.reigns(2);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_FALSE(second[0].ended_by);
  EXPECT_THAT(second[0].ranges, ElementsAre(Pair(0, from(16))));
}

TEST(ReignHistory, takes_the_lowest_of_several_notes_in_whatever_order) {
  ReignHistory history;
  for (const auto offset : {7, 3, 9}) history.apply(swap(1, 1, 0, offset));
  rule(history, 1, 1);
  EXPECT_THAT(history.reigns(1)[0].ranges, ElementsAre(Pair(0, from(3))));
}

TEST(ReignHistory, passes_over_epochs_that_answered_nothing_in_a_partition) {
  ReignHistory history;
  for (std::uint64_t epoch = 1; epoch <= 3; ++epoch) rule(history, epoch, epoch);
  history.apply(swap(1, 1, 0, 0));
  history.apply(swap(3, 3, 0, 40));
  EXPECT_THAT(history.reigns(1)[0].ranges, ElementsAre(Pair(0, between(0, 40))));
  EXPECT_THAT(history.reigns(2)[0].ranges, IsEmpty());
}

TEST(ReignHistory, gives_a_version_a_reign_for_each_epoch_that_it_ruled_in) {
  ReignHistory history;
  rule(history, 1, 1);
  rule(history, 2, 1, Outcome::kRefused);
  rule(history, 3, 3);
  rule(history, 4, 1, Outcome::kRolledBack);
  for (const auto& note :
       {swap(1, 1, 0, 0), swap(2, 1, 0, 10), swap(3, 3, 0, 20), swap(4, 1, 0, 30)}) {
    history.apply(note);
  }
  const auto reigns = history.reigns(1);
  ASSERT_EQ(reigns.size(), 3u);
  EXPECT_THAT(reigns[0].ranges, ElementsAre(Pair(0, between(0, 10))));
  EXPECT_EQ(reigns[1].resume.outcome, Outcome::kRefused);
  EXPECT_THAT(reigns[1].ranges, ElementsAre(Pair(0, between(10, 20))));
  EXPECT_EQ(reigns[2].resume.epoch, 4u);
  EXPECT_THAT(reigns[2].ranges, ElementsAre(Pair(0, from(30))));
  EXPECT_EQ(history.reigns(0).size(), 4u);
}

TEST(ReignHistory, leaves_out_and_counts_notes_that_contradict_the_control_log) {
  ReignHistory history;
  rule(history, 1, 1);
  rule(history, 2, 2);
  history.apply(swap(1, 1, 0, 5));
  history.apply(swap(1, 9, 0, 2));  // another version than the one that ruled
  history.apply(swap(7, 7, 0, 8));  // an epoch that never was
  EXPECT_THAT(history.reigns(1)[0].ranges, ElementsAre(Pair(0, from(5))));
  EXPECT_EQ(history.contradictions(), 2u);
}

TEST(ReignHistory, is_not_moved_by_control_records_that_cannot_follow) {
  ReignHistory history;
  rule(history, 1, 1);
  history.apply(resume(1, 9, Outcome::kTrained));
  history.apply(begin(1));
  EXPECT_EQ(history.reigns(1).size(), 1u);
  EXPECT_THAT(history.reigns(9), IsEmpty());
}

TEST(ReignHistory, knows_no_reign_while_there_is_no_model) {
  ReignHistory history;
  rule(history, 1, 0, Outcome::kRefused);
  EXPECT_THAT(history.reigns(0), IsEmpty());
}

}  // namespace
}  // namespace weir::record
