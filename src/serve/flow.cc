#include "serve/flow.h"

#include <algorithm>
#include <cmath>

namespace weir::serve {
namespace {

std::int64_t ms_of(WallTime time) { return time.time_since_epoch().count(); }

double seconds(std::int64_t ms) { return static_cast<double>(ms) / 1000; }

}  // namespace

std::size_t Flow::bucket_of(std::int64_t ms) {
  if (ms <= 1) return 0;
  const auto bucket = static_cast<std::size_t>(std::ceil(4 * std::log2(static_cast<double>(ms))));
  return std::min(bucket, kBuckets - 1);
}

std::optional<double> Flow::percentile(const Histogram& times, double share) {
  std::uint64_t count = 0;
  for (const std::uint32_t in_bucket : times) count += in_bucket;
  if (count == 0) return std::nullopt;
  const auto wanted = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count))));
  std::uint64_t below = 0;
  std::size_t bucket = 0;
  while ((below += times[bucket]) < wanted) ++bucket;
  return std::exp2(static_cast<double>(bucket) / 4) / 1000;
}

Flow::Slot* Flow::slot_at(std::int64_t ms) {
  const std::int64_t number = ms / kStep.count();
  Slot& slot = slots_[static_cast<std::size_t>(number) % kSteps];
  if (number < slot.number) return nullptr;
  if (number > slot.number) {
    slot = Slot();
    slot.number = number;
  }
  return &slot;
}

void Flow::wait(const predictions::FeatureRecord& record) {
  const std::int64_t offset = record.place.offset;
  if ((offset & followed_mask_) != 0) return;
  auto& queue = waiting_[record.place.partition];
  // A topic that was made anew, or a store that is filled again, begins at the beginning.
  if (!queue.empty() && queue.back().offset >= offset) {
    waiting_count_ -= queue.size();
    queue.clear();
  }
  queue.push_back({offset, record.arrived_ms});
  ++waiting_count_;
  while (waiting_count_ > waiting_max_ && followed_mask_ < (std::int64_t{1} << 40)) halve();
}

void Flow::halve() {
  followed_mask_ = followed_mask_ * 2 + 1;
  waiting_count_ = 0;
  for (auto& [partition, queue] : waiting_) {
    std::erase_if(queue, [&](const Waiting& at) { return (at.offset & followed_mask_) != 0; });
    waiting_count_ += queue.size();
  }
}

// Answers come in the order of a partition's records: what lies below has none to come.
std::optional<std::int64_t> Flow::arrival_of(const predictions::Place& place) {
  const auto found = waiting_.find(place.partition);
  if (found == waiting_.end()) return std::nullopt;
  auto& queue = found->second;
  std::optional<std::int64_t> arrived;
  while (!queue.empty() && queue.front().offset <= place.offset) {
    if (queue.front().offset == place.offset) arrived = queue.front().arrived_ms;
    queue.pop_front();
    --waiting_count_;
  }
  if (waiting_count_ == 0) followed_mask_ = 0;
  return arrived;
}

void Flow::take(const predictions::Batch& batch) {
  const std::lock_guard lock(mutex_);
  for (const auto& record : batch.records) {
    if (Slot* slot = slot_at(record.arrived_ms)) ++slot->step.arrived;
    wait(record);
  }
  // Each topic of answers keeps the order of a partition; the two together do not.
  std::vector<const predictions::Answer*> answers;
  answers.reserve(batch.answers.size());
  for (const auto& answer : batch.answers) answers.push_back(&answer);
  std::stable_sort(answers.begin(), answers.end(),
                   [](const auto* a, const auto* b) { return a->of < b->of; });
  for (const predictions::Answer* answer : answers) {
    const auto arrived = arrival_of(answer->of);
    Slot* slot = slot_at(answer->answered_ms);
    if (!slot) continue;
    ++(answer->dead ? slot->step.dead : slot->step.predicted);
    if (arrived) ++slot->times[bucket_of(answer->answered_ms - *arrived)];
  }
}

void Flow::note_lag(std::int64_t records) {
  const std::lock_guard lock(mutex_);
  lag_ = records;
  if (Slot* slot = slot_at(ms_of(clock_.wall()))) slot->step.lag = records;
}

void Flow::clear() {
  const std::lock_guard lock(mutex_);
  for (Slot& slot : slots_) {
    FlowStep lag_alone;
    lag_alone.lag = slot.step.lag;
    slot.step = lag_alone;
    slot.times = {};
  }
  waiting_.clear();
  waiting_count_ = 0;
  followed_mask_ = 0;
}

FlowFigures Flow::figures() const {
  const std::int64_t now = ms_of(clock_.wall());
  const std::int64_t last = now / kStep.count();
  const std::int64_t first = last - static_cast<std::int64_t>(kSteps) + 1;
  FlowFigures figures;
  figures.steps_from = WallTime(Millis(first * kStep.count()));
  figures.steps.resize(kSteps);
  Histogram lately{};
  std::uint64_t answers = 0;
  FlowStep rate;
  const std::lock_guard lock(mutex_);
  figures.lag = lag_;
  for (std::int64_t number = first; number <= last; ++number) {
    const Slot& slot = slots_[static_cast<std::size_t>(number) % kSteps];
    if (slot.number != number) continue;
    FlowStep& step = figures.steps[static_cast<std::size_t>(number - first)];
    step = slot.step;
    step.p50_s = percentile(slot.times, 0.5);
    step.p95_s = percentile(slot.times, 0.95);
    if (number > last - static_cast<std::int64_t>(kAnswerTimeSteps)) {
      for (std::size_t i = 0; i < kBuckets; ++i) {
        lately[i] += slot.times[i];
        answers += slot.times[i];
      }
    }
    if (number >= last - static_cast<std::int64_t>(kRateSteps)) {
      rate.arrived += step.arrived;
      rate.predicted += step.predicted;
      rate.dead += step.dead;
    }
  }
  const std::int64_t since = (last - static_cast<std::int64_t>(kRateSteps)) * kStep.count();
  const double taken = seconds(now - since);
  figures.arrived_per_s = static_cast<double>(rate.arrived) / taken;
  figures.predicted_per_s = static_cast<double>(rate.predicted) / taken;
  figures.dead_per_s = static_cast<double>(rate.dead) / taken;
  if (const auto p50 = percentile(lately, 0.5)) {
    figures.answer_times =
        AnswerTimes{answers, *p50, *percentile(lately, 0.95), *percentile(lately, 0.99)};
  }
  return figures;
}

std::size_t Flow::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_count_;
}

}  // namespace weir::serve
