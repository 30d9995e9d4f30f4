#include "cache/prediction_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <thread>

#include "cache/fakes_test.h"

namespace weir::cache {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kFeatures = 3;
const std::string kOne(64, '1');
const std::string kTwo(64, '2');

// Rows of `count` different kinds, one after the other, from the kind `first` on.
std::vector<double> rows_of(std::size_t count, std::size_t first = 0) {
  std::vector<double> rows;
  for (std::size_t i = first; i < first + count; ++i) {
    rows.insert(rows.end(), {static_cast<double>(i), 0.5, -2});
  }
  return rows;
}

class PredictionCacheTest : public ::testing::Test {
 protected:
  // None of what is found is predicted all the same, so that predictions can be counted.
  static PredictionCacheOptions unchecked() {
    PredictionCacheOptions options;
    options.check_local_every = options.check_shared_every = 1'000'000'000;
    return options;
  }
  void make(PredictionCacheOptions options = unchecked(), bool shared = true) {
    options.secret = "thirty-two bytes are a good secret";
    cache_ = std::make_unique<PredictionCache>(
        std::move(options), clock_, shared ? std::make_unique<LentEntries>(entries_) : nullptr);
    access_ = std::make_unique<CacheAccess>(*cache_);
    model_ = std::make_shared<FakeModel>(kFeatures, 2, 20'000, &clock_);
  }
  std::shared_ptr<const model::Model> cached(const std::string& sha256 = kOne) {
    return access_->in_front_of(model_, 1, sha256);
  }
  // Asks, and compares each with what the fake model says of it.
  static void ask(const model::Model& model, const FakeModel& truth, std::span<const double> rows) {
    const std::size_t count = rows.size() / kFeatures;
    std::vector<double> out(count, 77);
    model.predict(rows, out);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(std::bit_cast<std::uint64_t>(out[i]),
                std::bit_cast<std::uint64_t>(truth.of(rows.subspan(i * kFeatures, kFeatures))))
          << "row " << i;
    }
  }
  void ask(const model::Model& model, std::span<const double> rows) { ask(model, *model_, rows); }

