// One librdkafka client, ended in bounded time, its log turned into ours.
//
// Owner: the source, sink or reader that uses it. Threads: as that one; librdkafka's own threads
// call only the log callback. Errors: kBadConfig, kExhausted from make().
#pragma once

#include <librdkafka/rdkafka.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/pulse.h"
#include "stream/kafka_broker.h"
#include "stream/kafka_config_internal.h"
#include "stream/kafka_error_internal.h"

namespace weir::stream {

struct PartitionListDeleter {
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
};
using PartitionListPtr = std::unique_ptr<rd_kafka_topic_partition_list_t, PartitionListDeleter>;

struct QueueDeleter {
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
};
using QueuePtr = std::unique_ptr<rd_kafka_queue_t, QueueDeleter>;

struct TopicHandleDeleter {
  void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
};

// What librdkafka's callbacks get: it outlives the client, whose last threads may still log.
class KafkaClientContext {
 public:
  explicit KafkaClientContext(std::string name) : name_(std::move(name)) {}

  // Set before the client is made, cleared before it ends; called by the owner's thread alone.
  std::function<void(rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t*)> on_rebalance;
  std::function<void(const rd_kafka_message_t&)> on_delivery_error;
  // Instead of on_delivery_error alone: hears of each record that was delivered, too.
  std::function<void(const rd_kafka_message_t&)> on_delivered;

  void log(int level, std::string_view facility, std::string_view text);
  void on_error(rd_kafka_t* client, rd_kafka_resp_err_t error, const char* reason);
  // What keeps the client from working as a whole: no broker left, a wrong password. Once for each
  // time that it begins. `passing_too`: that of any one broker as well, for a client that no broker
  // has answered so far.
  std::optional<Error> take_trouble(bool passing_too = false);
  // As take_trouble(), of a login alone: the rest is kept.
  std::optional<Error> take_refused_login();
  // The last word from a broker, for an error that would else only say "timed out".
  std::string last_words() const;

 private:
  const std::string name_;
  mutable std::mutex mutex_;
  std::optional<Error> trouble_;  // guarded by mutex_
  std::optional<Error> passing_;  // guarded by mutex_
  std::string last_words_;        // guarded by mutex_
  SteadyTime last_warning_{};     // guarded by mutex_
  bool warned_ = false;           // guarded by mutex_
};

class KafkaClient {
 public:
  static Result<std::unique_ptr<KafkaClient>> make(rd_kafka_type_t type, ConfPtr conf,
                                                   std::shared_ptr<KafkaClientContext> context,
                                                   Millis close_timeout);
  // Waits for at most the close time-out; what has not ended by then is left to a thread of its
  // own.
  ~KafkaClient();
  KafkaClient(const KafkaClient&) = delete;
  KafkaClient& operator=(const KafkaClient&) = delete;

  rd_kafka_t* get() const { return client_; }
  KafkaClientContext& context() const { return *context_; }
  // The error of a call on this client, with the last word from a broker where it timed out.
  // `wanted`: the right that the call needs, which is named where the brokers deny it.
  Error error(rd_kafka_resp_err_t code, const char* detail = nullptr,
              const KafkaRight* wanted = nullptr) const;
  Error error(rd_kafka_resp_err_t code, const KafkaRight& wanted) const {
    return error(code, nullptr, &wanted);
  }
  Error error(const rd_kafka_error_t& error) const;
  // As error(), of a call that may be the client's first: where no broker has said a word, the
  // listener may speak another protocol, and librdkafka does not tell.
  Error first_error(rd_kafka_resp_err_t code, const char* detail = nullptr) const;
  // A wrong password, a certificate that is not trusted: what waiting does not mend.
  std::optional<Error> refused_login() const;

 private:
  KafkaClient(rd_kafka_t* client, std::shared_ptr<KafkaClientContext> context,
              Millis close_timeout);
  Error explained(Error error) const;

  rd_kafka_t* const client_;
  const std::shared_ptr<KafkaClientContext> context_;
  const Millis close_timeout_;
};

// Makes clients as this room needs them, from the user's properties.
class KafkaClientFactory {
 public:
  KafkaClientFactory(KafkaProperties properties, KafkaTimeouts timeouts,
                     CrashPoints crash_points = {})
      : properties_(std::move(properties)),
        timeouts_(timeouts),
        crash_points_(std::move(crash_points)) {}

