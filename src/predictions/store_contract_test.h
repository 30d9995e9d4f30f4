// The stores that the contract suite runs against, and what its tests are made of.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "predictions/prediction_store.h"

namespace weir::predictions {

// A place that a store keeps its content in, over the lives of the store.
class StoreHome {
 public:
  virtual ~StoreHome() = default;
  // Another life of the same store; the one before is gone.
  virtual std::unique_ptr<PredictionStore> open() = 0;
  // Its content is gone, by another hand, while it is open.
  virtual void lose_all() = 0;
};

std::unique_ptr<StoreHome> make_sqlite_home();
// nullptr where this machine has no redis-server.
std::unique_ptr<StoreHome> make_redis_home();

inline FeatureRecord record_at(std::int32_t partition, std::int64_t offset,
                               std::optional<std::string> id, std::int64_t arrived_ms,
                               std::string features = "{\"x\": 1}") {
  return {{partition, offset}, std::move(id), std::move(features), arrived_ms};
}

inline Answer prediction_of(std::int32_t partition, std::int64_t offset, std::string value,
                            std::uint64_t model = 1, std::int64_t answered_ms = 2'000) {
  Answer answer;
  answer.of = {partition, offset};
  answer.prediction = std::move(value);
  answer.model = model;
  answer.epoch = model;
  answer.at = {partition, offset};
  answer.answered_ms = answered_ms;
  return answer;
}

inline Answer letter_about(std::int32_t partition, std::int64_t offset, std::string reason) {
  Answer answer;
  answer.of = {partition, offset};
  answer.dead = true;
  answer.reason = std::move(reason);
  answer.message = "in words";
  answer.at = {partition, offset};
  answer.answered_ms = 2'000;
  return answer;
}

// Fails the test, with the words of the error, where it is one.
#define WEIR_ASSERT_OK(expression)                             \
  do {                                                         \
    const auto& weir_result = (expression);                    \
    ASSERT_TRUE(weir_result) << weir_result.error().message(); \
  } while (false)

inline std::string store_name(const ::testing::TestParamInfo<std::string>& info) {
  return info.param;
}

// Until nothing more goes. How many went.
inline std::uint64_t drop_all(PredictionStore& store, std::int64_t before_ms,
                              std::uint64_t records_max) {
  std::uint64_t all = 0;
  for (int calls = 0; calls < 1'000; ++calls) {
    const auto dropped = store.drop(before_ms, records_max);
    EXPECT_TRUE(dropped) << dropped.error().message();
    if (!dropped || *dropped == 0) return all;
    all += *dropped;
  }
  ADD_FAILURE() << "there is no end of what is dropped";
  return all;
}

// The base of the suites: TEST_P over the stores.
class PredictionStoreContract : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    home_ = GetParam() == "sqlite" ? make_sqlite_home() : make_redis_home();
    if (!home_) GTEST_SKIP() << "no redis-server on this machine";
    reopen();
  }

  void reopen() {
    store_.reset();
    store_ = home_->open();
    ASSERT_TRUE(store_);
    WEIR_ASSERT_OK(store_->positions());
  }

  void apply(std::vector<FeatureRecord> records, std::vector<Answer> answers = {}) {
    Batch batch;
    batch.records = std::move(records);
    batch.answers = std::move(answers);
    WEIR_ASSERT_OK(store_->apply(batch));
  }

  // Records 0 to count - 1 of partition 0, a second apart, with the ids r0, r1, …
  void fill(std::int64_t count, std::int64_t from = 0) {
    std::vector<FeatureRecord> records;
    for (std::int64_t i = from; i < from + count; ++i) {
      records.push_back(record_at(0, i, "r" + std::to_string(i), 1'000 * i));
    }
    apply(std::move(records));
  }

  std::vector<std::int64_t> offsets(const ListQuery& query) {
    const auto page = store_->list(query);
    EXPECT_TRUE(page) << page.error().message();
    std::vector<std::int64_t> found;
    if (page) {
      for (const Kept& kept : page->items) found.push_back(kept.place.offset);
    }
    return found;
  }

  std::uint64_t count() {
    const auto stats = store_->stats();
    EXPECT_TRUE(stats) << stats.error().message();
    return stats ? stats->records : 0;
  }

  std::unique_ptr<StoreHome> home_;
  std::unique_ptr<PredictionStore> store_;
};

}  // namespace weir::predictions
