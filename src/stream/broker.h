// Opens everything that a role needs of a Kafka cluster; the in-memory twin opens the same.
//
// Owner: cli (or a test); it outlives what it opened. Threads: any. Errors: kBadConfig for a
// property that librdkafka does not know or that the allow-list refuses, naming it; else those of
// the thing opened.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "stream/leadership.h"
#include "stream/log_reader.h"
#include "stream/record_source.h"
#include "stream/records.h"
#include "stream/topic_history.h"
#include "stream/topic_tail.h"
#include "stream/transactional_sink.h"

namespace weir::stream {

// What the caller does with a topic, and needs a right to where brokers ask for one.
struct TopicUse {
  bool describe = true;  // false: not his. Made where it is missing, if he may; else left alone
  bool read = false;
  bool write = false;
};

struct TopicSpec {
  std::string name;
  std::int32_t partitions = 1;
  bool keep_for_ever = false;  // retention.ms=-1, cleanup.policy=delete: never compacted, never cut
  std::int32_t replication = -1;  // -1: the broker's default
  TopicUse use = {};
};

enum class StartAt { kEarliest, kEnd, kTime };

class Broker {
 public:
  virtual ~Broker() = default;

  // Makes the topics that are missing. A topic that is there is left as it is. kPermissionDenied
  // names all the rights that the use of these topics needs and that this user lacks.
  virtual Status ensure_topics(const std::vector<TopicSpec>& topics, Millis timeout) = 0;

  // member: its name in the group, which outlives the process. Where the group has a member of that
  // name, the new one takes its place and partitions, with no rebalance, and the other is shut out:
  // so one that was killed holds nobody up if it comes back before its session is over.
  // evidence: topics that this group's commits alone fill. A group without any committed offset is
  // at its first start, and begins at the earliest record, unless one of these has (had) committed
  // records: then its offsets were lost, and poll() gives kCorrupt instead of doing it all again.
  virtual Result<std::unique_ptr<RecordSource>> open_source(
      const std::string& topic, const std::string& group, const std::string& member,
      RebalanceListener& listener, const std::vector<std::string>& evidence = {}) = 0;
  // Waits at most `timeout` for an earlier instance's open transaction to be ended.
  virtual Result<std::unique_ptr<TransactionalSink>> open_sink(
      const std::string& transactional_id, Millis timeout, Places places = Places::kNotTold) = 0;
  virtual Result<std::unique_ptr<RecordPublisher>> open_publisher() = 0;
  // time_ms: only for StartAt::kTime, since 1970.
  virtual Result<std::unique_ptr<LogReader>> open_log(const std::string& topic, StartAt start,
                                                      std::int64_t time_ms = 0) = 0;
  virtual Result<std::unique_ptr<Leadership>> open_leadership(const std::string& topic,
                                                              const std::string& group,
                                                              const std::string& member) = 0;
  // What the topic holds now, from `start` on; see topic_history.h. kCorrupt where a named offset
  // is below the earliest record, kInvalidArgument for a partition that the topic has not.
  virtual Result<std::unique_ptr<TopicHistory>> open_history(const std::string& topic,
                                                             const HistoryStart& start) = 0;
  // Follows the topic from these offsets on; see topic_tail.h.
  virtual Result<std::unique_ptr<TopicTail>> open_tail(const std::string& topic,
                                                       const TailStart& start) = 0;
  // Where a group stands, without joining it, by partition. Partitions in which it has committed
  // nothing are absent, so that a group that never was gives none. Waits out a transaction that
  // has offsets of the group pending.
  virtual Result<std::vector<PartitionOffset>> committed_offsets(const std::string& group,
                                                                 const std::string& topic,
                                                                 Millis timeout) = 0;
  // By partition, all of them, the offset after the last record of any kind: markers and the
  // records of open and aborted transactions included.
  virtual Result<std::vector<PartitionOffset>> log_ends(const std::string& topic,
                                                        Millis timeout) = 0;
  // Ends whatever the holder of this transactional id has open and shuts it out for good.
  virtual Status fence(const std::string& transactional_id, Millis timeout) = 0;
};

}  // namespace weir::stream
