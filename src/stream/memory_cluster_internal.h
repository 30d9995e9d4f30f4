// The state of the in-memory twin. Inside this room only; tests use memory_broker.h.
//
// Everything in Cluster is guarded by Cluster::mutex; functions here expect it to be held.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "stream/memory_broker.h"
#include "stream/records.h"

namespace weir::stream::memory {

using TopicPartition = std::pair<std::string, std::int32_t>;

// A process, or a part of one that can die alone.
struct Process {
  bool crashed = false;
  std::shared_ptr<const Process> whole;
  bool dead() const { return crashed || (whole && whole->dead()); }
};

struct Transaction {
  enum class Outcome { kOpen, kCommitted, kAborted };
  Outcome outcome = Outcome::kOpen;
  SteadyTime begun;
  std::set<TopicPartition> written;
  std::set<std::pair<std::string, TopicPartition>> offsets_sent;  // by group
};

struct Stored {
  MemoryRecord record;
  bool marker = false;                       // the end of a transaction: takes an offset, unseen
  std::shared_ptr<Transaction> transaction;  // null: written outside of one
};

struct Partition {
  std::int64_t start = 0;  // offset of the first record that retention left
  std::int64_t end = 0;    // offset of the next record
  std::deque<std::shared_ptr<const Stored>> log;
  std::map<const Transaction*, std::int64_t> open;  // first offset of each open transaction

  std::int64_t stable_end() const;  // a read_committed reader sees nothing from here on
  bool visible(const Stored& stored) const;
  // The first record at or after `offset` that a read_committed reader may see; null at the end.
  std::shared_ptr<const Stored> next_visible(std::int64_t offset) const;
};

struct Topic {
  std::string id;  // no other topic ever has it
  std::vector<Partition> partitions;
  std::uint32_t next_partition = 0;  // for records without a key
};

struct Producer {
  int epoch = 0;
  std::shared_ptr<Transaction> open;
};

struct Member {
  std::string name;
  bool named = false;  // it joined under its name: another that does so takes its place
  std::shared_ptr<Process> process;
  SteadyTime last_poll;   // of a dead one: the last sign of life
  bool rejoined = false;  // in the rebalance under way
  int generation = -1;    // of the assignment that it took
  std::vector<std::int32_t> assigned;
};

struct Group {
  std::string topic;
  int generation = 0;
  bool rebalancing = false;
  std::map<std::uint64_t, Member> members;  // by id, in the order in which they joined
  std::set<std::uint64_t> replaced;         // ids whose place another took under their name
};

struct PlannedFault {
  int commits_until = 0;
  CommitFault fault = CommitFault::kAborted;
  std::string transactional_id;
};

struct Cluster {
  explicit Cluster(Clock& its_clock);

  Clock& clock;
  const bool waits;  // poll() waits: only on the system clock
  mutable std::mutex mutex;
  std::condition_variable changed;

  std::map<std::string, Topic, std::less<>> topics;
  std::map<std::string, Producer> producers;
  std::map<std::string, Group> groups;
  std::map<std::pair<std::string, TopicPartition>, std::int64_t> committed;
  std::uint64_t next_member_id = 1;
  std::uint64_t next_topic_id = 1;
  std::int64_t commits = 0;

  Millis session_timeout{10000};
  Millis max_poll_interval{300000};
  Millis transaction_timeout{60000};
  SteadyTime away_until{};
  std::set<std::string, std::less<>> denied;
  std::vector<PlannedFault> planned;
  int send_faults = 0;
  std::string publishes_lost_on;
  int publishes_lost = 0;
  Code send_fault = Code::kUnavailable;

  // kCancelled for a dead process, kUnavailable while away, kPermissionDenied, kNotFound.
  Status reachable(const Process& process) const;
  Status usable(const Process& process, std::string_view topic) const;
  // Lets time pass: ends what timed out. Call it first in every operation.
  void sweep();

  // ---- topics and transactions ----
  // Leaves one that is there as it is.
  Topic& make_topic(const std::string& name, std::int32_t partitions);
  std::int64_t append(const std::string& topic, std::int32_t partition, MemoryRecord record,
                      std::shared_ptr<Transaction> transaction);
  std::int32_t choose_partition(Topic& topic, const std::optional<std::string_view>& key);
  void end(Transaction& transaction, Transaction::Outcome outcome);
  // Whether any record was ever committed to this topic, as far as can be seen.
  bool ever_written(const std::string& topic) const;
  // Whether an open transaction may yet change what this group has committed here.
  bool is_pending(const std::pair<std::string, TopicPartition>& of_group) const;
  // Ends what the id has open and makes every earlier holder fenced. The new epoch.
  int take_over(const std::string& transactional_id);
  std::optional<CommitFault> due_fault(const std::string& transactional_id);