  TickClock clock_;
  FakeEntries entries_;
  std::unique_ptr<PredictionCache> cache_;
  std::unique_ptr<CacheAccess> access_;
  std::shared_ptr<FakeModel> model_;
};

TEST_F(PredictionCacheTest, predicts_each_row_once) {
  make(unchecked(), false);
  const auto model = cached();
  ask(*model, rows_of(1'000));
  ask(*model, rows_of(1'500));
  ask(*model, rows_of(1'000, 300));
  EXPECT_EQ(model_->predicted, 1'500);
  const auto state = access_->state();
  EXPECT_EQ(state.hits_local, 2'000);
  EXPECT_EQ(state.misses, 1'500);
  EXPECT_EQ(state.entries, 1'500);
  EXPECT_EQ(state.rows(), 3'500);
  EXPECT_FALSE(state.bypass);
  EXPECT_NEAR(state.saved_seconds, 2'000 * 20e-6, 1e-3);
  EXPECT_THAT(state.shared.why_not, HasSubstr("redis.url"));
}

TEST_F(PredictionCacheTest, is_the_model_in_all_else) {
  make();
  const auto model = cached();
  EXPECT_EQ(model->algorithm(), "fake");
  EXPECT_EQ(model->schema(), model_->schema());
  EXPECT_EQ(model->to_json(), "{}");
  EXPECT_TRUE(model->inputs().plain());
}

TEST_F(PredictionCacheTest, stays_away_from_a_model_that_has_no_name) {
  make();
  EXPECT_EQ(access_->in_front_of(model_, 1, ""), model_);
}

TEST_F(PredictionCacheTest, gives_nothing_of_another_model) {
  make();
  const auto other = std::make_shared<FakeModel>(kFeatures, -3);
  const auto one = cached(kOne);
  const auto two = access_->in_front_of(other, 2, kTwo);
  for (int i = 0; i < 3; ++i) {
    ask(*one, rows_of(500));
    ask(*two, *other, rows_of(500));
  }
  EXPECT_EQ(other->predicted, 500);
  EXPECT_EQ(access_->state().model, 2);
}

TEST_F(PredictionCacheTest, forgets_a_model_that_nobody_has_any_more) {
  make(unchecked(), false);
  auto one = cached(kOne);
  ask(*one, rows_of(500));
  const auto two = access_->in_front_of(model_, 2, kTwo);
  one.reset();
  one = cached(kOne);
  ask(*one, rows_of(500));
  EXPECT_EQ(model_->predicted, 1'000);
}

TEST_F(PredictionCacheTest, is_shared_by_all_who_have_the_same_model) {
  make(unchecked(), false);
  CacheAccess other(*cache_);
  const auto same = std::make_shared<FakeModel>(kFeatures, 2);
  const auto one = cached();
  const auto two = other.in_front_of(same, 1, kOne);
  ask(*one, rows_of(500));
  ask(*two, rows_of(500));
  EXPECT_EQ(same->predicted, 0);
  EXPECT_EQ(other.state().hits_local, 500);
  EXPECT_EQ(access_->state().hits_local, 0);
}

TEST_F(PredictionCacheTest,
       tells_a_zero_from_a_negative_zero_and_takes_all_missing_values_for_one) {
  make(unchecked(), false);
  const auto model = cached();
  ask(*model, std::vector<double>{0.0, 1, 1, -0.0, 1, 1});
  EXPECT_EQ(model_->predicted, 2);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  ask(*model, std::vector<double>{nan, 1, 1});
  ask(*model, std::vector<double>{std::bit_cast<double>(0x7ff8000000000123), 1, 1, -nan, 1, 1});
  EXPECT_EQ(model_->predicted, 3);
}

TEST_F(PredictionCacheTest, does_not_keep_what_is_not_finite) {
  make();
  const auto model = cached();
  const std::vector<double> row = {1e308, 1e308, 0};
  ask(*model, row);
  ask(*model, row);
  EXPECT_EQ(model_->predicted, 2);
  EXPECT_EQ(entries_.kept.size(), 0);
}

TEST_F(PredictionCacheTest, goes_round_where_a_lookup_costs_more_than_the_prediction) {
  // Each look at the clock takes a millisecond, so that a lookup of 1,100 rows does; a prediction
  // of them takes that as well, and gives all but 10 µs back.
  clock_.step = 1'000'000;
  make(unchecked(), false);
  model_ = std::make_shared<FakeModel>(kFeatures, 2, -900, &clock_);
  const auto model = cached();
  for (std::size_t i = 0; i < 100; ++i) ask(*model, rows_of(1'100, i * 1'100));
  const auto state = access_->state();
  EXPECT_TRUE(state.bypass);
  EXPECT_THAT(state.bypass_reason, HasSubstr("a lookup costs"));
  EXPECT_GT(state.bypassed, 90'000);
}

TEST_F(PredictionCacheTest, gives_a_new_model_time_while_the_old_one_has_the_memory) {
  PredictionCacheOptions options = unchecked();
  options.memory_bytes_max = 1'000'000;
  make(options, false);
  clock_.step = 100'000;  // so that a lookup costs something, and far less than a prediction
  auto old = cached();
  ask(*old, rows_of(20'000));
  const auto fresh = cached(kTwo);
  for (std::size_t i = 0; i < 8; ++i) ask(*fresh, rows_of(1'024, i * 1'024));
  EXPECT_FALSE(access_->state().bypass) << access_->state().bypass_reason;
  old.reset();
  ask(*fresh, rows_of(10'000));
  ask(*fresh, rows_of(10'000));
  EXPECT_GE(access_->state().hits_local, 10'000U) << "it got what the old one had";
  // Once the memory is its own, and full, it is judged as any other.
  for (std::size_t i = 0; i < 8; ++i) ask(*fresh, rows_of(5'000, 100'000 + i * 5'000));
  EXPECT_TRUE(access_->state().bypass);
}

TEST_F(PredictionCacheTest, stays_within_its_memory_over_models) {
  PredictionCacheOptions options;
  options.memory_bytes_max = 1'000'000;
  make(options, false);
  const auto one = cached(kOne);
  const auto two = cached(kTwo);
  for (std::size_t i = 0; i < 100; ++i) {
    ask(*one, rows_of(1'000, i * 1'000));
    ask(*two, rows_of(1'000, i * 1'000));
  }
  record::CacheState first;
  record::CacheState second;
  cache_->of(kOne, kFeatures)->describe(first);
  cache_->of(kTwo, kFeatures)->describe(second);
  EXPECT_GT(first.bytes, 300'000);
  EXPECT_GT(second.bytes, 300'000);
  EXPECT_LE(first.bytes + second.bytes, 1'000'000);
}

// ---- what is shared ----

TEST_F(PredictionCacheTest, takes_over_what_another_process_has_predicted) {
  make();
  ask(*cached(), rows_of(700));
  EXPECT_EQ(entries_.kept.size(), 700);
  make();  // another process: nothing in memory
  const auto model = cached();
  ask(*model, rows_of(800));
  EXPECT_EQ(model_->predicted, 100);
  ask(*model, rows_of(800));
  EXPECT_EQ(model_->predicted, 100);
  const auto state = access_->state();
  EXPECT_EQ(state.hits_shared, 700);
  EXPECT_EQ(state.hits_local, 800);
  EXPECT_TRUE(state.shared.used);
}

TEST_F(PredictionCacheTest, never_gives_what_was_put_under_the_names_by_others) {
  make();
  ask(*cached(), rows_of(1'000));
  // Each entry under the name of the next; every third one changed in a bit, every fifth cut.
  std::string last = entries_.kept.rbegin()->second;
  int number = 0;
  for (auto& [name, bytes] : entries_.kept) {
    std::swap(bytes, last);
    if (number % 3 == 0) bytes[5] = static_cast<char>(bytes[5] ^ 1);
    if (number % 5 == 0) bytes.resize(static_cast<std::size_t>(number) % 25);
    ++number;
  }
  make();
  const auto model = cached();
  ask(*model, rows_of(1'000));
  EXPECT_EQ(model_->predicted, 1'000);
  EXPECT_EQ(access_->state().shared.refused, 1'000);
  ask(*model, rows_of(1'000));
}

TEST_F(PredictionCacheTest, asks_nobody_who_does_not_answer) {
  make();
  const auto model = cached();
  entries_.answers = false;
  ask(*model, rows_of(1'000));
  EXPECT_EQ(entries_.calls, 0);
  EXPECT_FALSE(access_->state().shared.used);
}

TEST_F(PredictionCacheTest, stops_asking_when_its_time_is_over) {
  make();
  const auto model = cached();
  entries_.before_answer = [&](std::size_t) { clock_.pass(Millis(3)); };
  const SteadyTime begun = clock_.steady();
  ask(*model, rows_of(10'000));
  EXPECT_EQ(entries_.calls, 2) << "after 3 ms there are 2 left, after 6 none";
  const auto took = std::chrono::duration_cast<Millis>(clock_.steady() - begun);
  EXPECT_LE(took, Millis(200 + 6)) << "the predictions take 200";
  EXPECT_EQ(model_->predicted, 10'000);
}

TEST_F(PredictionCacheTest, goes_round_redis_where_that_costs_more_than_it_saves) {
  make();
  const auto model = cached();
  entries_.before_answer = [&](std::size_t rows) {
    clock_.pass(30'000 * static_cast<double>(rows));  // a prediction takes 20,000
  };
  for (std::size_t i = 0; i < 100; ++i) ask(*model, rows_of(100, i * 100));
  const auto state = access_->state();
  EXPECT_TRUE(state.shared.bypass);
  EXPECT_THAT(state.shared.bypass_reason, HasSubstr("asking Redis costs 30 µs a row"));
  EXPECT_LT(state.shared.asked, 4'000);
  EXPECT_FALSE(state.bypass) << "what is in memory is found all the same";
}

// ---- the proof ----

TEST_F(PredictionCacheTest, checks_some_of_what_it_finds_and_ends_at_the_first_that_is_wrong) {
  PredictionCacheOptions options;
  options.check_local_every = 100;
  make(options);
  const auto model = cached();
  ask(*model, rows_of(50));
  for (int i = 0; i < 20; ++i) ask(*model, rows_of(50));
  EXPECT_EQ(access_->state().recomputed, 10);
  EXPECT_EQ(access_->state().mismatches, 0);
  // The same name for another model: what no sha256 lets happen.
  const auto other = std::make_shared<FakeModel>(kFeatures, 5);
  const auto wrong = access_->in_front_of(other, 1, kOne);
  std::vector<double> out(50);
  for (int i = 0; i < 2; ++i) wrong->predict(rows_of(50), out);
  EXPECT_EQ(access_->state().mismatches, 1);
  EXPECT_TRUE(access_->state().bypass);
  EXPECT_THAT(access_->state().bypass_reason, HasSubstr("not what the model says"));
  ask(*wrong, *other, rows_of(50));
  ask(*model, rows_of(50));
  EXPECT_EQ(access_->state().entries, 0);
}

TEST_F(PredictionCacheTest, answers_right_the_very_batch_in_which_it_finds_a_wrong_entry) {
  PredictionCacheOptions options;
  options.check_shared_every = 1;
  make(options);
  // Whoever has the secret can forge.
  const EntryKeys keys = entry_keys("thirty-two bytes are a good secret", "", kOne);
  for (std::size_t i = 0; i < 20; ++i) {
    const auto row = rows_of(1, i);
    entries_.kept[entry_name(keys, row)] = seal_entry(keys, row, 0.125);
  }
  ask(*cached(), rows_of(20));
  EXPECT_EQ(access_->state().mismatches, 1);
}

// ---- many at once ----

TEST(PredictionCacheThreads, all_get_what_the_model_says) {
  FakeEntries entries;
  PredictionCacheOptions options;
  options.memory_bytes_max = 100'000;
  PredictionCache cache(options, system_clock(), std::make_unique<LentEntries>(entries));
  const auto truth = std::make_shared<FakeModel>(kFeatures, 2);
  std::atomic<bool> wrong{false};
  std::vector<std::jthread> threads;
  for (std::size_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      CacheAccess access(cache);
      const auto model = access.in_front_of(truth, 1, thread % 2 ? kOne : kTwo);
      std::vector<double> out;
      for (std::size_t i = 0; i < 200; ++i) {
        const auto rows = rows_of(1 + i % 300, i * thread % 500);
        out.assign(rows.size() / kFeatures, 0);
        model->predict(rows, out);
        for (std::size_t j = 0; j < out.size(); ++j) {
          if (out[j] != truth->of(std::span(rows).subspan(j * kFeatures, kFeatures))) wrong = true;
        }
        access.state();
      }
    });
  }
  threads.clear();
  EXPECT_FALSE(wrong);
}

}  // namespace
}  // namespace weir::cache
