#include <algorithm>
#include <utility>

#include "stream/memory_cluster_internal.h"
#include "stream/memory_record_batch_internal.h"
#include "stream/start_offset.h"

namespace weir::stream::memory {
namespace {

class MemoryRecordSource final : public RecordSource {
 public:
  MemoryRecordSource(std::shared_ptr<Cluster> cluster, std::shared_ptr<Process> process,
                     const std::string& topic, const std::string& group, const std::string& member,
                     RebalanceListener& listener, std::vector<std::string> evidence)
      : cluster_(cluster),
        listener_(listener),
        evidence_(std::move(evidence)),
        membership_(cluster, std::move(process), topic, group, member, true) {}

  Result<std::unique_ptr<RecordBatch>> poll(std::size_t records_max, Millis timeout) override {
    std::unique_lock lock(cluster_->mutex);
    if (closed_) return fail(Code::kInvalidArgument, "the source is closed");
    const SteadyTime deadline = cluster_->clock.steady() + timeout;
    auto batch = std::make_unique<MemoryRecordBatch>();
    do {
      cluster_->sweep();
      if (auto status = usable(); !status) return fail(status.error());
      WEIR_TRY(keep_up_membership(lock));
      // The listener ran without the lock: the world may have changed.
      if (auto status = usable(); !status) return fail(status.error());
      if (!paused_) WEIR_TRY(fetch(records_max, *batch));
    } while (batch->records().empty() && cluster_->wait(lock, deadline));
    batch->set_group(membership_.metadata());
    return batch;
  }

  void set_paused(bool paused) override { paused_ = paused; }

  Status rewind_to_committed() override {
    const std::lock_guard lock(cluster_->mutex);
    cluster_->sweep();
    if (auto status = usable(); !status) return status;
    WEIR_TRY(look_for_pending(assignment()));
    for (auto& [partition, position] : positions_) {
      const auto at = cluster_->committed.find(committed_key(partition));
      position.next = at == cluster_->committed.end() ? position.began : at->second;
      position.at_end = false;
    }
    return {};
  }

  std::vector<std::int32_t> assignment() const override {
    std::vector<std::int32_t> partitions;
    for (const auto& [partition, position] : positions_) partitions.push_back(partition);
    return partitions;
  }

  std::vector<PartitionPosition> positions() const override {
    const std::lock_guard lock(cluster_->mutex);
    const auto& logs = cluster_->topics.at(membership_.topic()).partitions;
    std::vector<PartitionPosition> found;
    for (const auto& [partition, position] : positions_) {
      found.push_back({partition, position.next, logs.at(static_cast<std::size_t>(partition)).end});
    }
    return found;
  }

  bool at_end() const override {
    return !dealt_ && !positions_.empty() &&
           std::all_of(positions_.begin(), positions_.end(),
                       [](const auto& at) { return at.second.at_end; });
  }

  void close() override {
    std::unique_lock lock(cluster_->mutex);
    if (closed_ || membership_.process().dead()) return;
    cluster_->sweep();
    const std::vector<std::int32_t> held = assignment();
    if (!held.empty()) {
      lock.unlock();
      listener_.on_revoked(held);
      lock.lock();
    }
    positions_.clear();
    membership_.leave();
    closed_ = true;
  }

 private:
  struct Position {
    std::int64_t began = 0;
    std::int64_t next = 0;
    bool at_end = false;
  };

  Status usable() const { return cluster_->usable(membership_.process(), membership_.topic()); }

  std::pair<std::string, TopicPartition> committed_key(std::int32_t partition) const {
    return {membership_.group(), {membership_.topic(), partition}};
  }

  Status keep_up_membership(std::unique_lock<std::mutex>& lock) {
    std::vector<std::int32_t> partitions;
    for (;;) {
      const Membership::Change change = membership_.step(partitions);
      if (change == Membership::Change::kNone) {
        if (!dealt_) return {};
        partitions = WEIR_TRY(place_some());
        if (partitions.empty()) return {};
        lock.unlock();
        listener_.on_assigned(partitions);
        lock.lock();
      } else if (change == Membership::Change::kAssigned) {
        positions_.clear();
        dealt_ = partitions;
      } else if (change == Membership::Change::kReplaced) {
        positions_.clear();
        return fail(Code::kFenced, "another process has joined group " + membership_.group() +
                                       " under the name of this one");
      } else {
        dealt_.reset();
        partitions = assignment();
        if (!partitions.empty()) {
          lock.unlock();
          change == Membership::Change::kRevoked ? listener_.on_revoked(partitions)
                                                 : listener_.on_lost(partitions);
          lock.lock();
        }
        positions_.clear();
        if (change == Membership::Change::kRevoked) membership_.give_up();
      }
    }
  }

