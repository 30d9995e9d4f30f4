// How good a model's predictions are, once the true values have come: predictions and true values
// joined by id, whichever comes first, and RMSE and MAE over the last that were joined.
//
// What waits for its other half is bounded in number and in time. Where more would wait, only every
// second id is followed, then every fourth and so on, chosen by a hash of the id, so that either
// half of a pair is kept or neither; as room comes, more are followed again.
//
// An id that comes again before its other half has come takes the place of the one before. Of a
// pair that was joined the true value is remembered for as long as there is room: where the same
// comes again, it is the same one, and no half that waits for ever.
//
// Owner: one role. Threads: one. Errors: none.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"

namespace weir::watch {

struct LiveAccuracyLimits {
  std::size_t waiting_max = 100'000;  // halves
  Millis waiting_time_max{24 * 3'600'000};
  std::size_t window = 1'000;  // pairs
};

class LiveAccuracy {
 public:
  static constexpr std::size_t kIdBytesMax = 1'000;  // longer ids are not followed

  explicit LiveAccuracy(LiveAccuracyLimits limits) : limits_(limits) {}

  void add_prediction(std::string_view id, double value, SteadyTime now);
  void add_actual(std::string_view id, double value, SteadyTime now);
  // Another model rules: what it says is not to be mixed with what the last one said.
  void clear();

  // Whether this id is followed at present; cheap.
  bool follows(std::string_view id) const;
  std::uint64_t joined() const { return joined_; }      // since clear()
  std::size_t pairs() const { return errors_.size(); }  // behind the figures
  std::size_t waiting() const { return halves_.size() - remembered_; }
  // 1: every id is followed; 2: every second; and so on.
  std::uint64_t one_in() const { return std::uint64_t{1} << level_; }
  double rmse() const;  // 0 where there are no pairs
  double mae() const;

 private:
  enum class Side { kPrediction, kActual, kJoined };
  struct Half {
    double value;  // of a joined pair: the true one
    Side side;
    std::uint64_t number;  // which of the arrivals
  };
  struct Arrival {
    SteadyTime at;
    std::uint64_t number;
    std::string id;
  };
  void add(std::string_view id, double value, Side side, SteadyTime now);
  void join(Half& half, double value, Side side);
  void forget(const std::string& id);
  void make_room(SteadyTime now);
  void thin_out(bool row_is_long);
  const Half* half_of(const Arrival& arrival) const;

  const LiveAccuracyLimits limits_;
  std::unordered_map<std::string, Half> halves_;
  std::size_t remembered_ = 0;    // of them, those joined
  std::deque<Arrival> arrivals_;  // by time; some are no longer in halves_
  std::uint64_t arrived_ = 0;
  int level_ = 0;
  std::vector<double> errors_;  // a ring once it is full
  std::size_t next_ = 0;
  std::uint64_t joined_ = 0;
};

}  // namespace weir::watch
