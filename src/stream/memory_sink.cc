#include <algorithm>

#include "stream/memory_cluster_internal.h"

namespace weir::stream::memory {
namespace {

constexpr std::size_t kRecordBytesMax = 1000000;  // as message.max.bytes by default

// Where a record goes; kNotFound, kPermissionDenied, kInvalidArgument, or what the test planned.
Result<TopicPartition> accept(Cluster& cluster, const Process& process, const OutRecord& record) {
  if (auto status = cluster.usable(process, record.topic); !status) return fail(status.error());
  if (cluster.send_faults > 0) {
    --cluster.send_faults;
    return fail(cluster.send_fault, "the test wants this record refused");
  }
  if (record.value.size() + record.key.value_or("").size() > kRecordBytesMax) {
    return fail(Code::kInvalidArgument, "the record is larger than the broker takes");
  }
  Topic& topic = cluster.topics.find(record.topic)->second;
  const std::int32_t partition =
      record.partition ? *record.partition : cluster.choose_partition(topic, record.key);
  if (partition < 0 || static_cast<std::size_t>(partition) >= topic.partitions.size()) {
    return fail(Code::kInvalidArgument, "topic " + std::string(record.topic) +
                                            " has no partition " + std::to_string(partition));
  }
  return TopicPartition{record.topic, partition};
}

MemoryRecord copy_of(const OutRecord& record) {
  MemoryRecord copy;
  if (record.key) copy.key = std::string(*record.key);
  if (!record.null_value) copy.value = std::string(record.value);
  copy.null_value = record.null_value;
  if (record.headers) copy.headers = *record.headers;
  return copy;
}

class MemoryTransactionalSink final : public TransactionalSink {
 public:
  MemoryTransactionalSink(std::shared_ptr<Cluster> cluster, std::shared_ptr<Process> process,
                          std::string transactional_id, int epoch, Places places)
      : cluster_(std::move(cluster)),
        process_(std::move(process)),
        transactional_id_(std::move(transactional_id)),
        epoch_(epoch),
        places_(places) {}

  ~MemoryTransactionalSink() override {
    if (open_) static_cast<void>(abort());
  }

  Status begin() override {
    const std::lock_guard lock(cluster_->mutex);
    if (auto status = check(); !status) return status;
    if (open_) return spend(fail(Code::kInvalidArgument, "begin() in the middle of a transaction"));
    open_ = true;
    return {};
  }

  Status send(const OutRecord& record) override {
    const std::lock_guard lock(cluster_->mutex);
    if (auto status = check(); !status) return status;
    if (!open_) return spend(fail(Code::kInvalidArgument, "send() outside of a transaction"));
    const auto to = accept(*cluster_, *process_, record);
    if (!to) {
      if (to.error().code() == Code::kInvalidArgument) return fail(to.error());
      return abandon(to.error());
    }
    const std::int64_t offset =
        cluster_->append(to->first, to->second, copy_of(record), transaction());
    if (record.place && places_ == Places::kTold) *record.place = {to->second, offset};
    return {};
  }

  Status commit(std::string_view source_topic, std::span<const PartitionOffset> offsets,
                const GroupMetadata* group) override {
    const std::lock_guard lock(cluster_->mutex);
    if (auto status = check(); !status) return status;
    if (!open_) return spend(fail(Code::kInvalidArgument, "commit() outside of a transaction"));
    const auto* member = dynamic_cast<const MemoryGroupMetadata*>(group);
    if (!offsets.empty()) {
      if (auto status = may_commit(member); !status) return abandon(status.error());
    }
    if (const auto fault = cluster_->due_fault(transactional_id_)) {
      return suffer(*fault, source_topic, offsets, member);
    }
    take_place(source_topic, offsets, member);
    return {};
  }

  Status abort() override {
    const std::lock_guard lock(cluster_->mutex);
    if (auto status = check(); !status) return status;
    finish(Transaction::Outcome::kAborted);
    return {};
  }

 private:
  // Fenced, dead or spent.
  Status check() {
    cluster_->sweep();
    if (spent_) return fail(Code::kInvalidArgument, "the sink is spent: open another");
    if (auto status = cluster_->reachable(*process_); !status) return spend(std::move(status));
    if (cluster_->producers.at(transactional_id_).epoch != epoch_) {
      return spend(
          fail(Code::kFenced, "a newer instance has transactional id " + transactional_id_));
    }
    return {};
  }

  Status spend(Status status) {
    spent_ = true;
    open_ = false;
    return status;
  }

  Status abandon(const Error& error) {
    finish(Transaction::Outcome::kAborted);
    return spend(fail(error));
  }