  // An open transaction hides the offsets that it may yet commit: these partitions come later.
  Result<std::vector<std::int32_t>> place_some() {
    std::vector<std::int32_t> hidden;
    std::vector<std::int32_t> placed;
    for (const std::int32_t partition : *dealt_) {
      (cluster_->is_pending(committed_key(partition)) ? hidden : placed).push_back(partition);
    }
    if (placed.empty() && positions_.empty()) WEIR_TRY(look_for_pending(hidden));
    WEIR_TRY(place(placed));
    dealt_ = hidden.empty() ? std::nullopt : std::optional(hidden);
    return placed;
  }

  Status look_for_pending(const std::vector<std::int32_t>& partitions) const {
    for (const std::int32_t partition : partitions) {
      if (!cluster_->is_pending(committed_key(partition))) continue;
      return fail(Code::kUnavailable, "an open transaction has offsets of partition " +
                                          std::to_string(partition) + " of " + membership_.topic());
    }
    return {};
  }

  Status place(const std::vector<std::int32_t>& partitions) {
    const auto& logs = cluster_->topics.at(membership_.topic()).partitions;
    bool any_committed = false;
    for (std::size_t i = 0; i < logs.size(); ++i) {
      any_committed |= cluster_->committed.contains(committed_key(static_cast<std::int32_t>(i)));
    }
    for (const std::string& topic : evidence_) {
      if (any_committed || partitions.empty() || !cluster_->ever_written(topic)) continue;
      broken_ = offsets_lost(membership_.group(), membership_.topic(), topic);
      return fail(*broken_);
    }
    for (const std::int32_t partition : partitions) {
      const Partition& log = logs.at(static_cast<std::size_t>(partition));
      PartitionStart at{membership_.topic(), partition, std::nullopt, log.start};
      if (const auto it = cluster_->committed.find(committed_key(partition));
          it != cluster_->committed.end()) {
        at.committed = it->second;
      }
      auto start = start_offset(at, any_committed);
      if (!start) {
        broken_ = start.error();
        return fail(start.error());
      }
      positions_[partition] = {*start, *start, false};
    }
    return {};
  }

  Status fetch(std::size_t records_max, MemoryRecordBatch& batch) {
    if (broken_) return fail(*broken_);
    const auto& logs = cluster_->topics.at(membership_.topic()).partitions;
    for (auto& [partition, position] : positions_) {
      const Partition& log = logs.at(static_cast<std::size_t>(partition));
      if (position.next < log.start || position.next > log.end) {
        return fail(out_of_range(membership_.topic(), partition, position.next));
      }
      bool any = false;
      while (batch.records().size() < records_max) {
        auto stored = log.next_visible(position.next);
        if (!stored) break;
        position.next = stored->record.offset + 1;
        batch.add(std::move(stored));
        any = true;
      }
      if (any) {
        position.at_end = false;
      } else if (!log.next_visible(position.next)) {
        position.next = std::max(position.next, log.stable_end());
        position.at_end = true;
      }
    }
    return {};
  }

  const std::shared_ptr<Cluster> cluster_;
  RebalanceListener& listener_;
  const std::vector<std::string> evidence_;
  Membership membership_;
  std::map<std::int32_t, Position> positions_;
  std::optional<std::vector<std::int32_t>> dealt_;  // by the group, and not placed yet
  std::optional<Error> broken_;  // offsets that are gone: only a person can decide
  bool paused_ = false;
  bool closed_ = false;
};

class MemoryLogReader final : public LogReader {
 public:
  MemoryLogReader(std::shared_ptr<Cluster> cluster, std::shared_ptr<Process> process,
                  std::string topic, std::vector<std::int64_t> positions)
      : cluster_(std::move(cluster)),
        process_(std::move(process)),
        topic_(std::move(topic)),
        positions_(std::move(positions)) {}

