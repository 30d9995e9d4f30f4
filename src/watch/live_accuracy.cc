#include "watch/live_accuracy.h"

#include <algorithm>
#include <cmath>

namespace weir::watch {
namespace {

constexpr int kLevelMax = 40;

// FNV-1a, then mixed, so that the low bits of ids that differ by a digit are as good as random.
std::uint64_t hash_of(std::string_view id) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : id) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccd;
  return hash ^ hash >> 33;
}

}  // namespace

bool LiveAccuracy::follows(std::string_view id) const {
  return !id.empty() && id.size() <= kIdBytesMax && hash_of(id) % one_in() == 0;
}

void LiveAccuracy::add_prediction(std::string_view id, double value, SteadyTime now) {
  add(id, value, Side::kPrediction, now);
}

void LiveAccuracy::add_actual(std::string_view id, double value, SteadyTime now) {
  add(id, value, Side::kActual, now);
}

void LiveAccuracy::add(std::string_view id, double value, Side side, SteadyTime now) {
  if (!follows(id)) return;
  std::string key(id);
  if (const auto there = halves_.find(key); there != halves_.end()) {
    Half& half = there->second;
    if (half.side == Side::kJoined) {
      if (side == Side::kActual && value == half.value) return;  // the same, sent again
      forget(key);  // the id is used for another record
    } else if (half.side != side) {
      return join(half, value, side);
    }
  }
  make_room(now);
  if (!follows(id)) return;  // that is how room was made
  ++arrived_;
  halves_[key] = {value, side, arrived_};
  arrivals_.push_back({now, arrived_, std::move(key)});
}

void LiveAccuracy::join(Half& half, double value, Side side) {
  const double error = value - half.value;
  ++joined_;
  if (errors_.size() < limits_.window) {
    errors_.push_back(error);
  } else {
    errors_[next_] = error;
    next_ = (next_ + 1) % limits_.window;
  }
  if (side == Side::kActual) half.value = value;
  half.side = Side::kJoined;
  ++remembered_;
}

void LiveAccuracy::forget(const std::string& id) {
  const auto half = halves_.find(id);
  if (half->second.side == Side::kJoined) --remembered_;
  halves_.erase(half);
}

// Null where the id has come again since, or was forgotten.
const LiveAccuracy::Half* LiveAccuracy::half_of(const Arrival& arrival) const {
  const auto half = halves_.find(arrival.id);
  if (half == halves_.end() || half->second.number != arrival.number) return nullptr;
  return &half->second;
}

void LiveAccuracy::make_room(SteadyTime now) {
  while (!arrivals_.empty()) {
    const bool is_there = half_of(arrivals_.front()) != nullptr;
    if (is_there && now - arrivals_.front().at <= limits_.waiting_time_max) break;
    if (is_there) forget(arrivals_.front().id);
    arrivals_.pop_front();
  }
  if (level_ > 0 && waiting() < limits_.waiting_max / 4) --level_;
  // Those that are joined are still in the row: that is memory, too.
  const bool row_is_long = arrivals_.size() >= 2 * limits_.waiting_max;
  if (waiting() >= limits_.waiting_max || row_is_long) thin_out(row_is_long);
}

// So much at a time that it is seldom done.
void LiveAccuracy::thin_out(bool row_is_long) {
  if (waiting() >= limits_.waiting_max && level_ < kLevelMax) ++level_;
  std::size_t joined_to_forget = row_is_long ? limits_.waiting_max / 2 + 1 : 0;
  std::erase_if(arrivals_, [&](const Arrival& arrival) {
    const Half* half = half_of(arrival);
    if (!half) return true;
    bool keep = follows(arrival.id);
    if (keep && half->side == Side::kJoined && joined_to_forget > 0) {
      --joined_to_forget;
      keep = false;
    }
    if (!keep) forget(arrival.id);
    return !keep;
  });
}

void LiveAccuracy::clear() {
  halves_.clear();
  remembered_ = 0;
  arrivals_.clear();
  errors_.clear();
  next_ = 0;
  joined_ = 0;
  level_ = 0;
}

double LiveAccuracy::rmse() const {
  double sum = 0;
  for (const double error : errors_) sum += error * error;
  return errors_.empty() ? 0 : std::sqrt(sum / static_cast<double>(errors_.size()));
}

double LiveAccuracy::mae() const {
  double sum = 0;
  for (const double error : errors_) sum += std::abs(error);
  return errors_.empty() ? 0 : sum / static_cast<double>(errors_.size());
}

}  // namespace weir::watch