  // ---- groups ----
  // named: whoever is there under this name, dead or alive, is shut out, and its place taken with
  // all that it held, without a rebalance.
  std::uint64_t join(const std::string& group, const std::string& topic, const std::string& name,
                     bool named, std::shared_ptr<Process> process);
  void leave(const std::string& group, std::uint64_t member);
  void complete_rebalance(Group& group);

  // Waits for a change until `deadline`; false once it has passed, or at once if nobody waits.
  bool wait(std::unique_lock<std::mutex>& lock, SteadyTime deadline);

 private:
  void start_rebalance(Group& group);
  bool take_place(Group& group, std::uint64_t id, const Member& member);
};

// What a member was when it polled.
class MemoryGroupMetadata final : public GroupMetadata {
 public:
  MemoryGroupMetadata(std::string of_group, std::uint64_t its_member, int its_generation)
      : group(std::move(of_group)), member(its_member), generation(its_generation) {}
  const std::string group;
  const std::uint64_t member;
  const int generation;
};

// One member of one group: the rebalance protocol, shared by source and leadership.
class Membership {
 public:
  Membership(std::shared_ptr<Cluster> cluster, std::shared_ptr<Process> process, std::string topic,
             std::string group, std::string name, bool named);
  ~Membership();
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

  enum class Change { kNone, kRevoked, kLost, kAssigned, kReplaced };
  // The next step that is due. After kRevoked and kLost, `partitions` are those that went; after
  // kRevoked the caller does its last work and calls give_up(). After kAssigned they are the new.
  // After kReplaced there is no other step: another has this one's name.
  Change step(std::vector<std::int32_t>& partitions);
  void give_up();
  void leave();
  std::shared_ptr<const MemoryGroupMetadata> metadata() const;
  const Process& process() const { return *process_; }
  const std::string& topic() const { return topic_; }
  const std::string& group() const { return group_; }
  const std::vector<std::int32_t>& held() const { return held_; }

 private:
  const std::shared_ptr<Cluster> cluster_;
  const std::shared_ptr<Process> process_;  // this member's share of its process
  const std::string topic_;
  const std::string group_;
  const std::string name_;
  const bool named_;
  std::uint64_t id_ = 0;
  int generation_ = -1;
  std::vector<std::int32_t> held_;
};

Result<std::unique_ptr<RecordSource>> open_source(
    std::shared_ptr<Cluster> cluster, std::shared_ptr<Process> process, const std::string& topic,
    const std::string& group, const std::string& member, RebalanceListener& listener,
    const std::vector<std::string>& evidence);
Result<std::unique_ptr<TransactionalSink>> open_sink(std::shared_ptr<Cluster> cluster,
                                                     std::shared_ptr<Process> process,
                                                     const std::string& transactional_id,
                                                     Places places);
Result<std::unique_ptr<RecordPublisher>> open_publisher(std::shared_ptr<Cluster> cluster,
                                                        std::shared_ptr<Process> process);
Result<std::unique_ptr<LogReader>> open_log(std::shared_ptr<Cluster> cluster,
                                            std::shared_ptr<Process> process,
                                            const std::string& topic, StartAt start,
                                            std::int64_t time_ms);
Result<std::unique_ptr<TopicHistory>> open_history(std::shared_ptr<Cluster> cluster,
                                                   std::shared_ptr<Process> process,
                                                   const std::string& topic,
                                                   const HistoryStart& start);
Result<std::unique_ptr<TopicTail>> open_tail(std::shared_ptr<Cluster> cluster,
                                             std::shared_ptr<Process> process,
                                             const std::string& topic, const TailStart& start);
Result<std::unique_ptr<Leadership>> open_leadership(std::shared_ptr<Cluster> cluster,
                                                    std::shared_ptr<Process> process,
                                                    const std::string& topic,
                                                    const std::string& group,
                                                    const std::string& member);

}  // namespace weir::stream::memory