  Result<std::vector<LogEntry>> poll(Millis timeout) override {
    std::unique_lock lock(cluster_->mutex);
    const SteadyTime deadline = cluster_->clock.steady() + timeout;
    std::vector<LogEntry> entries;
    do {
      cluster_->sweep();
      if (auto status = cluster_->usable(*process_, topic_); !status) return fail(status.error());
      WEIR_TRY(read(entries));
    } while (entries.empty() && cluster_->wait(lock, deadline));
    return entries;
  }

  Result<std::vector<LogEntry>> read_to_end(Millis timeout) override {
    std::unique_lock lock(cluster_->mutex);
    const SteadyTime deadline = cluster_->clock.steady() + timeout;
    if (auto status = cluster_->usable(*process_, topic_); !status) {
      return fail(status.error().code() == Code::kUnavailable
                      ? Error(Code::kTimeout, status.error().reason())
                      : status.error());
    }
    std::vector<std::int64_t> ends;
    for (const Partition& log : cluster_->topics.at(topic_).partitions) ends.push_back(log.end);
    do {
      cluster_->sweep();
      WEIR_TRY(read(kept_));
      const bool reached = std::equal(ends.begin(), ends.end(), positions_.begin(),
                                      [](auto end, auto position) { return position >= end; });
      if (reached) return std::exchange(kept_, {});
    } while (cluster_->wait(lock, deadline));
    return fail(Code::kTimeout, "an open transaction hides the end of " + topic_);
  }

 private:
  Status read(std::vector<LogEntry>& entries) {
    if (&entries != &kept_) std::swap(entries, kept_);
    for (std::size_t i = 0; i < positions_.size(); ++i) {
      const Partition& log = cluster_->topics.at(topic_).partitions[i];
      const auto partition = static_cast<std::int32_t>(i);
      std::int64_t& position = positions_[i];
      if (position < log.start) return fail(out_of_range(topic_, partition, position));
      while (auto stored = log.next_visible(position)) {
        const MemoryRecord& record = stored->record;
        entries.push_back(
            {partition, record.offset, record.timestamp_ms, record.key.value_or(""), record.value});
        position = record.offset + 1;
      }
      position = std::max(position, log.stable_end());
    }
    return {};
  }

  const std::shared_ptr<Cluster> cluster_;
  const std::shared_ptr<Process> process_;
  const std::string topic_;
  std::vector<std::int64_t> positions_;  // by partition
  std::vector<LogEntry> kept_;           // read by a read_to_end that then timed out
};

}  // namespace

Result<std::unique_ptr<RecordSource>> open_source(
    std::shared_ptr<Cluster> cluster, std::shared_ptr<Process> process, const std::string& topic,
    const std::string& group, const std::string& member, RebalanceListener& listener,
    const std::vector<std::string>& evidence) {
  return std::make_unique<MemoryRecordSource>(std::move(cluster), std::move(process), topic, group,
                                              member, listener, evidence);
}

Result<std::unique_ptr<LogReader>> open_log(std::shared_ptr<Cluster> cluster,
                                            std::shared_ptr<Process> process,
                                            const std::string& topic, StartAt start,
                                            std::int64_t time_ms) {
  const std::lock_guard lock(cluster->mutex);
  cluster->sweep();
  if (auto status = cluster->usable(*process, topic); !status) return fail(status.error());
  std::vector<std::int64_t> positions;
  for (const Partition& log : cluster->topics.at(topic).partitions) {
    std::int64_t position = log.start;
    if (start == StartAt::kEnd) position = log.stable_end();
    if (start == StartAt::kTime) {
      const auto first = std::find_if(log.log.begin(), log.log.end(), [&](const auto& stored) {
        return stored->record.timestamp_ms >= time_ms;
      });
      position =
          std::min(log.stable_end(), first == log.log.end() ? log.end : (*first)->record.offset);
    }
    positions.push_back(position);
  }
  return std::make_unique<MemoryLogReader>(std::move(cluster), std::move(process), topic,
                                           std::move(positions));
}

}  // namespace weir::stream::memory
