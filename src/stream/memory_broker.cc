#include "stream/memory_broker.h"

#include <algorithm>

#include "stream/memory_cluster_internal.h"

namespace weir::stream {

using memory::Cluster;
using memory::TopicPartition;

MemoryInstance::MemoryInstance(std::shared_ptr<Cluster> cluster)
    : cluster_(std::move(cluster)), process_(std::make_shared<memory::Process>()) {}

MemoryInstance::~MemoryInstance() = default;

void MemoryInstance::crash() {
  const std::lock_guard lock(cluster_->mutex);
  process_->crashed = true;
}

Status MemoryInstance::ensure_topics(const std::vector<TopicSpec>& topics, Millis) {
  const std::lock_guard lock(cluster_->mutex);
  cluster_->sweep();
  if (auto status = cluster_->reachable(*process_); !status) return status;
  for (const TopicSpec& spec : topics) {
    if (spec.partitions < 1) {
      return fail(Code::kInvalidArgument, "topic " + spec.name + " with no partition");
    }
    if (cluster_->denied.contains(spec.name)) {
      return fail(Code::kPermissionDenied, "no right to make topic " + spec.name);
    }
    cluster_->make_topic(spec.name, spec.partitions);
  }
  return {};
}

Result<std::unique_ptr<RecordSource>> MemoryInstance::open_source(
    const std::string& topic, const std::string& group, const std::string& member,
    RebalanceListener& listener, const std::vector<std::string>& evidence) {
  return memory::open_source(cluster_, process_, topic, group, member, listener, evidence);
}

Result<std::unique_ptr<TransactionalSink>> MemoryInstance::open_sink(
    const std::string& transactional_id, Millis, Places places) {
  return memory::open_sink(cluster_, process_, transactional_id, places);
}

Result<std::unique_ptr<RecordPublisher>> MemoryInstance::open_publisher() {
  return memory::open_publisher(cluster_, process_);
}

Result<std::unique_ptr<LogReader>> MemoryInstance::open_log(const std::string& topic, StartAt start,
                                                            std::int64_t time_ms) {
  return memory::open_log(cluster_, process_, topic, start, time_ms);
}

Result<std::unique_ptr<Leadership>> MemoryInstance::open_leadership(const std::string& topic,
                                                                    const std::string& group,
                                                                    const std::string& member) {
  return memory::open_leadership(cluster_, process_, topic, group, member);
}

Result<std::unique_ptr<TopicHistory>> MemoryInstance::open_history(const std::string& topic,
                                                                   const HistoryStart& start) {
  return memory::open_history(cluster_, process_, topic, start);
}

Result<std::unique_ptr<TopicTail>> MemoryInstance::open_tail(const std::string& topic,
                                                             const TailStart& start) {
  return memory::open_tail(cluster_, process_, topic, start);
}

Result<std::vector<PartitionOffset>> MemoryInstance::committed_offsets(const std::string& group,
                                                                       const std::string& topic,
                                                                       Millis) {
  const std::lock_guard lock(cluster_->mutex);
  cluster_->sweep();
  if (auto status = cluster_->usable(*process_, topic); !status) return fail(status.error());
  std::vector<PartitionOffset> found;
  for (const auto& [key, offset] : cluster_->committed) {
    const auto& [of_group, at] = key;
    if (of_group == group && at.first == topic) found.push_back({at.second, offset});
  }
  return found;
}

Result<std::vector<PartitionOffset>> MemoryInstance::log_ends(const std::string& topic, Millis) {
  const std::lock_guard lock(cluster_->mutex);
  cluster_->sweep();
  if (auto status = cluster_->usable(*process_, topic); !status) return fail(status.error());
  std::vector<PartitionOffset> ends;
  for (const auto& log : cluster_->topics.at(topic).partitions) {
    ends.push_back({static_cast<std::int32_t>(ends.size()), log.end});
  }
  return ends;
}

Status MemoryInstance::fence(const std::string& transactional_id, Millis) {
  const std::lock_guard lock(cluster_->mutex);
  cluster_->sweep();
  if (auto status = cluster_->reachable(*process_); !status) return status;
  cluster_->take_over(transactional_id);
  return {};
}

MemoryBroker::MemoryBroker(Clock& clock) : MemoryInstance(std::make_shared<Cluster>(clock)) {}

std::unique_ptr<MemoryInstance> MemoryBroker::instance() {
  return std::make_unique<MemoryInstance>(cluster_);
}

std::vector<MemoryRecord> MemoryBroker::records(const std::string& topic,
                                                bool committed_only) const {
  const std::lock_guard lock(cluster_->mutex);
  cluster_->sweep();
  std::vector<MemoryRecord> found;
  const auto it = cluster_->topics.find(topic);
  if (it == cluster_->topics.end()) return found;
  for (const auto& log : it->second.partitions) {
    for (const auto& stored : log.log) {
      if (stored->marker || (committed_only && !log.visible(*stored))) continue;
      found.push_back(stored->record);
    }
  }
  return found;
}

std::int64_t MemoryBroker::produce(const std::string& topic, std::optional<std::string> key,
                                   std::string value, std::optional<std::int32_t> partition,
                                   Headers headers) {
  const std::lock_guard lock(cluster_->mutex);
  memory::Topic& to = cluster_->make_topic(topic, 1);
  std::optional<std::string_view> view;
  if (key) view = *key;
  const std::int32_t chosen = partition ? *partition : cluster_->choose_partition(to, view);
  MemoryRecord record;
  record.key = std::move(key);
  record.value = std::move(value);
  record.headers = std::move(headers);
  return cluster_->append(topic, chosen, std::move(record), nullptr);
}

std::map<std::int32_t, std::int64_t> MemoryBroker::committed(const std::string& group,
                                                             const std::string& topic) const {
  const std::lock_guard lock(cluster_->mutex);
  std::map<std::int32_t, std::int64_t> offsets;
  for (const auto& [key, offset] : cluster_->committed) {
    if (key.first == group && key.second.first == topic) offsets[key.second.second] = offset;
  }
  return offsets;
}

std::vector<std::string> MemoryBroker::members(const std::string& group) const {
  const std::lock_guard lock(cluster_->mutex);
  cluster_->sweep();
  std::vector<std::string> names;
  const auto it = cluster_->groups.find(group);
  if (it == cluster_->groups.end()) return names;
  for (const auto& [id, member] : it->second.members) names.push_back(member.name);
  return names;
}

int MemoryBroker::open_transactions() const {
  const std::lock_guard lock(cluster_->mutex);
  cluster_->sweep();
  return static_cast<int>(
      std::count_if(cluster_->producers.begin(), cluster_->producers.end(),
                    [](const auto& entry) { return entry.second.open != nullptr; }));
}

std::int64_t MemoryBroker::commits() const {
  const std::lock_guard lock(cluster_->mutex);
  return cluster_->commits;
}

void MemoryBroker::set_timeouts(Millis session, Millis max_poll_interval, Millis transaction) {
  const std::lock_guard lock(cluster_->mutex);
  cluster_->session_timeout = session;
  cluster_->max_poll_interval = max_poll_interval;
  cluster_->transaction_timeout = transaction;
}

void MemoryBroker::fail_commit(int nth, CommitFault fault, std::string transactional_id) {
  const std::lock_guard lock(cluster_->mutex);
  cluster_->planned.push_back({nth, fault, std::move(transactional_id)});
}

void MemoryBroker::fail_sends(int times, Code code) {
  const std::lock_guard lock(cluster_->mutex);
  cluster_->send_faults = times;
  cluster_->send_fault = code;
}

void MemoryBroker::lose_publishes(const std::string& topic, int times) {
  const std::lock_guard lock(cluster_->mutex);
  cluster_->publishes_lost_on = topic;
  cluster_->publishes_lost = times;
}

void MemoryBroker::expire_member(std::string_view member) {
  const std::lock_guard lock(cluster_->mutex);
  for (auto& [group_name, group] : cluster_->groups) {
    std::vector<std::uint64_t> ids;
    for (const auto& [id, it] : group.members) {
      if (it.name == member) ids.push_back(id);
    }
    for (const std::uint64_t id : ids) cluster_->leave(group_name, id);
  }
}

void MemoryBroker::crash_member(std::string_view member) {
  const std::lock_guard lock(cluster_->mutex);
  for (auto& [group_name, group] : cluster_->groups) {
    for (auto& [id, it] : group.members) {
      if (it.name == member) it.process->crashed = true;
    }
  }
}

void MemoryBroker::set_denied(const std::string& topic, bool denied) {
  const std::lock_guard lock(cluster_->mutex);
  if (denied) {
    cluster_->denied.insert(topic);
  } else {
    cluster_->denied.erase(topic);
  }
}

void MemoryBroker::set_away_until(SteadyTime time) {
  const std::lock_guard lock(cluster_->mutex);
  cluster_->away_until = time;
}

void MemoryBroker::delete_records_before(const std::string& topic, std::int32_t partition,
                                         std::int64_t offset) {
  const std::lock_guard lock(cluster_->mutex);
  auto& log = cluster_->topics.at(topic).partitions.at(static_cast<std::size_t>(partition));
  while (!log.log.empty() && log.log.front()->record.offset < offset) log.log.pop_front();
  log.start = std::max(log.start, std::min(offset, log.end));
}

void MemoryBroker::forget_committed(const std::string& group, const std::string& topic,
                                    std::optional<std::int32_t> partition) {
  const std::lock_guard lock(cluster_->mutex);
  std::erase_if(cluster_->committed, [&](const auto& entry) {
    const auto& [of_group, at] = entry.first;
    return of_group == group && at.first == topic && (!partition || at.second == *partition);
  });
}

void MemoryBroker::add_partitions(const std::string& topic, std::int32_t count) {
  const std::lock_guard lock(cluster_->mutex);
  cluster_->topics.at(topic).partitions.resize(static_cast<std::size_t>(count));
}

void MemoryBroker::delete_topic(const std::string& topic) {
  const std::lock_guard lock(cluster_->mutex);
  cluster_->topics.erase(topic);
}

}  // namespace weir::stream
