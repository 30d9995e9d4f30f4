#include <gmock/gmock.h>

#include "stream/contract_harness_internal.h"
#include "stream/murmur2.h"

namespace weir::stream {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TransactionalSinkContract : public BrokerContract {};
WEIR_BROKER_CONTRACT(TransactionalSinkContract);

OutRecord record_to(const std::string& topic, std::string_view value) {
  OutRecord record;
  record.topic = topic;
  record.value = value;
  record.partition = 0;
  return record;
}

TEST_P(TransactionalSinkContract,
       shows_all_of_a_committed_transaction_and_nothing_of_an_aborted_one) {
  const std::string topic = make_topic("out");
  const auto out = sink(harness_->fresh("id"));
  ASSERT_TRUE(out);
  WEIR_ASSERT_OK(out->begin());
  WEIR_ASSERT_OK(out->send(record_to(topic, "a")));
  WEIR_ASSERT_OK(out->send(record_to(topic, "b")));
  WEIR_ASSERT_OK(out->commit("", {}, nullptr));
  WEIR_ASSERT_OK(out->begin());
  WEIR_ASSERT_OK(out->send(record_to(topic, "c")));
  WEIR_ASSERT_OK(out->abort());
  WEIR_ASSERT_OK(out->begin());
  WEIR_ASSERT_OK(out->send(record_to(topic, "d")));
  WEIR_ASSERT_OK(out->commit("", {}, nullptr));
  EXPECT_THAT(visible(topic), ElementsAre("a", "b", "d"));
}

TEST_P(TransactionalSinkContract, tells_where_records_stand_if_it_was_opened_to) {
  const std::string topic = make_topic("out", 3);
  for (const Places told : {Places::kTold, Places::kNotTold}) {
    auto out = broker().open_sink(harness_->fresh("id"), Millis(10000), told);
    WEIR_ASSERT_OK(out);
    WEIR_ASSERT_OK((*out)->begin());
    Place places[4];
    const Headers headers = {{"name", "value"}};
    for (int i = 0; i < 4; ++i) {
      OutRecord record = record_to(topic, "a");
      record.partition = i % 3;
      record.headers = i == 2 ? &headers : nullptr;
      record.place = &places[i];
      WEIR_ASSERT_OK((*out)->send(record));
    }
    WEIR_ASSERT_OK((*out)->commit("", {}, nullptr));
    if (told == Places::kNotTold) {
      EXPECT_EQ(places[0], Place{});
      continue;
    }
    EXPECT_EQ(places[0], (Place{0, 0}));
    EXPECT_EQ(places[1], (Place{1, 0}));
    EXPECT_EQ(places[2], (Place{2, 0}));
    EXPECT_EQ(places[3], (Place{0, 1}));
  }
}

TEST_P(TransactionalSinkContract, hides_an_open_transaction) {
  const std::string topic = make_topic("out");
  const auto out = sink(harness_->fresh("id"));
  ASSERT_TRUE(out);
  WEIR_ASSERT_OK(out->begin());
  WEIR_ASSERT_OK(out->send(record_to(topic, "a")));
  auto reader = broker().open_log(topic, StartAt::kEarliest);
  WEIR_ASSERT_OK(reader);
  auto seen = (*reader)->poll(Millis(300));
  WEIR_ASSERT_OK(seen);
  EXPECT_THAT(*seen, IsEmpty());
  WEIR_ASSERT_OK(out->commit("", {}, nullptr));
  seen = (*reader)->read_to_end(Millis(10000));
  WEIR_ASSERT_OK(seen);
  ASSERT_EQ(seen->size(), 1U);
  EXPECT_EQ(seen->front().value, "a");
}

TEST_P(TransactionalSinkContract, an_empty_transaction_commits) {
  const auto out = sink(harness_->fresh("id"));
  ASSERT_TRUE(out);
  for (int i = 0; i < 3; ++i) {
    WEIR_ASSERT_OK(out->begin());
    WEIR_ASSERT_OK(out->commit("", {}, nullptr));
  }
}

TEST_P(TransactionalSinkContract, opening_a_second_with_the_same_id_fences_the_first) {
  const std::string topic = make_topic("out");
  const std::string id = harness_->fresh("id");
  const auto first = sink(id);
  ASSERT_TRUE(first);
  WEIR_ASSERT_OK(first->begin());
  WEIR_ASSERT_OK(first->send(record_to(topic, "late")));
  const auto second = sink(id);
  ASSERT_TRUE(second);
  WEIR_ASSERT_OK(second->begin());
  WEIR_ASSERT_OK(second->send(record_to(topic, "new")));
  WEIR_ASSERT_OK(second->commit("", {}, nullptr));
  const Status refused = first->commit("", {}, nullptr);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kFenced) << refused.error().message();
  EXPECT_FALSE(first->begin());
  EXPECT_THAT(visible(topic), ElementsAre("new"));
}

TEST_P(TransactionalSinkContract, fence_ends_an_open_transaction_and_shuts_its_holder_out) {
  const std::string topic = make_topic("out");
  const std::string id = harness_->fresh("id");
  const auto held = sink(id);
  ASSERT_TRUE(held);
  WEIR_ASSERT_OK(held->begin());
  WEIR_ASSERT_OK(held->send(record_to(topic, "late")));
  WEIR_ASSERT_OK(broker().fence(id, Millis(20000)));
  EXPECT_THAT(visible(topic), IsEmpty());
  const Status refused = held->commit("", {}, nullptr);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kFenced) << refused.error().message();
}

