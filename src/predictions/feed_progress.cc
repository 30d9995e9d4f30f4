#include "predictions/feed_progress.h"

#include <algorithm>

namespace weir::predictions {

bool FeedProgress::caught_up_to(const std::string& topic,
                                std::span<const stream::PartitionOffset> ends) const {
  const std::lock_guard lock(mutex_);
  const auto found = reached_.find(topic);
  if (found == reached_.end()) return false;
  const auto& positions = found->second;
  return std::all_of(ends.begin(), ends.end(), [&](const stream::PartitionOffset& end) {
    const auto index = static_cast<std::size_t>(end.partition);
    return index < positions.size() ? positions[index].next >= end.next_offset
                                    : end.next_offset == 0;
  });
}

std::vector<TopicLag> FeedProgress::lag() const {
  const std::lock_guard lock(mutex_);
  std::vector<TopicLag> lags;
  for (const auto& [topic, positions] : reached_) {
    TopicLag& lag = lags.emplace_back();
    lag.topic = topic;
    for (const auto& at : positions) {
      lag.behind += std::max<std::int64_t>(0, at.end.value_or(0) - at.next);
    }
  }
  return lags;
}

std::optional<Error> FeedProgress::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void FeedProgress::applied(std::uint64_t records, std::uint64_t answers) {
  records_ += records;
  answers_ += answers;
}

void FeedProgress::reached(const std::string& topic,
                           std::vector<stream::PartitionPosition> positions) {
  const std::lock_guard lock(mutex_);
  reached_[topic] = std::move(positions);
}

bool FeedProgress::set_trouble(const Error& error) {
  const std::lock_guard lock(mutex_);
  const bool news = !trouble_ || trouble_->code() != error.code();
  trouble_ = error;
  return news;
}

bool FeedProgress::clear_trouble() {
  const std::lock_guard lock(mutex_);
  const bool had = trouble_.has_value();
  trouble_.reset();
  return had;
}

void FeedProgress::reset() {
  ++generation_;
  const std::lock_guard lock(mutex_);
  reached_.clear();
}

}  // namespace weir::predictions
