#include "audit/feature_window.h"

#include <algorithm>

namespace weir::audit {
namespace {

constexpr std::size_t kBatchRecordsMax = 2'000;

FeatureRecord record_of(const stream::RecordBatch& batch, std::size_t index) {
  const stream::Record& record = batch.records()[index];
  return {record.key, record.value, record.value.data() == nullptr,
          [&batch, index] { return batch.headers(index); }};
}

}  // namespace

FeatureWindow::FeatureWindow(stream::TopicHistory& history, stream::PartitionSpan span,
                             Millis timeout, FeatureWindowLimits limits)
    : history_(history),
      span_(span),
      timeout_(timeout),
      limits_(limits),
      there_(static_cast<std::size_t>(std::max<std::int64_t>(span.end - span.begin, 0))),
      answered_(there_.size()),
      next_(span.begin) {}

Status FeatureWindow::read_on() {
  std::shared_ptr<const stream::RecordBatch> batch =
      WEIR_TRY(history_.next(span_.partition, kBatchRecordsMax, timeout_));
  const auto records = batch->records();
  if (records.empty()) {
    ended_ = true;
    next_ = span_.end;
    return {};
  }
  for (std::size_t i = 0; i < records.size(); ++i) {
    there_[index_of(records[i].offset)] = true;
    window_.push_back({batch, i, records[i].offset, records[i].timestamp_ms, false});
  }
  records_ += records.size();
  next_ = records.back().offset + 1;
  while (window_.size() > limits_.window_records_max) retire_front();
  return {};
}

// Takes the oldest record out of the window; one that waits for its answer is kept as a copy.
void FeatureWindow::retire_front() {
  const Slot& slot = window_.front();
  if (!slot.answered) {
    Straggler& straggler = stragglers_[slot.offset];
    straggler.timestamp_ms = slot.timestamp_ms;
    const stream::Record& record = slot.batch->records()[slot.index];
    const std::size_t bytes = record.value.size() + (record.key ? record.key->size() : 0);
    straggler.kept = straggler_bytes_ + bytes <= limits_.straggler_bytes_max;
    if (straggler.kept) {
      straggler_bytes_ += bytes;
      if (record.key) straggler.key.emplace(*record.key);
      straggler.value.assign(record.value);
      straggler.tombstone = record.value.data() == nullptr;
      straggler.headers = slot.batch->headers(slot.index);
    }
  }
  window_.pop_front();
}

Result<FeatureWindow::Match> FeatureWindow::answer(std::int64_t offset, const Compare& compare) {
  if (offset < span_.begin) return Match::kOutside;
  if (offset >= span_.end) return Match::kAbsent;
  while (offset >= next_ && !ended_) WEIR_TRY(read_on());
  if (!there_[index_of(offset)]) return Match::kAbsent;
  if (answered_[index_of(offset)]) return Match::kAgain;
  answered_[index_of(offset)] = true;
  const auto slot =
      std::lower_bound(window_.begin(), window_.end(), offset,
                       [](const Slot& one, std::int64_t wanted) { return one.offset < wanted; });
  if (slot == window_.end() || slot->offset != offset) {
    compare_straggler(offset, compare);
    return Match::kFirst;
  }
  compare(record_of(*slot->batch, slot->index));
  slot->answered = true;
  while (!window_.empty() && window_.front().answered) window_.pop_front();
  return Match::kFirst;
}

void FeatureWindow::compare_straggler(std::int64_t offset, const Compare& compare) {
  const auto found = stragglers_.find(offset);
  if (found == stragglers_.end() || !found->second.kept) {
    ++not_compared_;
  } else {
    const Straggler& straggler = found->second;
    FeatureRecord record;
    if (straggler.key) record.key = *straggler.key;
    record.value = straggler.value;
    record.tombstone = straggler.tombstone;
    record.headers = [&straggler] { return straggler.headers; };
    compare(record);
    straggler_bytes_ -= straggler.value.size() + (straggler.key ? straggler.key->size() : 0);
  }
  if (found != stragglers_.end()) stragglers_.erase(found);
}

Status FeatureWindow::finish(const Unanswered& unanswered) {
  const auto tell_window = [&] {
    for (const Slot& slot : window_) {
      if (!slot.answered) unanswered(slot.offset, slot.timestamp_ms);
    }
    window_.clear();
  };
  for (const auto& [offset, straggler] : stragglers_) unanswered(offset, straggler.timestamp_ms);
  stragglers_.clear();
  tell_window();
  while (!ended_) {
    WEIR_TRY(read_on());
    tell_window();
  }
  return {};
}

}  // namespace weir::audit
