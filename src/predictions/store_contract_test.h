// The stores that the contract suite runs against, and what its tests are made of.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

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

}  // namespace weir::predictions