  // The group's answer to offsets from a member that is no longer one.
  Status may_commit(const MemoryGroupMetadata* member) const {
    if (!member) return fail(Code::kInvalidArgument, "offsets without the group that they are of");
    const auto group = cluster_->groups.find(member->group);
    if (group != cluster_->groups.end() && group->second.replaced.contains(member->member)) {
      return fail(Code::kFenced, "another has joined the group under the name of this member");
    }
    if (group == cluster_->groups.end() || !group->second.members.contains(member->member)) {
      return fail(Code::kUnavailable, "the group has thrown this member out");
    }
    if (group->second.generation != member->generation) {
      return fail(Code::kUnavailable, "the group has gone on to another generation");
    }
    return {};
  }

  // The open one, which begins here where it has not.
  std::shared_ptr<Transaction> transaction() {
    Producer& producer = cluster_->producers.at(transactional_id_);
    if (!producer.open) {
      producer.open = std::make_shared<Transaction>();
      producer.open->begun = cluster_->clock.steady();
    }
    return producer.open;
  }

  void finish(Transaction::Outcome outcome) {
    Producer& producer = cluster_->producers.at(transactional_id_);
    if (producer.open) cluster_->end(*producer.open, outcome);
    producer.open.reset();
    open_ = false;
  }

  void take_place(std::string_view source_topic, std::span<const PartitionOffset> offsets,
                  const MemoryGroupMetadata* member) {
    finish(Transaction::Outcome::kCommitted);
    ++cluster_->commits;
    for (const auto& offset : offsets) {
      const TopicPartition partition{source_topic, offset.partition};
      cluster_->committed[{member->group, partition}] = offset.next_offset;
    }
  }

  Status suffer(CommitFault fault, std::string_view source_topic,
                std::span<const PartitionOffset> offsets, const MemoryGroupMetadata* member) {
    switch (fault) {
      case CommitFault::kAborted:
        return abandon(Error(Code::kUnavailable, "the test wants this transaction aborted"));
      case CommitFault::kRefused:
        return abandon(Error(Code::kInvalidArgument, "the test wants a record refused"));
      case CommitFault::kFenced:
        cluster_->take_over(transactional_id_);
        return spend(fail(Code::kFenced, "the test wants this sink fenced"));
      case CommitFault::kUnknownButHappened: take_place(source_topic, offsets, member); break;
      case CommitFault::kUnknownNotHappened: finish(Transaction::Outcome::kAborted); break;
      case CommitFault::kOffsetsSent:
        for (const auto& offset : offsets) {
          const TopicPartition partition{source_topic, offset.partition};
          transaction()->offsets_sent.insert({member->group, partition});
        }
        break;
    }
    return spend(fail(Code::kUnknownOutcome, "no answer to the commit"));
  }

  const std::shared_ptr<Cluster> cluster_;
  const std::shared_ptr<Process> process_;
  const std::string transactional_id_;
  const int epoch_;
  const Places places_;
  bool open_ = false;
  bool spent_ = false;
};

class MemoryRecordPublisher final : public RecordPublisher {
 public:
  MemoryRecordPublisher(std::shared_ptr<Cluster> cluster, std::shared_ptr<Process> process)
      : cluster_(std::move(cluster)), process_(std::move(process)) {}

  Status send(const OutRecord& record) override {
    const std::lock_guard lock(cluster_->mutex);
    cluster_->sweep();
    const auto to = accept(*cluster_, *process_, record);
    if (!to) return fail(to.error());
    if (cluster_->publishes_lost > 0 && record.topic == cluster_->publishes_lost_on) {
      --cluster_->publishes_lost;
      ++undelivered_;
      to_tell_ = true;
      return {};
    }
    cluster_->append(to->first, to->second, copy_of(record), nullptr);
    return {};
  }

  Status flush(std::chrono::milliseconds) override {
    const std::lock_guard lock(cluster_->mutex);
    WEIR_TRY(cluster_->reachable(*process_));
    if (std::exchange(to_tell_, false)) return fail(Code::kTimeout, "the test wants a record lost");
    return {};
  }

  std::uint64_t undelivered() const override { return undelivered_; }

 private:
  std::uint64_t undelivered_ = 0;
  bool to_tell_ = false;
  const std::shared_ptr<Cluster> cluster_;
  const std::shared_ptr<Process> process_;
};

}  // namespace

Result<std::unique_ptr<TransactionalSink>> open_sink(std::shared_ptr<Cluster> cluster,
                                                     std::shared_ptr<Process> process,
                                                     const std::string& transactional_id,
                                                     Places places) {
  const std::lock_guard lock(cluster->mutex);
  cluster->sweep();
  if (auto status = cluster->reachable(*process); !status) return fail(status.error());
  const int epoch = cluster->take_over(transactional_id);
  return std::make_unique<MemoryTransactionalSink>(cluster, std::move(process), transactional_id,
                                                   epoch, places);
}

Result<std::unique_ptr<RecordPublisher>> open_publisher(std::shared_ptr<Cluster> cluster,
                                                        std::shared_ptr<Process> process) {
  return std::make_unique<MemoryRecordPublisher>(std::move(cluster), std::move(process));
}

}  // namespace weir::stream::memory
