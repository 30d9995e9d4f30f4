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
  add(id, value, false, now);
}

void LiveAccuracy::add_actual(std::string_view id, double value, SteadyTime now) {
  add(id, value, true, now);
}

void LiveAccuracy::add(std::string_view id, double value, bool is_actual, SteadyTime now) {
  if (!follows(id)) return;
  std::string key(id);
  const auto other = halves_.find(key);
  if (other != halves_.end() && other->second.is_actual != is_actual) {
    const double error = value - other->second.value;
    halves_.erase(other);
    ++joined_;
    if (errors_.size() < limits_.window) {
      errors_.push_back(error);
    } else {
      errors_[next_] = error;
      next_ = (next_ + 1) % limits_.window;
    }
    return;
  }
  make_room(now);
  if (!follows(id)) return;  // that is how room was made
  ++arrived_;
  halves_[key] = {value, is_actual, arrived_};
  arrivals_.push_back({now, arrived_, std::move(key)});
}

void LiveAccuracy::make_room(SteadyTime now) {
  const auto is_waiting = [this](const Arrival& arrival) {
    const auto half = halves_.find(arrival.id);
    return half != halves_.end() && half->second.number == arrival.number;
  };
  while (!arrivals_.empty()) {
    const bool waits = is_waiting(arrivals_.front());
    if (waits && now - arrivals_.front().at <= limits_.waiting_time_max) break;
    if (waits) halves_.erase(arrivals_.front().id);
    arrivals_.pop_front();
  }
  if (level_ > 0 && halves_.size() < limits_.waiting_max / 4) --level_;
  // Half of them are joined and still in the row: that is memory, too.
  const bool row_is_long = arrivals_.size() >= 2 * limits_.waiting_max;
  if (halves_.size() < limits_.waiting_max && !row_is_long) return;
  if (halves_.size() >= limits_.waiting_max && level_ < kLevelMax) ++level_;
  std::erase_if(arrivals_, [&](const Arrival& arrival) {
    if (!is_waiting(arrival)) return true;
    if (follows(arrival.id)) return false;
    halves_.erase(arrival.id);
    return true;
  });
}

void LiveAccuracy::clear() {
  halves_.clear();
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
