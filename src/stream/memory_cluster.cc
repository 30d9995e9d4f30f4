#include <algorithm>

#include "base/check.h"
#include "stream/memory_cluster_internal.h"
#include "stream/murmur2.h"

namespace weir::stream::memory {

std::int64_t Partition::stable_end() const {
  std::int64_t first = end;
  for (const auto& [transaction, offset] : open) first = std::min(first, offset);
  return first;
}

bool Partition::visible(const Stored& stored) const {
  if (stored.marker || stored.record.offset >= stable_end()) return false;
  return !stored.transaction || stored.transaction->outcome == Transaction::Outcome::kCommitted;
}

std::shared_ptr<const Stored> Partition::next_visible(std::int64_t offset) const {
  if (log.empty()) return nullptr;
  const std::int64_t first = log.front()->record.offset;
  const std::int64_t stable = stable_end();
  for (std::int64_t at = std::max(offset, first); at < stable; ++at) {
    const auto& stored = log[static_cast<std::size_t>(at - first)];
    if (visible(*stored)) return stored;
  }
  return nullptr;
}

Cluster::Cluster(Clock& its_clock) : clock(its_clock), waits(&its_clock == &system_clock()) {}

Status Cluster::reachable(const Process& process) const {
  if (process.dead()) return fail(Code::kCancelled, "this process has crashed");
  if (clock.steady() < away_until) return fail(Code::kUnavailable, "no broker answers");
  return {};
}

Status Cluster::usable(const Process& process, std::string_view topic) const {
  if (auto status = reachable(process); !status) return status;
  if (denied.contains(topic)) {
    return fail(Code::kPermissionDenied, "no right to topic " + std::string(topic));
  }
  if (!topics.contains(topic)) return fail(Code::kNotFound, "no topic " + std::string(topic));
  return {};
}

void Cluster::sweep() {
  const SteadyTime now = clock.steady();
  for (auto& [id, producer] : producers) {
    if (producer.open && now - producer.open->begun > transaction_timeout) {
      end(*producer.open, Transaction::Outcome::kAborted);
      producer.open.reset();
      ++producer.epoch;  // as the coordinator does: the holder is fenced
    }
  }
  for (auto& [name, group] : groups) {
    const auto expired = std::erase_if(group.members, [&](const auto& entry) {
      const Member& member = entry.second;
      return now - member.last_poll >
             (member.process->dead() ? session_timeout : max_poll_interval);
    });
    if (expired > 0) start_rebalance(group);
    complete_rebalance(group);
  }
}

Topic& Cluster::make_topic(const std::string& name, std::int32_t partitions) {
  Topic& topic = topics[name];
  if (topic.partitions.empty()) topic.partitions.resize(static_cast<std::size_t>(partitions));
  if (topic.id.empty()) topic.id = std::to_string(next_topic_id++);
  return topic;
}

std::int64_t Cluster::append(const std::string& topic, std::int32_t partition, MemoryRecord record,
                             std::shared_ptr<Transaction> transaction) {
  auto& log = topics.at(topic).partitions.at(static_cast<std::size_t>(partition));
  record.partition = partition;
  record.offset = log.end++;
  record.timestamp_ms = clock.wall().time_since_epoch().count();
  if (transaction) {
    log.open.try_emplace(transaction.get(), record.offset);
    transaction->written.emplace(topic, partition);
  }
  auto stored = std::make_shared<Stored>();
  stored->record = std::move(record);
  stored->transaction = std::move(transaction);
  log.log.push_back(std::move(stored));
  changed.notify_all();
  return log.end - 1;
}

std::int32_t Cluster::choose_partition(Topic& topic, const std::optional<std::string_view>& key) {
  const auto count = static_cast<std::uint32_t>(topic.partitions.size());
  if (!key) return static_cast<std::int32_t>(topic.next_partition++ % count);
  return murmur2_partition(*key, static_cast<std::int32_t>(count));
}

void Cluster::end(Transaction& transaction, Transaction::Outcome outcome) {
  transaction.outcome = outcome;
  for (const auto& [topic, partition] : transaction.written) {
    auto& log = topics.at(topic).partitions.at(static_cast<std::size_t>(partition));
    log.open.erase(&transaction);
    auto marker = std::make_shared<Stored>();
    marker->marker = true;
    marker->record.partition = partition;
    marker->record.offset = log.end++;
    marker->record.timestamp_ms = clock.wall().time_since_epoch().count();
    log.log.push_back(std::move(marker));
  }
  changed.notify_all();
}

bool Cluster::ever_written(const std::string& topic) const {
  const auto found = topics.find(topic);
  if (found == topics.end()) return false;
  return std::any_of(found->second.partitions.begin(), found->second.partitions.end(),
                     [](const Partition& log) { return log.start > 0 || log.next_visible(0); });
}

bool Cluster::is_pending(const std::pair<std::string, TopicPartition>& of_group) const {
  return std::any_of(producers.begin(), producers.end(), [&](const auto& entry) {
    return entry.second.open && entry.second.open->offsets_sent.contains(of_group);
  });
}

int Cluster::take_over(const std::string& transactional_id) {
  Producer& producer = producers[transactional_id];
  if (producer.open) end(*producer.open, Transaction::Outcome::kAborted);
  producer.open.reset();
  return ++producer.epoch;
}

std::optional<CommitFault> Cluster::due_fault(const std::string& transactional_id) {
  std::optional<CommitFault> due;
  for (auto it = planned.begin(); it != planned.end();) {
    const bool meant = it->transactional_id.empty() || it->transactional_id == transactional_id;
    if (meant && --it->commits_until <= 0) {
      due = it->fault;
      it = planned.erase(it);
    } else {
      ++it;
    }
  }
  return due;
}

bool Cluster::wait(std::unique_lock<std::mutex>& lock, SteadyTime deadline) {
  if (!waits || clock.steady() >= deadline) return false;
  // Time-outs of members and transactions happen without anyone's doing: look now and then.
  const SteadyTime look = clock.steady() + Millis(20);
  changed.wait_until(lock, std::min(deadline, look));
  return true;
}

}  // namespace weir::stream::memory
