#include "predictions/redis_prediction_store.h"

#include <gmock/gmock.h>

#include "predictions/feed_fixture_test.h"
#include "predictions/redis_packing_internal.h"
#include "predictions/store_contract_test.h"
#include "redis/redis_server_test.h"

namespace weir::predictions {
namespace {

using redis::RedisServer;
using ::testing::HasSubstr;

RedisStoreOptions boston() { return {"boston", "boston.features", Millis(10'000)}; }

class RedisHome final : public StoreHome {
 public:
  explicit RedisHome(std::unique_ptr<RedisServer> server)
      : server_(std::move(server)), client_(server_->options()) {}
  std::unique_ptr<PredictionStore> open() override {
    return std::make_unique<RedisPredictionStore>(client_, boston());
  }
  void lose_all() override { ASSERT_TRUE(client_.ask_one({"FLUSHALL"})); }

 private:
  const std::unique_ptr<RedisServer> server_;
  redis::Client client_;
};

class RedisPredictionStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { begin({}); }

  void begin(const std::vector<std::string>& options) {
    store_.reset();
    client_.reset();
    server_ = RedisServer::start(options);
    if (!server_) GTEST_SKIP() << "no redis-server on this machine";
    client_.emplace(server_->options());
    store_.emplace(*client_, boston());
    WEIR_ASSERT_OK(store_->positions());
  }

  static Batch some_records(std::int64_t from, std::int64_t count, std::size_t bytes = 20) {
    Batch batch;
    for (std::int64_t i = from; i < from + count; ++i) {
      batch.records.push_back(
          record_at(0, i, "r" + std::to_string(i), 1'000 + i, std::string(bytes, 'v')));
      batch.answers.push_back(prediction_of(0, i, "1.5"));
    }
    batch.positions = {{"boston.features", {"id", {{0, from + count}}}}};
    return batch;
  }

  std::string key_of(const std::string& kind, std::int64_t offset) {
    const auto generation =
        client_->ask_one({"HGET", "weir:{boston/boston.features}:kept", "generation"});
    return "weir:{boston/boston.features}:kept:" + generation->text + ":" + kind +
           packing::place_bytes({0, offset});
  }

  std::unique_ptr<RedisServer> server_;
  std::optional<redis::Client> client_;
  std::optional<RedisPredictionStore> store_;
};

TEST_F(RedisPredictionStoreTest, a_large_batch_is_there_whole) {
  WEIR_ASSERT_OK(store_->apply(some_records(0, 3'210)));
  EXPECT_EQ(store_->stats()->records, 3'210U);
  EXPECT_EQ(store_->positions()->at("boston.features").next.at(0), 3'210);
  ListQuery query;
  query.state = State::kPredicted;
  query.limit = 1'000;
  std::size_t seen = 0;
  do {
    const auto page = store_->list(query);
    WEIR_ASSERT_OK(page);
    seen += page->items.size();
    query.cursor = page->next;
  } while (!query.cursor.empty());
  EXPECT_EQ(seen, 3'210U);
}

TEST_F(RedisPredictionStoreTest, is_shared_by_gateways_that_apply_the_same) {
  RedisPredictionStore other(*client_, boston());
  WEIR_ASSERT_OK(other.positions());
  WEIR_ASSERT_OK(store_->apply(some_records(0, 20)));
  WEIR_ASSERT_OK(other.apply(some_records(0, 10)));
  WEIR_ASSERT_OK(other.apply(some_records(5, 20)));
  EXPECT_EQ(store_->stats()->records, 25U);
  EXPECT_EQ(store_->positions()->at("boston.features").next.at(0), 25);
  // One begins anew: what the other has in hand must not go into the new content.
  WEIR_ASSERT_OK(store_->clear());
  const Status late = other.apply(some_records(25, 5));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Code::kCorrupt);
  EXPECT_EQ(store_->stats()->records, 0U);
  EXPECT_TRUE(other.positions()->empty());
  WEIR_ASSERT_OK(other.apply(some_records(0, 3)));
  EXPECT_EQ(store_->stats()->records, 3U);
}

TEST_F(RedisPredictionStoreTest, keeps_pipelines_apart) {
  RedisPredictionStore other(*client_, {"other", "other.features", Millis(1'000)});
  WEIR_ASSERT_OK(other.positions());
  WEIR_ASSERT_OK(store_->apply(some_records(0, 10)));
  EXPECT_EQ(other.stats()->records, 0U);
  WEIR_ASSERT_OK(other.clear());
  EXPECT_EQ(store_->stats()->records, 10U);
}

TEST_F(RedisPredictionStoreTest, leaves_nothing_of_a_generation_before) {
  WEIR_ASSERT_OK(store_->apply(some_records(0, 2'500)));
  WEIR_ASSERT_OK(store_->clear());
  EXPECT_EQ(client_->ask_one({"DBSIZE"})->integer, 1) << "the state alone";
  WEIR_ASSERT_OK(store_->apply(some_records(0, 10)));
  drop_all(*store_, 1'000'000, 100);
  EXPECT_EQ(client_->ask_one({"DBSIZE"})->integer, 1);
}

TEST_F(RedisPredictionStoreTest, drops_all_that_it_lists_whatever_became_of_it) {
  Batch batch = some_records(0, 30);
  batch.answers.clear();
  for (std::int64_t i = 0; i < 10; ++i) batch.answers.push_back(prediction_of(0, i, "1", 7));
  for (std::int64_t i = 10; i < 20; ++i) batch.answers.push_back(letter_about(0, i, "not_json"));
  batch.answers.push_back(prediction_of(0, 99, "1", 8));  // without its record
  batch.answers.back().id = "ghost";
  WEIR_ASSERT_OK(store_->apply(batch));
  drop_all(*store_, 1'000'000, 100);
  EXPECT_EQ(client_->ask_one({"DBSIZE"})->integer, 1);
}

TEST_F(RedisPredictionStoreTest, notices_an_index_that_was_evicted) {
  WEIR_ASSERT_OK(store_->apply(some_records(0, 10)));
  const std::string by_time = key_of("t", 0).substr(0, key_of("t", 0).size() - 12);
  ASSERT_EQ(client_->ask_one({"DEL", by_time})->integer, 1);
  const Status applied = store_->apply(some_records(10, 1));
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code(), Code::kCorrupt);
  EXPECT_TRUE(store_->positions()->empty());
}

TEST_F(RedisPredictionStoreTest, begins_anew_where_another_hand_has_taken_its_keys) {
  const std::string state = "weir:{boston/boston.features}:kept";
  for (const bool all : {false, true}) {
    WEIR_ASSERT_OK(store_->apply(some_records(0, 10)));
    const std::string by_time = key_of("t", 0).substr(0, key_of("t", 0).size() - 12);
    ASSERT_TRUE(client_->ask_one({"SET", all ? state : by_time, "poison"}));
    const Status applied = store_->apply(some_records(10, 1));
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().code(), Code::kCorrupt) << applied.error().message();
    const auto positions = store_->positions();
    WEIR_ASSERT_OK(positions);
    EXPECT_TRUE(positions->empty());
  }
}

TEST_F(RedisPredictionStoreTest, takes_a_value_that_another_hand_wrote_for_a_miss) {
  WEIR_ASSERT_OK(store_->apply(some_records(0, 6)));
  const auto set = [&](const std::string& key, std::string_view value) {
    ASSERT_TRUE(client_->ask_one({"SET", key, value}));
  };
  const auto get = [&](const std::string& key) { return client_->ask_one({"GET", key})->text; };
  set(key_of("r:", 0), "poison");
  set(key_of("a:", 0), "");
  std::string record = get(key_of("r:", 1));
  record.back() = 'w';
  set(key_of("r:", 1), record);
  std::string answer = get(key_of("a:", 2));
  set(key_of("a:", 2), answer.substr(0, answer.size() - 1));
  set(key_of("a:", 3), answer + "x");
  ASSERT_TRUE(client_->ask_one({"DEL", key_of("r:", 4), key_of("a:", 4)}));
  ASSERT_TRUE(client_->ask_one({"DEL", key_of("r:", 5)}));
  ASSERT_TRUE(client_->ask_one({"LPUSH", key_of("r:", 5), "x"}));
  EXPECT_FALSE(store_->by_place({0, 0})->has_value());
  EXPECT_EQ((*store_->by_place({0, 1}))->features, std::nullopt);
  EXPECT_EQ((*store_->by_place({0, 2}))->state(), State::kWaiting);
  EXPECT_EQ((*store_->by_place({0, 3}))->state(), State::kWaiting);
  EXPECT_FALSE(store_->by_place({0, 4})->has_value());
  EXPECT_FALSE(store_->by_id("r4")->has_value());
  const auto page = store_->list({});
  WEIR_ASSERT_OK(page);
  EXPECT_EQ(page->items.size(), 4U);
  // They go as the others do.
  drop_all(*store_, 1'000'000, 100);
  EXPECT_EQ(store_->stats()->records, 0U);
}

TEST_F(RedisPredictionStoreTest, memory_that_is_full_takes_nothing_away_and_passes) {
  begin({"--maxmemory", "8mb", "--maxmemory-policy", "noeviction"});
  Status applied;
  std::int64_t next = 0;
  while (applied && next < 100'000) {
    applied = store_->apply(some_records(next, 100, 1'000));
    if (applied) next += 100;
  }
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code(), Code::kExhausted) << applied.error().message();
  EXPECT_EQ(store_->stats()->records, static_cast<std::uint64_t>(next));
  EXPECT_TRUE(store_->by_id("r50")->has_value());
  const auto positions = store_->positions();
  WEIR_ASSERT_OK(positions);
  EXPECT_EQ(positions->at("boston.features").next.at(0), next);
  WEIR_ASSERT_OK(store_->drop(1'000 + next / 2, 1'000'000));
  WEIR_ASSERT_OK(store_->apply(some_records(next, 100, 1'000)));
}

TEST_F(RedisPredictionStoreTest, an_answer_that_comes_too_late_changes_nothing) {
  redis::ClientOptions options = server_->options();
  options.timeout = Millis(200);
  options.failures_max = 1'000;
  redis::Client hasty(options);
  RedisPredictionStore store(hasty, boston());
  WEIR_ASSERT_OK(store.positions());
  WEIR_ASSERT_OK(store.apply(some_records(0, 10)));
  server_->stall();
  const Status applied = store.apply(some_records(10, 10));
  const auto asked = store.by_id("r1");
  server_->resume();
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code(), Code::kTimeout);
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().code(), Code::kTimeout);
  // It may have been applied all the same; twice is the same as once.
  WEIR_ASSERT_OK(store_->apply(some_records(10, 10)));
  EXPECT_EQ(store_->stats()->records, 20U);
  for (std::int64_t i = 0; i < 20; ++i) {
    EXPECT_EQ((*store_->by_place({0, i}))->id, "r" + std::to_string(i));
  }
}

TEST_F(RedisPredictionStoreTest, survives_a_kill_by_being_filled_again) {
  SimulatedClock clock;
  stream::MemoryBroker broker(clock);
  WEIR_ASSERT_OK(broker.ensure_topics({{"f", 2}, {"p", 1}, {"d", 1}}, Millis(1'000)));
  for (int i = 0; i < 50; ++i) broker.produce("f", "r" + std::to_string(i), "{\"x\": 1}");
  redis::ClientOptions options = server_->options();
  options.rest_min = Millis(1);
  options.rest_max = Millis(1);
  redis::Client client(options);
  RedisPredictionStore store(client, boston());
  AnswerBoard board;
  FeedProgress progress;
  FeedOptions feed_options;
  feed_options.features_topic = "f";
  feed_options.predictions_topic = "p";
  feed_options.dead_topic = "d";
  auto feed = PredictionFeed::open(feed_options, broker, store, board, progress, clock);
  WEIR_ASSERT_OK(feed);
  const auto steps_until = [&](const std::function<bool()>& so) {
    for (int i = 0; i < 2'000; ++i) {
      const Status stepped = (*feed)->step(Millis(100), {});
      EXPECT_TRUE(stepped) << stepped.error().message();
      if (!stepped || so()) return static_cast<bool>(stepped);
      clock.advance(Millis(50));
    }
    return false;
  };
  const auto count = [&] {
    const auto stats = store.stats();
    return stats ? stats->records : 0;
  };
  ASSERT_TRUE(steps_until([&] { return count() == 50; }));
  server_->kill();
  broker.produce("f", "r50", "{\"x\": 1}");
  ASSERT_TRUE(steps_until([&] { return progress.trouble().has_value(); }));
  server_->restart();
  ASSERT_TRUE(steps_until([&] { return count() == 51; }));
  EXPECT_FALSE(progress.trouble());
  EXPECT_TRUE(store.by_id("r3")->has_value());
}

TEST(RedisPacking, bytes_sort_as_points_and_ids_do) {
  using packing::id_bytes;
  using packing::point_bytes;
  const std::vector<ListPoint> points = {{0, {0, 0}},        {0, {0, 1}},   {0, {0, 256}},
                                         {0, {1, 0}},        {255, {0, 0}}, {256, {0, 0}},
                                         {1LL << 40, {9, 9}}};
  for (std::size_t i = 0; i < points.size(); ++i) {
    EXPECT_EQ(packing::point_of(point_bytes(points[i])), points[i]);
    EXPECT_EQ(i > 0 && point_bytes(points[i - 1]) < point_bytes(points[i]), i > 0);
  }
  const std::vector<std::string> ids = {"",
                                        std::string("\0", 1),
                                        std::string("\0\0", 2),
                                        std::string("\0\1", 2),
                                        "\1",
                                        "a",
                                        std::string("a\0b", 3),
                                        "ab",
                                        "\xff"};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    for (std::size_t j = 0; j < ids.size(); ++j) {
      EXPECT_EQ(ids[i] < ids[j], id_bytes(ids[i]) < id_bytes(ids[j])) << i << " " << j;
      const bool begins = ids[j].starts_with(ids[i]);
      EXPECT_EQ(begins, id_bytes(ids[j]).starts_with(packing::id_prefix_bytes(ids[i])))
          << i << " " << j;
      EXPECT_EQ(id_bytes(ids[j]).starts_with(id_bytes(ids[i])), i == j);
    }
    const std::string entry =
        id_bytes(ids[i]) + point_bytes({7, {1, 2}}) + std::string(16, i % 2 ? 'h' : '\0');
    const auto found = packing::id_entry_of(entry);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->id, ids[i]);
    EXPECT_EQ(found->point, (ListPoint{7, {1, 2}}));
    EXPECT_EQ(found->value_hash.has_value(), i % 2 == 1);
    EXPECT_FALSE(packing::id_entry_of(entry.substr(0, entry.size() - 1)));
  }
}

TEST(RedisPacking, refuses_every_cut_of_a_value) {
  const FeatureRecord record = record_at(3, 4, std::string("i\0d", 3), 1'000, "{\"x\": 1}");
  const std::string packed = packing::pack(record);
  EXPECT_EQ(packing::unpack_record({3, 4}, packed), record);
  for (std::size_t cut = 0; cut < packed.size(); ++cut) {
    EXPECT_FALSE(packing::unpack_record({3, 4}, packed.substr(0, cut))) << cut;
  }
  Answer answer = prediction_of(3, 4, "[1, 2.5]", 7);
  answer.id = "a";
  answer.reason = "r";
  answer.message = "m";
  const std::string of_answer = packing::pack(answer);
  EXPECT_EQ(packing::unpack_answer({3, 4}, of_answer), answer);
  for (std::size_t cut = 0; cut < of_answer.size(); ++cut) {
    EXPECT_FALSE(packing::unpack_answer({3, 4}, of_answer.substr(0, cut))) << cut;
  }
  EXPECT_FALSE(packing::unpack_answer({3, 4}, of_answer + "x"));
}

}  // namespace

std::unique_ptr<StoreHome> make_redis_home() {
  auto server = RedisServer::start();
  return server ? std::make_unique<RedisHome>(std::move(server)) : nullptr;
}

}  // namespace weir::predictions