  using Context = std::shared_ptr<KafkaClientContext>;
  using Made = Result<std::unique_ptr<KafkaClient>>;
  // Empty group: for librdkafka's plain consumer, and for admin requests.
  // `tuning` goes before the defaults of this room; the user's properties go before both.
  Made consumer(const std::string& group, const std::string& member, Context context,
                const KafkaProperties& tuning = {}) const;
  // Empty transactional id: idempotent only.
  Made producer(const std::string& transactional_id, Context context) const;
  const KafkaTimeouts& timeouts() const { return timeouts_; }
  const CrashPoints& crash_points() const { return crash_points_; }

 private:
  const KafkaProperties properties_;
  const KafkaTimeouts timeouts_;
  const CrashPoints crash_points_;
};

// For librdkafka's time-outs: whole milliseconds, never below 0, where -1 would mean for ever.
inline int milliseconds(Millis duration) {
  if (duration <= Millis(0)) return 0;
  return static_cast<int>(std::min<Millis::rep>(duration.count(), 1 << 30));
}

// What is left until a moment, on the real clock: librdkafka knows no other.
inline Millis left_until(SteadyTime deadline) {
  return std::max(Millis(0),
                  std::chrono::duration_cast<Millis>(deadline - std::chrono::steady_clock::now()));
}

Result<std::unique_ptr<RecordSource>> open_kafka_source(const KafkaClientFactory& factory,
                                                        const std::string& topic,
                                                        const std::string& group,
                                                        const std::string& member,
                                                        RebalanceListener& listener,
                                                        const std::vector<std::string>& evidence);
Result<std::unique_ptr<TransactionalSink>> open_kafka_sink(const KafkaClientFactory& factory,
                                                           const std::string& transactional_id,
                                                           Millis timeout,
                                                           Places places = Places::kNotTold);
Result<std::unique_ptr<RecordPublisher>> open_kafka_publisher(const KafkaClientFactory& factory);
Result<std::unique_ptr<LogReader>> open_kafka_log(const KafkaClientFactory& factory,
                                                  const std::string& topic, StartAt start,
                                                  std::int64_t time_ms);
Result<std::unique_ptr<Leadership>> open_kafka_leadership(const KafkaClientFactory& factory,
                                                          const std::string& topic,
                                                          const std::string& group,
                                                          const std::string& member);
Result<std::unique_ptr<TopicHistory>> open_kafka_history(const KafkaClientFactory& factory,
                                                         const std::string& topic,
                                                         const HistoryStart& start);
Result<std::unique_ptr<TopicTail>> open_kafka_tail(const KafkaClientFactory& factory,
                                                   const std::string& topic,
                                                   const TailStart& start);
Result<std::vector<PartitionOffset>> kafka_committed_offsets(const KafkaClientFactory& factory,
                                                             const std::string& group,
                                                             const std::string& topic,
                                                             Millis timeout);
Status ensure_kafka_topics(const KafkaClientFactory& factory, const std::vector<TopicSpec>& topics,
                           Millis timeout);
// Here and below, `wanted` is a right on the topic that is looked at: what the caller needs it for.
Result<int> kafka_partition_count(const KafkaClient& client, const KafkaRight& wanted,
                                  Millis timeout);
// What tells a topic from another one of its name, made later; empty from brokers before 2.8.
Result<std::string> kafka_topic_id(const KafkaClient& client, const std::string& topic,
                                   Millis timeout);
// Of these rights on topics, those that the client's user lacks.
Result<std::vector<KafkaRight>> kafka_lacking_rights(const KafkaClient& client,
                                                     const std::vector<KafkaRight>& wanted,
                                                     Millis timeout);
// What the brokers answer for the partitions 0 to count - 1, in this order. spec: a time since
// 1970, which gives -1 where no record is that late, or one of RD_KAFKA_OFFSET_SPEC_….
Result<std::vector<std::int64_t>> kafka_list_offsets(const KafkaClient& client,
                                                     const KafkaRight& wanted, int count,
                                                     std::int64_t spec,
                                                     rd_kafka_IsolationLevel_t isolation,
                                                     Millis timeout);
// By partition, the offset after the last record of any kind, open transactions included.
Result<std::vector<std::int64_t>> kafka_log_ends(const KafkaClient& client,
                                                 const KafkaRight& wanted, int count,
                                                 Millis timeout);
Status fence_kafka_producer(const KafkaClientFactory& factory, const std::string& transactional_id,
                            Millis timeout);

}  // namespace weir::stream
