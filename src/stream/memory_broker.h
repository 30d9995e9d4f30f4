// The in-memory twin of a Kafka cluster, for tests of the roles: topics, transactions with
// read_committed visibility and fencing, consumer groups with generations and rebalances, committed
// offsets and leadership, on a clock that the test holds. And faults on demand.
//
// It keeps the contracts of broker.h. Where Kafka offers a choice it behaves as the Kafka wrapper
// does: sources that join under their names, eager rebalances (every member gives up all, then the
// group deals anew), range assignment, markers that take up an offset, one more per partition and
// transaction.
//
// Owner: the test; it outlives what it opened. Threads: any. With the system clock, poll() waits
// for what it is asked to wait for; with any other clock it returns at once, so that one thread can
// play all the roles.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "stream/broker.h"

namespace weir::stream {

namespace memory {
struct Cluster;
struct Process;
}  // namespace memory

// What the twin does to a commit.
enum class CommitFault {
  kAborted,             // kUnavailable, and nothing of it is visible
  kUnknownButHappened,  // kUnknownOutcome, and all of it is visible
  kUnknownNotHappened,  // kUnknownOutcome, and nothing of it is visible
  kFenced,              // kFenced, and nothing of it is visible
  kRefused,             // kInvalidArgument: a record is larger than its topic takes
  // kUnknownOutcome, after which the transaction stays open, its offsets sent: as where the process
  // dies just then. Nobody is told committed offsets of these partitions until it has ended.
  kOffsetsSent,
};

// The cluster as one process sees it. crash() is a kill -9: every handle that was opened here is
// dead from then on (its calls give kCancelled), the group waits for its members until their
// session times out, its open transactions stay open. A test with crash points calls crash() before
// it throws, so that the destructors that run then say no goodbye.
class MemoryInstance : public Broker {
 public:
  explicit MemoryInstance(std::shared_ptr<memory::Cluster> cluster);
  ~MemoryInstance() override;
  MemoryInstance(const MemoryInstance&) = delete;
  MemoryInstance& operator=(const MemoryInstance&) = delete;

  void crash();

  Status ensure_topics(const std::vector<TopicSpec>& topics, Millis timeout) override;
  Result<std::unique_ptr<RecordSource>> open_source(
      const std::string& topic, const std::string& group, const std::string& member,
      RebalanceListener& listener, const std::vector<std::string>& evidence = {}) override;
  Result<std::unique_ptr<TransactionalSink>> open_sink(const std::string& transactional_id,
                                                       Millis timeout,
                                                       Places places = Places::kNotTold) override;
  Result<std::unique_ptr<RecordPublisher>> open_publisher() override;
  Result<std::unique_ptr<LogReader>> open_log(const std::string& topic, StartAt start,
                                              std::int64_t time_ms = 0) override;
  Result<std::unique_ptr<Leadership>> open_leadership(const std::string& topic,
                                                      const std::string& group,
                                                      const std::string& member) override;
  Result<std::unique_ptr<TopicHistory>> open_history(const std::string& topic,
                                                     const HistoryStart& start) override;
  Result<std::unique_ptr<TopicTail>> open_tail(const std::string& topic,
                                               const TailStart& start) override;
  Result<std::vector<PartitionOffset>> committed_offsets(const std::string& group,
                                                         const std::string& topic,
                                                         Millis timeout) override;
  Result<std::vector<PartitionOffset>> log_ends(const std::string& topic, Millis timeout) override;
  Status fence(const std::string& transactional_id, Millis timeout) override;

 protected:
  std::shared_ptr<memory::Cluster> cluster_;
  std::shared_ptr<memory::Process> process_;
};

// A record as a test sees it.
struct MemoryRecord {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = 0;
  std::optional<std::string> key;
  std::string value;
  Headers headers;
  bool null_value = false;  // a tombstone; `value` is empty then
};

class MemoryBroker final : public MemoryInstance {
 public:
  explicit MemoryBroker(Clock& clock = system_clock());

  // Another process on the same cluster.
  std::unique_ptr<MemoryInstance> instance();

  // ---- what a test looks at and puts in ----
  // By partition, then offset. committed_only: what a read_committed reader can see by now.
  std::vector<MemoryRecord> records(const std::string& topic, bool committed_only = true) const;
  // Makes the topic, with one partition, where it is missing. The record's offset.
  std::int64_t produce(const std::string& topic, std::optional<std::string> key, std::string value,
                       std::optional<std::int32_t> partition = std::nullopt, Headers headers = {});
  std::map<std::int32_t, std::int64_t> committed(const std::string& group,
                                                 const std::string& topic) const;
  // Members by name that the group counts on now, the crashed included until they time out.
  std::vector<std::string> members(const std::string& group) const;
  int open_transactions() const;
  std::int64_t commits() const;  // transactions that took place, since the start

  // ---- what a test does to it ----
  void set_timeouts(Millis session, Millis max_poll_interval, Millis transaction);
  // The Nth commit from now (1 = the next), of this transactional id or, where empty, of anyone.
  void fail_commit(int nth, CommitFault fault, std::string transactional_id = "");
  // Every next record sent is refused like this, `times` times: kUnavailable or kInvalidArgument.
  void fail_sends(int times, Code code);
  // The next records that a publisher sends to this topic never arrive; the next flush() says so.
  void lose_publishes(const std::string& topic, int times);
  // The group throws these members out, as after a session time-out; they learn of it in poll().
  void expire_member(std::string_view member);
  // As crash() of an instance, for the sources and leaderships of this member alone.
  void crash_member(std::string_view member);
  // kPermissionDenied for everything on this topic.
  void set_denied(const std::string& topic, bool denied);
  // Nothing answers until then: kUnavailable, or kTimeout from what waits for an answer.
  void set_away_until(SteadyTime time);
  // Retention: everything below `offset` is gone.
  void delete_records_before(const std::string& topic, std::int32_t partition, std::int64_t offset);
  void forget_committed(const std::string& group, const std::string& topic,
                        std::optional<std::int32_t> partition = std::nullopt);
  void add_partitions(const std::string& topic, std::int32_t count);
  // With all its records; one made later under this name is another.
  void delete_topic(const std::string& topic);
};

}  // namespace weir::stream
