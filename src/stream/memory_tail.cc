#include <algorithm>

#include "stream/memory_cluster_internal.h"
#include "stream/memory_record_batch_internal.h"
#include "stream/start_offset.h"

namespace weir::stream::memory {
namespace {

class MemoryTopicTail final : public TopicTail {
 public:
  MemoryTopicTail(std::shared_ptr<Cluster> cluster, std::shared_ptr<Process> process,
                  std::string topic, std::string id, TailPlan plan,
                  const std::vector<TailBounds>& bounds)
      : cluster_(std::move(cluster)),
        process_(std::move(process)),
        topic_(std::move(topic)),
        id_(std::move(id)),
        plan_(std::move(plan)) {
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      positions_.push_back({static_cast<std::int32_t>(i), plan_.begins[i], bounds[i].end});
    }
  }

  const std::string& topic_id() const override { return id_; }
  bool made_anew() const override { return plan_.made_anew; }
  const std::vector<TailJump>& jumps() const override { return plan_.jumps; }
  std::vector<PartitionPosition> positions() const override { return positions_; }

  Result<std::unique_ptr<RecordBatch>> poll(std::size_t records_max, Millis timeout) override {
    std::unique_lock lock(cluster_->mutex);
    const SteadyTime deadline = cluster_->clock.steady() + timeout;
    auto batch = std::make_unique<MemoryRecordBatch>();
    do {
      cluster_->sweep();
      if (auto status = cluster_->usable(*process_, topic_); !status) return fail(status.error());
      WEIR_TRY(read(std::max<std::size_t>(records_max, 1), *batch));
    } while (batch->records().empty() && cluster_->wait(lock, deadline));
    return batch;
  }

 private:
  // From another partition first each time, so that a busy one does not starve the others.
  Status read(std::size_t records_max, MemoryRecordBatch& batch) {
    const Topic& topic = cluster_->topics.at(topic_);
    for (std::size_t i = positions_.size(); i < topic.partitions.size(); ++i) {
      positions_.push_back({static_cast<std::int32_t>(i), 0, topic.partitions[i].end});
    }
    ++turn_;
    for (std::size_t i = 0; i < positions_.size(); ++i) {
      const std::size_t index = (i + turn_) % positions_.size();
      PartitionPosition& at = positions_[index];
      const bool gone = index >= topic.partitions.size() || topic.id != id_;
      if (gone || at.next < topic.partitions[index].start) {
        return fail(out_of_range(topic_, at.partition, at.next));
      }
      const Partition& log = topic.partitions[index];
      while (batch.records().size() < records_max) {
        auto stored = log.next_visible(at.next);
        if (!stored) break;
        at.next = stored->record.offset + 1;
        batch.add(std::move(stored));
      }
      if (log.next_visible(at.next)) continue;
      at.next = std::max(at.next, log.stable_end());
      at.end = log.end;
    }
    return {};
  }

  const std::shared_ptr<Cluster> cluster_;
  const std::shared_ptr<Process> process_;
  const std::string topic_;
  const std::string id_;
  const TailPlan plan_;
  std::vector<PartitionPosition> positions_;  // by partition
  std::size_t turn_ = 0;
};

}  // namespace

Result<std::unique_ptr<TopicTail>> open_tail(std::shared_ptr<Cluster> cluster,
                                             std::shared_ptr<Process> process,
                                             const std::string& topic, const TailStart& start) {
  const std::lock_guard lock(cluster->mutex);
  cluster->sweep();
  if (auto status = cluster->usable(*process, topic); !status) return fail(status.error());
  const Topic& found = cluster->topics.at(topic);
  std::vector<TailBounds> bounds;
  for (const Partition& log : found.partitions) {
    const auto since = std::find_if(log.log.begin(), log.log.end(), [&](const auto& stored) {
      return stored->record.timestamp_ms >= start.else_from_ms.value_or(0);
    });
    bounds.push_back(
        {log.start, log.end, since == log.log.end() ? log.end : (*since)->record.offset});
  }
  TailPlan plan = plan_tail(start, found.id, bounds);
  return std::make_unique<MemoryTopicTail>(std::move(cluster), std::move(process), topic, found.id,
                                           std::move(plan), bounds);
}

}  // namespace weir::stream::memory
