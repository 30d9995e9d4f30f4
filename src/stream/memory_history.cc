#include <algorithm>

#include "stream/history_start.h"
#include "stream/memory_cluster_internal.h"
#include "stream/memory_record_batch_internal.h"

namespace weir::stream::memory {
namespace {

class MemoryTopicHistory final : public TopicHistory {
 public:
  MemoryTopicHistory(std::shared_ptr<Cluster> cluster, std::shared_ptr<Process> process,
                     std::string topic, std::vector<PartitionSpan> spans)
      : cluster_(std::move(cluster)),
        process_(std::move(process)),
        topic_(std::move(topic)),
        spans_(std::move(spans)) {
    for (const PartitionSpan& span : spans_) positions_.push_back(span.begin);
  }

  const std::vector<PartitionSpan>& spans() const override { return spans_; }

  // Never waits: all below a last stable offset is there.
  Result<std::unique_ptr<RecordBatch>> next(std::int32_t partition, std::size_t records_max,
                                            Millis) override {
    const std::lock_guard lock(cluster_->mutex);
    cluster_->sweep();
    if (auto status = cluster_->usable(*process_, topic_); !status) return fail(status.error());
    const auto index = static_cast<std::size_t>(partition);
    if (partition < 0 || index >= spans_.size()) {
      return fail(Code::kInvalidArgument, "no partition " + std::to_string(partition));
    }
    const Partition& log = cluster_->topics.at(topic_).partitions.at(index);
    const std::int64_t end = spans_[index].end;
    std::int64_t& position = positions_[index];
    auto batch = std::make_unique<MemoryRecordBatch>();
    if (position < end && position < log.start) {
      return fail(history_deleted(topic_, partition, position));
    }
    while (position < end && batch->records().size() < std::max<std::size_t>(records_max, 1)) {
      auto stored = log.next_visible(position);
      if (!stored || stored->record.offset >= end) {
        position = end;
        break;
      }
      position = stored->record.offset + 1;
      batch->add(std::move(stored));
    }
    return batch;
  }

 private:
  const std::shared_ptr<Cluster> cluster_;
  const std::shared_ptr<Process> process_;
  const std::string topic_;
  const std::vector<PartitionSpan> spans_;
  std::vector<std::int64_t> positions_;  // by partition: all below has been read, or is no record
};

}  // namespace

Result<std::unique_ptr<TopicHistory>> open_history(std::shared_ptr<Cluster> cluster,
                                                   std::shared_ptr<Process> process,
                                                   const std::string& topic,
                                                   const HistoryStart& start) {
  const std::lock_guard lock(cluster->mutex);
  cluster->sweep();
  if (auto status = cluster->usable(*process, topic); !status) return fail(status.error());
  std::vector<PartitionBounds> bounds;
  for (const Partition& log : cluster->topics.at(topic).partitions) {
    PartitionBounds& at = bounds.emplace_back();
    at.earliest = log.start;
    at.stable_end = log.stable_end();
    const auto since = std::find_if(log.log.begin(), log.log.end(), [&](const auto& stored) {
      return stored->record.timestamp_ms >= start.time_ms.value_or(0);
    });
    at.at_time = since == log.log.end() ? log.end : (*since)->record.offset;
  }
  auto spans = WEIR_TRY(history_spans(topic, start, bounds));
  return std::make_unique<MemoryTopicHistory>(std::move(cluster), std::move(process), topic,
                                              std::move(spans));
}

}  // namespace weir::stream::memory