TEST_P(TransactionalSinkContract,
       a_record_that_is_too_large_is_refused_and_the_transaction_goes_on) {
  const std::string topic = make_topic("out");
  const auto out = sink(harness_->fresh("id"));
  ASSERT_TRUE(out);
  WEIR_ASSERT_OK(out->begin());
  WEIR_ASSERT_OK(out->send(record_to(topic, "a")));
  const std::string huge(2000000, 'x');
  const Status refused = out->send(record_to(topic, huge));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
  WEIR_ASSERT_OK(out->send(record_to(topic, "b")));
  WEIR_ASSERT_OK(out->commit("", {}, nullptr));
  EXPECT_THAT(visible(topic), ElementsAre("a", "b"));
}

TEST_P(TransactionalSinkContract, offsets_without_their_group_are_refused) {
  const auto out = sink(harness_->fresh("id"));
  ASSERT_TRUE(out);
  WEIR_ASSERT_OK(out->begin());
  const PartitionOffset offset{0, 1};
  const Status refused = out->commit("anything", {&offset, 1}, nullptr);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
}

TEST_P(TransactionalSinkContract, carries_keys_headers_and_emptiness) {
  const std::string topic = make_topic("out");
  const auto out = sink(harness_->fresh("id"));
  ASSERT_TRUE(out);
  const Headers headers = {{"reason", "bad"}, {"empty", ""}, {"reason", std::string("\0x", 2)}};
  WEIR_ASSERT_OK(out->begin());
  OutRecord with = record_to(topic, "v");
  with.key = "k";
  with.headers = &headers;
  WEIR_ASSERT_OK(out->send(with));
  OutRecord bare = record_to(topic, "");
  WEIR_ASSERT_OK(out->send(bare));
  bare.key = "";
  WEIR_ASSERT_OK(out->send(bare));
  WEIR_ASSERT_OK(out->commit("", {}, nullptr));

  NotingListener listener;
  const auto in = source(topic, harness_->fresh("group"), "m", listener);
  auto batch = take_one(*in);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->records()[0].key, "k");
  EXPECT_EQ(batch->headers(0), headers);
  EXPECT_EQ(batch->header(0, "reason"), std::string_view("\0x", 2)) << "the last of that name";
  EXPECT_EQ(batch->header(0, "empty"), "");
  EXPECT_EQ(batch->header(0, "Reason"), std::nullopt);
  batch = take_one(*in);
  ASSERT_TRUE(batch);
  EXPECT_FALSE(batch->records()[0].key.has_value());
  EXPECT_EQ(batch->records()[0].value, "");
  EXPECT_THAT(batch->headers(0), IsEmpty());
  EXPECT_EQ(batch->header(0, "reason"), std::nullopt);
  batch = take_one(*in);
  ASSERT_TRUE(batch);
  ASSERT_TRUE(batch->records()[0].key.has_value());
  EXPECT_EQ(*batch->records()[0].key, "");
}

TEST_P(TransactionalSinkContract, equal_keys_go_where_java_would_put_them) {
  constexpr std::int32_t kPartitions = 7;
  const std::string topic = make_topic("out", kPartitions);
  const auto out = sink(harness_->fresh("id"));
  ASSERT_TRUE(out);
  const std::vector<std::string> keys = {"1", "42", "crim", "a longer key", "Zürich"};
  WEIR_ASSERT_OK(out->begin());
  for (const std::string& key : keys) {
    OutRecord record;
    record.topic = topic;
    record.key = key;
    record.value = key;
    WEIR_ASSERT_OK(out->send(record));
  }
  WEIR_ASSERT_OK(out->commit("", {}, nullptr));
  NotingListener listener;
  const auto in = source(topic, harness_->fresh("group"), "m", listener);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto batch = take_one(*in);
    ASSERT_TRUE(batch);
    const Record& record = batch->records()[0];
    EXPECT_EQ(record.partition, murmur2_partition(*record.key, kPartitions)) << *record.key;
  }
}

TEST_P(TransactionalSinkContract, a_spent_sink_says_so) {
  const auto out = sink(harness_->fresh("id"));
  ASSERT_TRUE(out);
  EXPECT_FALSE(out->send(record_to("no.transaction", "v")));
  const Status spent = out->begin();
  ASSERT_FALSE(spent);
  EXPECT_EQ(spent.error().code(), Code::kInvalidArgument);
}

TEST_P(TransactionalSinkContract, a_sink_that_goes_leaves_no_transaction_open) {
  const std::string topic = make_topic("out");
  auto out = sink(harness_->fresh("id"));
  ASSERT_TRUE(out);
  WEIR_ASSERT_OK(out->begin());
  WEIR_ASSERT_OK(out->send(record_to(topic, "a")));
  out.reset();
  write(topic, {"b"});
  EXPECT_THAT(visible(topic), ElementsAre("b"));
}

}  // namespace
}  // namespace weir::stream
