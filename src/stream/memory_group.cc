// Consumer groups of the twin. A source joins under its name (static membership): where the group
// has a member of that name already, most likely a dead one, the new one takes its place, its
// partitions and generation, and nobody else notices. The old one is shut out. A rebalance is
// eager: somebody joins or goes, every member gives up what it holds at its next poll, and once all
// have, the partitions are dealt anew in ranges and the generation rises. A member that was thrown
// out learns of it at its next poll, too late to commit.
#include <algorithm>

#include "base/check.h"
#include "stream/memory_cluster_internal.h"

namespace weir::stream::memory {

std::uint64_t Cluster::join(const std::string& group_name, const std::string& topic,
                            const std::string& name, bool named, std::shared_ptr<Process> process) {
  Group& group = groups[group_name];
  group.topic = topic;
  const std::uint64_t id = next_member_id++;
  Member member;
  member.name = name;
  member.named = named;
  member.process = std::move(process);
  member.last_poll = clock.steady();
  if (named && take_place(group, id, member)) return id;
  group.members.emplace(id, std::move(member));
  start_rebalance(group);
  group.members.at(id).rejoined = true;
  complete_rebalance(group);
  return id;
}

bool Cluster::take_place(Group& group, std::uint64_t id, const Member& member) {
  const auto other = std::find_if(group.members.begin(), group.members.end(), [&](const auto& at) {
    return at.second.named && at.second.name == member.name;
  });
  if (other == group.members.end()) return false;
  Member taken = member;
  taken.assigned = std::move(other->second.assigned);
  taken.rejoined = true;  // nothing is in its hands yet
  group.replaced.insert(other->first);
  group.members.erase(other);
  group.members.emplace(id, std::move(taken));
  complete_rebalance(group);
  changed.notify_all();
  return true;
}

void Cluster::leave(const std::string& group_name, std::uint64_t member) {
  const auto it = groups.find(group_name);
  if (it == groups.end() || it->second.members.erase(member) == 0) return;
  start_rebalance(it->second);
  complete_rebalance(it->second);
}

void Cluster::start_rebalance(Group& group) {
  group.rebalancing = true;
  // Who holds nothing has nothing to give up and nothing to say.
  for (auto& [id, member] : group.members) member.rejoined = member.assigned.empty();
  changed.notify_all();
}

void Cluster::complete_rebalance(Group& group) {
  if (!group.rebalancing) return;
  for (const auto& [id, member] : group.members) {
    if (!member.rejoined) return;
  }
  group.rebalancing = false;
  ++group.generation;
  const auto topic = topics.find(group.topic);
  const std::size_t partitions = topic == topics.end() ? 0 : topic->second.partitions.size();
  const std::size_t members = group.members.size();
  std::int32_t next = 0;
  std::size_t index = 0;
  for (auto& [id, member] : group.members) {
    const std::size_t share = partitions / members + (index++ < partitions % members ? 1 : 0);
    member.assigned.clear();
    for (std::size_t i = 0; i < share; ++i) member.assigned.push_back(next++);
  }
  changed.notify_all();
}

Membership::Membership(std::shared_ptr<Cluster> cluster, std::shared_ptr<Process> process,
                       std::string topic, std::string group, std::string name, bool named)
    : cluster_(std::move(cluster)),
      process_(std::make_shared<Process>(Process{false, std::move(process)})),
      topic_(std::move(topic)),
      group_(std::move(group)),
      name_(std::move(name)),
      named_(named) {}

Membership::~Membership() {
  const std::lock_guard lock(cluster_->mutex);
  if (!process_->dead()) leave();
}

Membership::Change Membership::step(std::vector<std::int32_t>& partitions) {
  if (id_ == 0) id_ = cluster_->join(group_, topic_, name_, named_, process_);
  Group& group = cluster_->groups.at(group_);
  if (group.replaced.contains(id_)) {
    held_.clear();
    return Change::kReplaced;
  }
  const auto found = group.members.find(id_);
  if (found == group.members.end()) {
    partitions = std::exchange(held_, {});
    id_ = 0;
    generation_ = -1;
    return Change::kLost;
  }
  Member& member = found->second;
  member.last_poll = cluster_->clock.steady();
  if (group.rebalancing && !member.rejoined) {
    partitions = held_;
    if (!held_.empty()) return Change::kRevoked;
    give_up();
  }
  if (!group.rebalancing && generation_ != group.generation) {
    if (!held_.empty()) {  // it gave up nothing yet: it polled only before and after
      partitions = held_;
      return Change::kRevoked;
    }
    generation_ = group.generation;
    member.generation = generation_;
    held_ = member.assigned;
    partitions = held_;
    return Change::kAssigned;
  }
  return Change::kNone;
}

void Membership::give_up() {
  held_.clear();
  generation_ = -1;
  Group& group = cluster_->groups.at(group_);
  const auto found = group.members.find(id_);
  if (found == group.members.end()) return;
  found->second.rejoined = true;
  cluster_->complete_rebalance(group);
}

void Membership::leave() {
  if (id_ != 0) cluster_->leave(group_, id_);
  id_ = 0;
  generation_ = -1;
  held_.clear();
}

std::shared_ptr<const MemoryGroupMetadata> Membership::metadata() const {
  return std::make_shared<MemoryGroupMetadata>(group_, id_, generation_);
}

namespace {

class MemoryLeadership final : public Leadership {
 public:
  MemoryLeadership(std::shared_ptr<Cluster> cluster, std::shared_ptr<Process> process,
                   const std::string& topic, const std::string& group, const std::string& member)
      : cluster_(cluster), membership_(cluster, std::move(process), topic, group, member, false) {}

  Result<bool> is_leader(Millis timeout) override {
    std::unique_lock lock(cluster_->mutex);
    const SteadyTime deadline = cluster_->clock.steady() + timeout;
    do {
      cluster_->sweep();
      if (auto status = cluster_->usable(membership_.process(), membership_.topic()); !status) {
        return fail(status.error());
      }
      std::vector<std::int32_t> partitions;
      Membership::Change change;
      while ((change = membership_.step(partitions)) != Membership::Change::kNone) {
        if (change == Membership::Change::kRevoked) membership_.give_up();
      }
      for (const std::int32_t partition : membership_.held()) {
        if (partition == 0) return true;
      }
    } while (cluster_->wait(lock, deadline));
    return false;
  }

 private:
  const std::shared_ptr<Cluster> cluster_;
  Membership membership_;
};

}  // namespace

Result<std::unique_ptr<Leadership>> open_leadership(std::shared_ptr<Cluster> cluster,
                                                    std::shared_ptr<Process> process,
                                                    const std::string& topic,
                                                    const std::string& group,
                                                    const std::string& member) {
  return std::make_unique<MemoryLeadership>(std::move(cluster), std::move(process), topic, group,
                                            member);
}

}  // namespace weir::stream::memory
