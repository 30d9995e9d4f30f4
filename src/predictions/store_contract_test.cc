#include "predictions/store_contract_test.h"

#include <gmock/gmock.h>

#include <set>

namespace weir::predictions {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

INSTANTIATE_TEST_SUITE_P(, PredictionStoreContract, ::testing::Values("sqlite", "redis"),
                         store_name);

TEST_P(PredictionStoreContract, keeps_a_record_as_it_came_and_then_its_answer) {
  const std::string value("{\"x\": \0 1}", 10);
  const std::string id("a\0\xff", 3);
  apply({record_at(3, 7, id, 1'500, value)});
  auto found = store_->by_place({3, 7});
  WEIR_ASSERT_OK(found);
  ASSERT_TRUE(*found);
  EXPECT_EQ((*found)->id, id);
  EXPECT_EQ((*found)->features, value);
  EXPECT_EQ((*found)->arrived_ms, 1'500);
  EXPECT_EQ((*found)->state(), State::kWaiting);

  Answer answer = prediction_of(3, 7, "[20.098064617498025, -0]", 18'446'744'073'709'551'615U);
  answer.epoch = 9;
  answer.at = {2, 99};
  answer.answered_ms = 1'720;
  apply({}, {answer});
  found = store_->by_place({3, 7});
  WEIR_ASSERT_OK(found);
  ASSERT_TRUE(*found && (*found)->answer);
  EXPECT_EQ((*found)->state(), State::kPredicted);
  answer.id = id;
  EXPECT_EQ((*found)->answer, answer);
  EXPECT_EQ((*found)->features, value);
}

TEST_P(PredictionStoreContract, keeps_why_a_record_is_a_dead_letter) {
  apply({record_at(0, 1, "a", 1'000)}, {letter_about(0, 1, "missing_feature")});
  const auto found = store_->by_place({0, 1});
  WEIR_ASSERT_OK(found);
  ASSERT_TRUE(*found && (*found)->answer);
  EXPECT_EQ((*found)->state(), State::kDead);
  EXPECT_EQ((*found)->answer->reason, "missing_feature");
  EXPECT_EQ((*found)->answer->message, "in words");
  EXPECT_EQ((*found)->answer->prediction, "");
}

TEST_P(PredictionStoreContract, tells_absent_from_empty) {
  FeatureRecord bare;
  bare.place = {0, 1};
  bare.arrived_ms = 1'000;
  apply({bare, record_at(0, 2, "", 1'000, "")});
  const auto first = store_->by_place({0, 1});
  const auto second = store_->by_place({0, 2});
  WEIR_ASSERT_OK(first);
  WEIR_ASSERT_OK(second);
  ASSERT_TRUE(*first && *second);
  EXPECT_EQ((*first)->id, std::nullopt);
  EXPECT_EQ((*first)->features, std::nullopt);
  EXPECT_EQ((*second)->id, "");
  EXPECT_EQ((*second)->features, "");
  const auto nobody = store_->by_place({1, 1});
  WEIR_ASSERT_OK(nobody);
  EXPECT_FALSE(*nobody);
}

TEST_P(PredictionStoreContract, an_answer_may_come_before_its_record_or_without_it) {
  Answer answer = prediction_of(0, 5, "1.5", 1, 3'000);
  answer.id = "a";
  apply({}, {answer});
  auto found = store_->by_id("a");
  WEIR_ASSERT_OK(found);
  ASSERT_TRUE(*found);
  EXPECT_EQ((*found)->newest.arrived_ms, std::nullopt);
  EXPECT_EQ((*found)->newest.features, std::nullopt);
  EXPECT_EQ((*found)->newest.answer, answer);
  const std::vector<std::string> ids = {"a"};
  auto firsts = store_->find_ids(ids);
  WEIR_ASSERT_OK(firsts);
  EXPECT_FALSE((*firsts)[0]) << "its value is not known";

  apply({record_at(0, 5, "a", 1'000, "late")});
  found = store_->by_id("a");
  WEIR_ASSERT_OK(found);
  ASSERT_TRUE(*found);
  EXPECT_EQ((*found)->count, 1U);
  EXPECT_EQ((*found)->newest.arrived_ms, 1'000);
  EXPECT_EQ((*found)->newest.features, "late");
  EXPECT_EQ((*found)->newest.answer, answer);
  EXPECT_EQ(count(), 1U);
}

TEST_P(PredictionStoreContract, gives_the_newest_of_an_id_and_how_many_there_are) {
  apply({record_at(0, 1, "a", 1'000), record_at(1, 1, "a", 3'000), record_at(0, 2, "a", 2'000),
         record_at(0, 3, "b", 9'000)});
  const auto found = store_->by_id("a");
  WEIR_ASSERT_OK(found);
  ASSERT_TRUE(*found);
  EXPECT_EQ((*found)->newest.place, (Place{1, 1}));
  EXPECT_EQ((*found)->count, 3U);
  const auto nobody = store_->by_id("c");
  WEIR_ASSERT_OK(nobody);
  EXPECT_FALSE(*nobody);
}

TEST_P(PredictionStoreContract, finds_the_first_of_each_id_with_the_hash_of_its_value) {
  apply({record_at(0, 4, "a", 2'000, "second"), record_at(0, 3, "a", 1'000, "first"),
         record_at(1, 0, "b", 1'000, "other")});
  const std::vector<std::string> ids = {"b", "nobody", "a", "a"};
  const auto firsts = store_->find_ids(ids);
  WEIR_ASSERT_OK(firsts);
  ASSERT_EQ(firsts->size(), 4U);
  ASSERT_TRUE((*firsts)[0] && (*firsts)[2] && (*firsts)[3]);
  EXPECT_FALSE((*firsts)[1]);
  EXPECT_EQ((*firsts)[0]->place, (Place{1, 0}));
  EXPECT_EQ((*firsts)[0]->value_hash, hash_of("other"));
  EXPECT_EQ((*firsts)[2]->place, (Place{0, 3}));
  EXPECT_EQ((*firsts)[2]->value_hash, hash_of("first"));
  EXPECT_EQ((*firsts)[3]->place, (Place{0, 3}));
  EXPECT_TRUE(store_->find_ids({})->empty());
  const std::vector<std::string> too_many(kIdsAtOnceMax + 1, "a");
  const auto refused = store_->find_ids(too_many);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
}

TEST_P(PredictionStoreContract, the_first_of_an_id_is_the_first_that_is_kept) {
  apply({record_at(0, 1, "a", 1'000, "old"), record_at(0, 2, "a", 5'000, "new")});
  WEIR_ASSERT_OK(store_->drop(2'000, 100));
  const std::vector<std::string> ids = {"a"};
  const auto firsts = store_->find_ids(ids);
  WEIR_ASSERT_OK(firsts);
  ASSERT_TRUE((*firsts)[0]);
  EXPECT_EQ((*firsts)[0]->place, (Place{0, 2}));
}

TEST_P(PredictionStoreContract, the_same_batch_twice_is_the_same_as_once) {
  Batch batch;
  batch.records = {record_at(0, 1, "a", 1'000, "v"), record_at(0, 2, "b", 1'000, "w")};
  batch.answers = {prediction_of(0, 1, "1.5"), letter_about(0, 2, "not_json")};
  batch.positions = {{"f", {"id", {{0, 3}}}}};
  WEIR_ASSERT_OK(store_->apply(batch));
  const auto before = store_->list({});
  WEIR_ASSERT_OK(before);
  // The records once more without their answers must not take the answers away.
  Batch again = batch;
  again.answers.clear();
  WEIR_ASSERT_OK(store_->apply(again));
  WEIR_ASSERT_OK(store_->apply(batch));
  const auto after = store_->list({});
  WEIR_ASSERT_OK(after);
  ASSERT_EQ(after->items.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(after->items[i].place, before->items[i].place);
    EXPECT_EQ(after->items[i].features, before->items[i].features);
    EXPECT_EQ(after->items[i].answer, before->items[i].answer);
  }
  EXPECT_EQ(*store_->positions(), batch.positions);
  EXPECT_EQ(count(), 2U);
  for (const State state : {State::kPredicted, State::kDead}) {
    ListQuery query;
    query.state = state;
    EXPECT_EQ(offsets(query).size(), 1U);
  }
  ListQuery waiting;
  waiting.state = State::kWaiting;
  EXPECT_THAT(offsets(waiting), IsEmpty());
}

TEST_P(PredictionStoreContract, positions_go_forward_alone_but_for_a_topic_made_anew) {
  Batch batch;
  batch.positions = {{"f", {"one", {{0, 10}, {1, 5}}}}, {"p", {"", {{0, 7}}}}};
  WEIR_ASSERT_OK(store_->apply(batch));
  EXPECT_EQ(*store_->positions(), batch.positions);
  // Another feed on the same store, behind this one.
  batch.positions = {{"f", {"one", {{0, 8}, {1, 6}}}}};
  WEIR_ASSERT_OK(store_->apply(batch));
  EXPECT_EQ(*store_->positions(),
            (Positions{{"f", {"one", {{0, 10}, {1, 6}}}}, {"p", {"", {{0, 7}}}}}));
  batch.positions = {{"f", {"two", {{0, 2}}}}};
  WEIR_ASSERT_OK(store_->apply(batch));
  EXPECT_EQ(*store_->positions(), (Positions{{"f", {"two", {{0, 2}}}}, {"p", {"", {{0, 7}}}}}));
}

TEST_P(PredictionStoreContract, lists_the_newest_first_page_by_page) {
  fill(25);
  ListQuery query;
  query.limit = 10;
  std::vector<std::int64_t> all;
  for (int pages = 0; pages < 3; ++pages) {
    const auto page = store_->list(query);
    WEIR_ASSERT_OK(page);
    EXPECT_EQ(page->items.size(), pages < 2 ? 10U : 5U);
    for (const Kept& kept : page->items) all.push_back(kept.place.offset);
    EXPECT_EQ(page->next.empty(), pages == 2);
    query.cursor = page->next;
  }
  std::vector<std::int64_t> expected;
  for (std::int64_t i = 24; i >= 0; --i) expected.push_back(i);
  EXPECT_EQ(all, expected);
}

TEST_P(PredictionStoreContract, a_page_that_ends_where_the_list_does_has_no_next) {
  fill(10);
  ListQuery query;
  query.limit = 10;
  EXPECT_EQ(store_->list(query)->next, "");
}

TEST_P(PredictionStoreContract, a_page_of_large_records_is_short_and_leaves_nothing_out) {
  constexpr std::int64_t kCount = 20;
  for (std::int64_t i = 0; i < kCount; ++i) {
    FeatureRecord record = record_at(0, i, "r", 1'000 * i);
    record.features = std::string(900'000, 'x');
    apply({std::move(record)});
  }
  ListQuery query;
  query.limit = kListLimitMax;
  std::vector<std::int64_t> all;
  std::size_t pages = 0;
  do {
    const auto page = store_->list(query);
    WEIR_ASSERT_OK(page);
    std::size_t bytes = 0;
    for (const Kept& kept : page->items) {
      bytes += kept.features->size();
      all.push_back(kept.place.offset);
    }
    EXPECT_LE(bytes, kPageBytesMax + 900'000);
    query.cursor = page->next;
    ++pages;
  } while (!query.cursor.empty() && pages < 10);
  EXPECT_EQ(pages, 2U);
  ASSERT_EQ(all.size(), static_cast<std::size_t>(kCount));
  for (std::int64_t i = 0; i < kCount; ++i) EXPECT_EQ(all[i], kCount - 1 - i);
}

TEST_P(PredictionStoreContract, pages_leave_nothing_out_while_records_come_and_go) {
  // Many of the same moment, in several partitions, so that the time alone orders nothing.
  std::vector<FeatureRecord> records;
  for (std::int32_t partition = 0; partition < 3; ++partition) {
    for (std::int64_t i = 0; i < 40; ++i) {
      records.push_back(record_at(partition, i, "r", 10'000 + i / 20));
    }
  }
  apply(records);
  ListQuery query;
  query.limit = 7;
  std::set<Place> seen;
  std::int64_t next = 40;
  for (;;) {
    const auto page = store_->list(query);
    WEIR_ASSERT_OK(page);
    for (const Kept& kept : page->items) {
      EXPECT_TRUE(seen.insert(kept.place).second) << "shown twice";
    }
    if (page->next.empty()) break;
    query.cursor = page->next;
    // Newer ones come, answers come, and one that was shown goes.
    apply({record_at(0, next, "new", 20'000 + next)},
          {prediction_of(1, next % 40, "1"), prediction_of(2, next % 40, "2")});
    ++next;
  }
  std::size_t of_before = 0;
  for (const Place& place : seen) of_before += place.offset < 40 ? 1 : 0;
  EXPECT_EQ(of_before, records.size());
}

TEST_P(PredictionStoreContract, lists_by_time_model_id_and_state_and_by_all_of_them) {
  std::vector<FeatureRecord> records;
  std::vector<Answer> answers;
  for (std::int64_t i = 0; i < 40; ++i) {
    const std::string id = (i % 2 ? "odd:" : "even:") + std::to_string(i);
    records.push_back(record_at(0, i, id, 1'000 * i));
    if (i % 4 == 0) answers.push_back(prediction_of(0, i, "1", i < 20 ? 1 : 2));
    if (i % 4 == 1) answers.push_back(letter_about(0, i, "not_json"));
  }
  apply(records, answers);
  const auto expect = [&](const ListQuery& query, const std::function<bool(std::int64_t)>& is_in) {
    std::vector<std::int64_t> expected;
    for (std::int64_t i = 39; i >= 0; --i) {
      if (is_in(i)) expected.push_back(i);
    }
    EXPECT_EQ(offsets(query), expected);
  };
  ListQuery query;
  query.from_ms = 10'000;
  query.until_ms = 30'000;
  expect(query, [](auto i) { return i >= 10 && i < 30; });
  query.id_prefix = "even:";
  expect(query, [](auto i) { return i >= 10 && i < 30 && i % 2 == 0; });
  query.state = State::kPredicted;
  expect(query, [](auto i) { return i >= 10 && i < 30 && i % 4 == 0; });
  query.model = 2;
  expect(query, [](auto i) { return i >= 20 && i < 30 && i % 4 == 0; });
  query.model = 3;
  expect(query, [](auto) { return false; });

  query = {};
  query.state = State::kDead;
  expect(query, [](auto i) { return i % 4 == 1; });
  query.id_prefix = "odd:2";
  expect(query, [](auto i) { return i % 4 == 1 && (i == 2 || i / 10 == 2); });
  query.id_prefix.reset();
  query.state = State::kWaiting;
  expect(query, [](auto i) { return i % 4 >= 2; });
  query.until_ms = 5'000;
  expect(query, [](auto i) { return i % 4 >= 2 && i < 5; });
  query = {};
  query.model = 1;
  expect(query, [](auto i) { return i % 4 == 0 && i < 20; });
  query.limit = 2;
  EXPECT_THAT(offsets(query), ElementsAre(16, 12));
  query.cursor = store_->list(query)->next;
  EXPECT_THAT(offsets(query), ElementsAre(8, 4));
}

TEST_P(PredictionStoreContract, the_beginning_of_an_id_may_be_any_bytes) {
  const std::string high("\xff\xff", 2);
  apply({record_at(0, 1, high, 1'000), record_at(0, 2, high + "x", 2'000),
         record_at(0, 3, "\xfe", 3'000), record_at(0, 4, std::nullopt, 4'000),
         record_at(0, 5, "100%", 5'000), record_at(0, 6, "100_", 6'000)});
  ListQuery query;
  query.id_prefix = high;
  EXPECT_THAT(offsets(query), ElementsAre(2, 1));
  query.id_prefix = "100%";
  EXPECT_THAT(offsets(query), ElementsAre(5));
  query.id_prefix = "";
  EXPECT_THAT(offsets(query), ElementsAre(6, 5, 3, 2, 1)) << "those that have an id";
}

TEST_P(PredictionStoreContract, refuses_what_no_page_can_be_made_of) {
  ListQuery query;
  for (const std::size_t limit : {std::size_t{0}, kListLimitMax + 1}) {
    query.limit = limit;
    const auto page = store_->list(query);
    ASSERT_FALSE(page);
    EXPECT_EQ(page.error().code(), Code::kInvalidArgument);
  }
  query.limit = 10;
  for (const char* cursor : {"x", "1.2", "1.2.3.4", "1.-2.3", "1.99999999999.3", " 1.2.3", "1.2.3 ",
                             "01.2.3", "1.2.99999999999999999999"}) {
    query.cursor = cursor;
    const auto page = store_->list(query);
    ASSERT_FALSE(page) << cursor;
    EXPECT_EQ(page.error().code(), Code::kInvalidArgument) << cursor;
  }
}

TEST_P(PredictionStoreContract, drops_what_is_too_old) {
  fill(100);
  const auto dropped = store_->drop(40'000, 1'000);
  WEIR_ASSERT_OK(dropped);
  EXPECT_EQ(*dropped, 40U);
  EXPECT_EQ(*store_->drop(40'000, 1'000), 0U);
  EXPECT_EQ(count(), 60U);
  EXPECT_EQ(store_->stats()->oldest_ms, 40'000);
  EXPECT_FALSE(store_->by_id("r39")->has_value());
  EXPECT_TRUE(store_->by_id("r40")->has_value());
}

TEST_P(PredictionStoreContract, drops_the_oldest_of_too_many) {
  fill(100);
  drop_all(*store_, 0, 30);
  EXPECT_EQ(count(), 30U);
  EXPECT_EQ(store_->stats()->oldest_ms, 70'000);
  fill(20, 100);
  drop_all(*store_, 0, 30);
  EXPECT_EQ(count(), 30U);
  EXPECT_EQ(store_->stats()->oldest_ms, 90'000);
}

TEST_P(PredictionStoreContract, clears_everything_and_its_positions) {
  fill(10);
  Batch batch;
  batch.positions = {{"f", {"id", {{0, 10}}}}};
  WEIR_ASSERT_OK(store_->apply(batch));
  WEIR_ASSERT_OK(store_->clear());
  EXPECT_EQ(count(), 0U);
  EXPECT_TRUE(store_->positions()->empty());
  EXPECT_TRUE(store_->list({})->items.empty());
  fill(1);
  EXPECT_EQ(count(), 1U);
}

TEST_P(PredictionStoreContract, what_was_applied_is_there_in_the_next_life) {
  fill(50);
  Batch batch;
  batch.answers = {prediction_of(0, 3, "1.25", 7)};
  batch.positions = {{"f", {"id", {{0, 50}, {1, 4}}}}, {"p", {"other", {{0, 1}}}}};
  WEIR_ASSERT_OK(store_->apply(batch));
  reopen();
  EXPECT_EQ(*store_->positions(), batch.positions);
  EXPECT_EQ(count(), 50U);
  EXPECT_EQ((**store_->by_id("r3")).newest.answer->prediction, "1.25");
}

TEST_P(PredictionStoreContract, a_store_that_has_lost_its_content_says_so_once_and_begins_anew) {
  fill(10);
  Batch batch;
  batch.positions = {{"f", {"id", {{0, 10}}}}};
  WEIR_ASSERT_OK(store_->apply(batch));
  home_->lose_all();
  batch.positions = {{"f", {"id", {{0, 11}}}}};
  batch.records = {record_at(0, 10, "r10", 10'000)};
  const Status lost = store_->apply(batch);
  ASSERT_FALSE(lost) << "a batch that does not begin at the beginning was taken";
  EXPECT_EQ(lost.error().code(), Code::kCorrupt) << lost.error().message();
  const auto positions = store_->positions();
  WEIR_ASSERT_OK(positions);
  EXPECT_TRUE(positions->empty());
  fill(11);
  EXPECT_EQ(count(), 11U);
}

TEST_P(PredictionStoreContract, stats_tell_kind_count_size_and_the_oldest) {
  auto stats = store_->stats();
  WEIR_ASSERT_OK(stats);
  EXPECT_EQ(stats->kind, GetParam());
  EXPECT_EQ(stats->records, 0U);
  EXPECT_EQ(stats->oldest_ms, std::nullopt);
  const std::uint64_t bytes = stats->bytes;
  fill(1'000);
  stats = store_->stats();
  WEIR_ASSERT_OK(stats);
  EXPECT_EQ(stats->records, 1'000U);
  EXPECT_EQ(stats->oldest_ms, 0);
  EXPECT_GT(stats->bytes, bytes);
}

}  // namespace
}  // namespace weir::predictions
