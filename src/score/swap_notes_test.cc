#include "score/swap_notes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace weir::score {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using First = SwapNotes::First;

std::vector<stream::Record> batch(std::initializer_list<First> places) {
  std::vector<stream::Record> records;
  for (const First& place : places) {
    stream::Record record;
    record.partition = place.partition;
    record.offset = place.offset;
    records.push_back(record);
  }
  return records;
}

TEST(SwapNotes, take_the_first_record_of_each_partition_once) {
  SwapNotes notes;
  EXPECT_THAT(notes.take(batch({{0, 5}, {0, 6}, {2, 9}, {0, 7}, {2, 10}}), 1),
              ElementsAre(First{0, 5}, First{2, 9}));
  EXPECT_THAT(notes.take(batch({{0, 8}, {1, 0}}), 1), ElementsAre(First{1, 0}));
  notes.committed();
  EXPECT_THAT(notes.take(batch({{0, 9}, {1, 1}, {2, 11}}), 1), IsEmpty());
}

TEST(SwapNotes, take_them_again_in_the_next_epoch) {
  SwapNotes notes;
  notes.take(batch({{0, 5}}), 1);
  notes.committed();
  EXPECT_THAT(notes.take(batch({{0, 6}}), 2), ElementsAre(First{0, 6}));
}

TEST(SwapNotes, are_made_again_where_the_transaction_came_to_nothing) {
  SwapNotes notes;
  notes.take(batch({{0, 5}}), 1);
  notes.committed();
  notes.take(batch({{0, 6}, {1, 3}}), 2);
  notes.aborted();
  EXPECT_THAT(notes.take(batch({{0, 6}, {1, 3}}), 2), ElementsAre(First{0, 6}, First{1, 3}));
  notes.aborted();
  EXPECT_THAT(notes.take(batch({{0, 6}}), 1), IsEmpty()) << "what was committed before stays";
}

TEST(SwapNotes, are_made_again_for_a_partition_that_went_and_came_back) {
  SwapNotes notes;
  notes.take(batch({{0, 5}, {1, 3}}), 1);
  notes.committed();
  notes.forget(std::array<std::int32_t, 1>{0});
  EXPECT_THAT(notes.take(batch({{0, 8}, {1, 4}}), 1), ElementsAre(First{0, 8}));
}

}  // namespace
}  // namespace weir::score
