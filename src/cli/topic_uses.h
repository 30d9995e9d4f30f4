// What each role and command does with each of the pipeline's topics: the rights on topics that it
// needs where the brokers ask for one. docs/security.md tells them to users in a table that
// tests/e2e/test_security.py goes by.
//
// Threads: constants and pure functions. Errors: none.
#pragma once

#include "stream/broker.h"

namespace weir::cli {

inline constexpr stream::TopicUse kNotUsed{.describe = false};
inline constexpr stream::TopicUse kDescribed{};
inline constexpr stream::TopicUse kRead{.read = true};
inline constexpr stream::TopicUse kWritten{.write = true};
inline constexpr stream::TopicUse kReadAndWritten{.read = true, .write = true};

struct TopicUses {
  stream::TopicUse features = kNotUsed;
  stream::TopicUse predictions = kNotUsed;
  stream::TopicUse dead = kNotUsed;
  stream::TopicUse control = kNotUsed;
  stream::TopicUse members = kNotUsed;
  stream::TopicUse swaps = kNotUsed;
  stream::TopicUse actuals = kNotUsed;
};

// Predictions and dead letters: whether any came while the stream was halted.
inline constexpr TopicUses kTrainerUses{
    .predictions = kRead, .dead = kRead, .control = kReadAndWritten, .members = kReadAndWritten};
// Predictions and dead letters are read where the group has no offsets: was there ever an answer?
inline constexpr TopicUses kScorerUses{.features = kRead,
                                       .predictions = kReadAndWritten,
                                       .dead = kReadAndWritten,
                                       .control = kRead,
                                       .members = kWritten,
                                       .swaps = kWritten};
inline constexpr TopicUses kProducerUses{
    .features = kWritten, .control = kRead, .members = kWritten};
inline constexpr TopicUses kLiveViewUses{.predictions = kRead, .dead = kRead, .control = kRead};
// The features are read for the ids in them, written for who pushes.
inline constexpr TopicUses kGatewayUses{.features = kReadAndWritten,
                                        .predictions = kRead,
                                        .dead = kRead,
                                        .control = kRead,
                                        .members = kReadAndWritten,
                                        .actuals = kWritten};
inline constexpr TopicUses kControlReaderUses{.control = kRead};
inline constexpr TopicUses kReignsUses{.control = kRead, .swaps = kRead};
inline constexpr TopicUses kRollbackUses{.control = kRead, .members = kWritten};
inline constexpr TopicUses kWatcherUses{.features = kRead,
                                        .predictions = kRead,
                                        .control = kRead,
                                        .members = kReadAndWritten,
                                        .actuals = kRead};
inline constexpr TopicUses kTrainNowUses{.control = kRead, .members = kReadAndWritten};
inline constexpr TopicUses kStatusUses{.features = kDescribed, .control = kRead, .members = kRead};
inline constexpr TopicUses kTopUses{
    .features = kRead, .predictions = kRead, .dead = kRead, .control = kRead, .members = kRead};
inline constexpr TopicUses kDoctorUses{.features = kDescribed,
                                       .predictions = kDescribed,
                                       .dead = kDescribed,
                                       .control = kRead,
                                       .members = kDescribed,
                                       .swaps = kDescribed};

// What does both needs both.
constexpr stream::TopicUse operator|(stream::TopicUse a, stream::TopicUse b) {
  return {a.describe || b.describe, a.read || b.read, a.write || b.write};
}
constexpr TopicUses operator|(const TopicUses& a, const TopicUses& b) {
  return {a.features | b.features, a.predictions | b.predictions, a.dead | b.dead,
          a.control | b.control,   a.members | b.members,         a.swaps | b.swaps,
          a.actuals | b.actuals};
}

}  // namespace weir::cli
