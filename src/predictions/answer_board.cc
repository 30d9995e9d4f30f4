#include "predictions/answer_board.h"

#include <algorithm>

namespace weir::predictions {

std::vector<SharedAnswer> Watcher::take(std::size_t count_max) {
  const std::lock_guard lock(mutex_);
  const std::size_t count = std::min(count_max, queue_.size());
  const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<SharedAnswer> taken(std::make_move_iterator(queue_.begin()),
                                  std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  return taken;
}

bool Watcher::cut_off() const {
  const std::lock_guard lock(mutex_);
  return cut_off_;
}

// Whether it is to be told.
bool Watcher::put(std::span<const SharedAnswer> answers) {
  const std::lock_guard lock(mutex_);
  if (cut_off_ || answers.empty()) return false;
  if (queue_.size() + answers.size() > queued_max_) {
    cut_off_ = true;
    return true;
  }
  const bool was_empty = queue_.empty();
  queue_.insert(queue_.end(), answers.begin(), answers.end());
  return was_empty;
}

std::size_t AnswerBoard::PlaceHash::operator()(const Place& place) const {
  const auto offset = static_cast<std::uint64_t>(place.offset);
  return std::hash<std::uint64_t>()(offset * 0x9e3779b97f4a7c15ULL +
                                    static_cast<std::uint64_t>(place.partition));
}

Result<std::shared_ptr<Watcher>> AnswerBoard::watch(std::function<void()> on_news) {
  const std::lock_guard lock(mutex_);
  std::erase_if(watchers_, [](const auto& watcher) { return watcher.expired(); });
  if (watchers_.size() >= limits_.watchers_max) {
    return fail(Code::kExhausted,
                std::to_string(limits_.watchers_max) + " watch the predictions already");
  }
  std::shared_ptr<Watcher> watcher(new Watcher(std::move(on_news), limits_.queued_max));
  watchers_.push_back(watcher);
  return watcher;
}

Result<AnswerBoard::WaitId> AnswerBoard::wait_for(const Place& place,
                                                  std::function<void(const SharedAnswer&)> done) {
  const std::lock_guard lock(mutex_);
  if (waits_.size() >= limits_.waits_max) {
    return fail(Code::kExhausted,
                std::to_string(limits_.waits_max) + " records are waited for already");
  }
  const WaitId id = next_wait_++;
  waits_.emplace(place, Wait{id, std::move(done)});
  places_.emplace(id, place);
  return id;
}

void AnswerBoard::cancel(WaitId wait) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(wait);
  if (place == places_.end()) return;
  const auto [first, last] = waits_.equal_range(place->second);
  const auto found =
      std::find_if(first, last, [&](const auto& entry) { return entry.second.id == wait; });
  if (found != last) waits_.erase(found);
  places_.erase(place);
}

std::size_t AnswerBoard::watchers() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count_if(
      watchers_.begin(), watchers_.end(), [](const auto& watcher) { return !watcher.expired(); }));
}

std::size_t AnswerBoard::waits() const {
  const std::lock_guard lock(mutex_);
  return waits_.size();
}

void AnswerBoard::begin(bool dead, const std::map<std::int32_t, std::int64_t>& offsets, bool anew) {
  const std::lock_guard lock(mutex_);
  if (anew) {
    std::erase_if(announced_, [&](const auto& entry) { return entry.first.first == dead; });
  }
  for (const auto& [partition, offset] : offsets) {
    announced_.try_emplace({dead, partition}, offset);
  }
}

void AnswerBoard::announce(std::vector<Answer> answers) {
  std::vector<SharedAnswer> news;
  std::vector<std::pair<std::function<void(const SharedAnswer&)>, SharedAnswer>> waited_for;
  std::vector<std::shared_ptr<Watcher>> watchers;
  {
    const std::lock_guard lock(mutex_);
    for (Answer& answer : answers) {
      std::int64_t& next = announced_[{answer.dead, answer.at.partition}];
      const bool is_new = answer.at.offset >= next;
      const auto [first, last] = waits_.equal_range(answer.of);
      if (!is_new && first == last) continue;
      const auto shared = std::make_shared<const Answer>(std::move(answer));
      for (auto wait = first; wait != last; ++wait) {
        places_.erase(wait->second.id);
        waited_for.emplace_back(std::move(wait->second.done), shared);
      }
      waits_.erase(first, last);
      if (!is_new) continue;
      next = shared->at.offset + 1;
      news.push_back(shared);
    }
    for (const auto& weak : watchers_) {
      if (auto watcher = weak.lock()) watchers.push_back(std::move(watcher));
    }
  }
  for (const auto& [done, answer] : waited_for) done(answer);
  for (const auto& watcher : watchers) {
    if (watcher->put(news) && watcher->on_news_) watcher->on_news_();
  }
}

}  // namespace weir::predictions
