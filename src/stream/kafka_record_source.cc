// A member of a consumer group, by librdkafka.
//
// It joins under its name (static membership): who is killed and comes back within its session
// takes up its partitions with no rebalance, so that the group need not wait for the dead. The one
// before is shut out by the group, in all that it may still ask for, offsets of a transaction
// included.
//
// Rebalances are eager: the group takes everything from everybody, then deals anew. Simpler than
// the cooperative protocol, and sound: between the two no member holds anything, so that a
// generation stands for one dealing of the partitions.
//
// An assignment is taken in two steps. The rebalance callback, deep inside librdkafka, only accepts
// an empty assignment and notes what was dealt and the group's generation. Then poll() itself,
// where it may fail and be called again, looks up the committed offsets, decides where each
// partition begins (start_offset.h), tells the listener and lets librdkafka fetch; partitions whose
// offsets a dead member's transaction hides come later, and the others do not wait for them. A
// revocation cannot wait: its listener, who commits, runs inside the callback, while the partitions
// are still ours.
//
// The group metadata is taken once for each assignment and travels with every batch of it. Taken
// later, it could be that of a member that was thrown out and knows it: an empty member id without
// a generation, which brokers accept unchecked in a transaction.
//
// What is handed out is decided here, by positions_: nothing of a partition that is not held,
// nothing below the expected offset, nothing while paused. librdkafka is told to seek to these
// positions after a rewind and after every pause, and a seek makes it drop what it had fetched.
#include <algorithm>
#include <exception>
#include <thread>

#include "base/check.h"
#include "base/log.h"
#include "stream/kafka_group_internal.h"
#include "stream/kafka_record_batch_internal.h"
#include "stream/start_offset.h"

namespace weir::stream {
namespace {

constexpr std::size_t kRecordsPerPollMax = 100000;
constexpr int kFalseAlarmsMax = 20;
constexpr Millis kFirstLook{250};  // at the offsets of what was dealt; then twice as long each time
constexpr Millis kShortLook{100};  // at those that wait for a transaction while others flow
constexpr Millis kLookAgainAfter{1000};
// Where brokers are so slow that a short look never gets an answer, one in so many has patience.
constexpr int kPatientLookEvery = 60;
constexpr Millis kSeekPatience{500};  // a partition that was assigned a moment ago takes a while

class KafkaRecordSource final : public RecordSource {
 public:
  KafkaRecordSource(const KafkaClientFactory& factory, std::string topic, std::string group,
                    RebalanceListener& listener, std::vector<std::string> evidence)
      : factory_(factory),
        topic_(std::move(topic)),
        group_name_(std::move(group)),
        evidence_(std::move(evidence)),
        timeouts_(factory.timeouts()),
        listener_(&listener) {}

  ~KafkaRecordSource() override {
    listener_ = nullptr;
    close();
  }

  Status start(const std::string& member) {
    auto context = std::make_shared<KafkaClientContext>("source " + topic_);
    context->on_rebalance = [this](rd_kafka_resp_err_t change,
                                   rd_kafka_topic_partition_list_t* partitions) {
      on_rebalance(change, *partitions);
    };
    KafkaProperties tuning;
    if (is_instance_name(member)) tuning["group.instance.id"] = member;
    client_ = WEIR_TRY(factory_.consumer(group_name_, member, context, tuning));
    queue_.reset(rd_kafka_queue_get_consumer(client_->get()));
    return subscribe(*client_, topic_);
  }

  Result<std::unique_ptr<RecordBatch>> poll(std::size_t records_max, Millis timeout) override {
    const Inside call("polling the features topic");
    if (closed_) return fail(Code::kInvalidArgument, "the source is closed");
    const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
    auto batch = std::make_unique<KafkaRecordBatch>(client_);
    messages_.resize(std::min(std::max<std::size_t>(records_max, 1), kRecordsPerPollMax));
    for (;;) {
      if (broken_) return fail(*broken_);
      if (deferred_) return fail(*std::exchange(deferred_, std::nullopt));
      WEIR_TRY(place());
      WEIR_TRY(look_into_doubt());
      if (broken_) return fail(*broken_);
      WEIR_TRY(seek());
      std::size_t count = consume(messages_.size(), Millis(0));
      const Millis left = left_until(deadline);
      // librdkafka waits until the array is full, not for the first record: ask for one.
      if (count == 0 && left > Millis(0) && !to_place()) count = consume(1, left);
      sort_out(count, *batch);
      if (!batch->records().empty()) {
        false_alarms_ = 0;
        break;
      }
      if (doubted_) continue;
      if (!broken_ && !deferred_) {
        if (auto trouble = client_->context().take_trouble(positions_.empty())) {
          defer(std::move(*trouble));
        }
      }
      if (!broken_ && !deferred_ && !to_place() && left_until(deadline) == Millis(0)) break;
    }
    batch->set_group(group_);
    return batch;
  }

  void set_paused(bool paused) override {
    if (paused == paused_) return;
    paused_ = paused;
    apply_pause();
    if (!paused) seek_due_ = true;
  }

  Status rewind_to_committed() override {
    const Inside call("asking for the committed offsets");
    if (closed_) return fail(Code::kInvalidArgument, "the source is closed");
    if (positions_.empty()) return {};  // it will begin at the committed offsets
    const PartitionListPtr offsets = list_of(topic_, assignment());
    WEIR_TRY(look_up_committed(*client_, to_read(topic_), *offsets, timeouts_.lookup));
    for (int i = 0; i < offsets->cnt; ++i) {
      Position& position = positions_.at(offsets->elems[i].partition);
      position.next = offsets->elems[i].offset >= 0 ? offsets->elems[i].offset : position.began;
      position.end.reset();
    }
    seek_due_ = true;
    return seek();
  }

  std::vector<std::int32_t> assignment() const override {
    std::vector<std::int32_t> partitions;
    for (const auto& [partition, position] : positions_) partitions.push_back(partition);
    return partitions;
  }

  std::vector<PartitionPosition> positions() const override {
    std::vector<PartitionPosition> found;
    for (const auto& [partition, position] : positions_) {
      PartitionPosition at{partition, std::max(position.next, position.end.value_or(0)), {}};
      std::int64_t low = 0;
      std::int64_t high = 0;
      const auto error =
          rd_kafka_get_watermark_offsets(client_->get(), topic_.c_str(), partition, &low, &high);
      if (!error && high >= 0) at.end = std::max(high, at.next);
      found.push_back(at);
    }
    return found;
  }

  bool at_end() const override {
    return !dealt_ && !positions_.empty() &&
           std::all_of(positions_.begin(), positions_.end(),
                       [](const auto& at) { return at.second.end.has_value(); });
  }

  void close() override {
    if (closed_ || !client_) return;
    closed_ = true;
    const Inside call("leaving the group");
    leave_group(*client_, *queue_, timeouts_.close);
    positions_.clear();
    last_ = nullptr;
    queue_.reset();
    client_->context().on_rebalance = nullptr;
    rethrow();
  }

 private:
  // Nothing that was dealt is placed yet: before anything else.
  bool to_place() const { return dealt_ && positions_.empty(); }

  struct Position {
    std::int64_t began = 0;
    std::int64_t next = 0;              // nothing below is handed out
    std::optional<std::int64_t> end{};  // read to there; told of, and never gone on from
  };

  std::size_t consume(std::size_t records_max, Millis timeout) {
    rebalanced_ = false;
    const ssize_t count = rd_kafka_consume_batch_queue(queue_.get(), milliseconds(timeout),
                                                       messages_.data(), records_max);
    rethrow();
    return count < 0 ? 0 : static_cast<std::size_t>(count);
  }

  // An exception of the listener, carried across librdkafka's frames.
  void rethrow() {
    if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
  }

  void on_rebalance(rd_kafka_resp_err_t change, const rd_kafka_topic_partition_list_t& partitions) {
    rebalanced_ = true;
    if (change == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
      dealt_.reset(rd_kafka_topic_partition_list_copy(&partitions));
      positions_.clear();
      last_ = nullptr;
      group_ = KafkaGroupMetadata::now(client_->get());
      const PartitionListPtr none(rd_kafka_topic_partition_list_new(0));
      rd_kafka_assign(client_->get(), none.get());
    } else {
      give_up(rd_kafka_assignment_lost(client_->get()) != 0);
      rd_kafka_assign(client_->get(), nullptr);
    }
    if (queue_) rd_kafka_queue_yield(queue_.get());  // poll() has work to do
  }

  void give_up(bool lost) {
    dealt_.reset();
    looks_ = 0;
    const std::vector<std::int32_t> held = assignment();
    if (listener_ && !held.empty()) {
      try {
        lost ? listener_->on_lost(held) : listener_->on_revoked(held);
      } catch (...) {
        thrown_ = std::current_exception();
      }
    }
    positions_.clear();
    last_ = nullptr;
    group_ = nullptr;
    seek_due_ = false;
  }

  // The second step of an assignment. Where it fails, the next poll() tries again.
  Status place() {
    if (!dealt_) return {};
    if (!group_) {
      // Thrown out between the dealing and now: the revocation is on its way.
      dealt_.reset();
      return {};
    }
    // The rest of a dealing of which a part flows already is looked at now and then.
    const bool rest = !positions_.empty();
    if (rest && std::chrono::steady_clock::now() < next_look_) return {};
    auto starts = find_some_starts(rest);
    next_look_ = std::chrono::steady_clock::now() + kLookAgainAfter;
    if (!starts) {
      if (rest && starts.error().retryable()) return {};
      if (starts.error().code() == Code::kCorrupt) broken_ = starts.error();
      return fail(
          std::move(starts.error()).while_doing("looking up where the group is in " + topic_));
    }
    if (dealt_) {
      weir::log::warn("partitions wait for a transaction that another scorer left open",
                      {{"topic", topic_}, {"count", dealt_->cnt}});
    }
    std::vector<std::int32_t> placed;
    for (const PartitionOffset& start : *starts) {
      positions_[start.partition] = {start.next_offset, start.next_offset};
      placed.push_back(start.partition);
    }
    last_ = nullptr;
    if (listener_ && !placed.empty()) listener_->on_assigned(placed);
    return fetch_anew();
  }

  // Where the group begins in what was dealt; what it does not find stays there. A transaction that
  // a dead member left open may hide the offsets of a few partitions, which is no reason for the
  // others to wait. Fails where it finds none at all.
  Result<std::vector<PartitionOffset>> find_some_starts(bool rest) {
    const auto first_start = [this] { return check_first_start(); };
    std::vector<PartitionOffset> found;
    const auto look = [&](PartitionListPtr at, Millis timeout) {
      Status status = find_starts(*client_, topic_, *at, first_start, timeout, timeouts_.lookup);
      for (int i = 0; status && i < at->cnt; ++i) {
        found.push_back({at->elems[i].partition, at->elems[i].offset});
      }
      return status;
    };
    // All of it within the time of one look-up, as an end is waited for no longer. While others
    // flow they must not be held up for long; where brokers are slow, only patience helps.
    const SteadyTime deadline = std::chrono::steady_clock::now() + timeouts_.lookup;
    const bool patient = ++looks_ % kPatientLookEvery == 0;
    const Millis patience =
        rest ? (patient ? timeouts_.lookup / 2 : kShortLook)
             : std::min(timeouts_.lookup / 2, kFirstLook * (1 << std::min(looks_ - 1, 8)));
    std::vector<std::int32_t> left;
    for (int i = 0; i < dealt_->cnt; ++i) left.push_back(dealt_->elems[i].partition);
    Status looked = rest ? Status() : look(list_of(topic_, left), patience);
    if (!looked && (!looked.error().retryable() || left.size() == 1)) {
      return fail(hidden_or_slow(looked.error()));
    }
    if (!rest && looked) left.clear();
    for (std::size_t tries = left.size(); tries > 0; --tries) {
      const std::int32_t partition = left.front();
      left.erase(left.begin());
      looked = look(list_of(topic_, {partition}), std::min(patience, left_until(deadline)));
      if (looked) continue;
      if (!looked.error().retryable()) return fail(looked.error());
      left.push_back(partition);  // behind the others, so that each has its turn
      if (rest) break;
    }
    dealt_ = left.empty() ? nullptr : list_of(topic_, left);
    if (found.empty() && dealt_) return fail(hidden_or_slow(looked.error()));
    return found;
  }

  static Error hidden_or_slow(Error error) {
    if (!error.retryable()) return error;
    return std::move(error).while_doing(
        "asking for committed offsets, which brokers keep back while a scorer that died in the "
        "middle "
        "of a commit has its transaction open (start it again under its name, or wait)");
  }

  Status check_first_start() const {
    for (const std::string& topic : evidence_) {
      const auto written = ever_written(factory_, topic, timeouts_.lookup);
      if (!written && written.error().code() == Code::kNotFound) continue;
      if (!written) return fail(written.error());
      if (*written) return fail(offsets_lost(group_name_, topic_, topic));
    }
    return {};
  }

  void apply_pause() {
    if (positions_.empty()) return;
    const PartitionListPtr list = list_of(topic_, assignment());
    paused_ ? rd_kafka_pause_partitions(client_->get(), list.get())
            : rd_kafka_resume_partitions(client_->get(), list.get());
  }

  Status seek() {
    if (!seek_due_ || paused_ || positions_.empty()) return {};
    const Status sought =
        seek_all(*client_, *next_of_all(), std::min(timeouts_.lookup, kSeekPatience));
    // librdkafka will not seek in what it gave up, and the event that tells of that may still be in
    // the queue, which is not looked into before.
    if (!sought) return fetch_anew();
    seek_due_ = false;
    return {};
  }

  // What is held, each partition at the offset that is to come next.
  PartitionListPtr next_of_all() const {
    PartitionListPtr list = list_of(topic_, assignment());
    for (int i = 0; i < list->cnt; ++i) {
      list->elems[i].offset = positions_.at(list->elems[i].partition).next;
    }
    return list;
  }

  // librdkafka has given a partition up as out of range. It has been seen to do so at the very end
  // of a log, after a pause and a seek, where nothing was wrong. So the broker is asked; where the
  // offset is in range, fetching begins anew, for librdkafka will not seek in what it gave up.
  Status look_into_doubt() {
    if (!doubted_) return {};
    const auto found = positions_.find(*doubted_);
    if (found == positions_.end()) {
      doubted_.reset();
      return {};
    }
    const std::int64_t next = found->second.next;
    const auto is_there = [&]() -> Result<bool> {
      std::int64_t low = 0;
      std::int64_t high = 0;
      if (const auto error =
              rd_kafka_query_watermark_offsets(client_->get(), topic_.c_str(), *doubted_, &low,
                                               &high, milliseconds(timeouts_.lookup))) {
        return fail(client_->error(error, to_read(topic_)));
      }
      return low <= next && next <= high;
    };
    const bool in_range = WEIR_TRY(
        during(is_there(), "looking for offset " + std::to_string(next) + " in " + topic_));
    if (!in_range || ++false_alarms_ > kFalseAlarmsMax) {
      broken_ = out_of_range(topic_, *doubted_, next);
      return {};
    }
    doubted_.reset();
    return fetch_anew();
  }

  Status fetch_anew() {
    if (const auto error = rd_kafka_assign(client_->get(), next_of_all().get())) {
      return fail(client_->error(error));
    }
    apply_pause();
    seek_due_ = false;
    return {};
  }

  void sort_out(std::size_t count, KafkaRecordBatch& batch) {
    batch.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      rd_kafka_message_t* message = messages_[i];
      // After a rebalance inside the call it cannot be told whose a message is; the positions have
      // not moved, so that none is lost.
      if (rebalanced_ || message->err != RD_KAFKA_RESP_ERR_NO_ERROR || !expected(*message)) {
        const bool of_the_client = message->err == RD_KAFKA_RESP_ERR__FATAL;
        if ((!rebalanced_ || of_the_client) && message->err) on_event(*message);
        rd_kafka_message_destroy(message);
        continue;
      }
      last_->next = message->offset + 1;
      last_->end.reset();
      batch.add(message);
    }
  }

  // Whether this record is the next of a partition that is held; leaves that in last_.
  bool expected(const rd_kafka_message_t& message) {
    if (paused_) {
      seek_due_ = true;  // it will be asked for again
      return false;
    }
    if (!last_ || last_partition_ != message.partition) {
      const auto found = positions_.find(message.partition);
      if (found == positions_.end()) return false;
      last_ = &found->second;
      last_partition_ = message.partition;
    }
    return message.offset >= last_->next;
  }

  void on_event(const rd_kafka_message_t& message) {
    switch (message.err) {
      case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        if (const auto found = positions_.find(message.partition);
            found != positions_.end() && message.offset >= found->second.next) {
          found->second.end = message.offset;
        }
        return;
      case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        weir::log::debug("a partition was given up as out of range",
                         {{"topic", topic_},
                          {"partition", message.partition},
                          {"reason", std::string(rd_kafka_message_errstr(&message))}});
        doubted_ = message.partition;
        return;
      case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
        weir::log::warn("poll was called too late, the group goes on without this member",
                        {{"topic", topic_}});
        return;
      default: {
        const KafkaRight wanted = to_read(topic_);
        defer(client_->error(message.err, rd_kafka_message_errstr(&message), &wanted));
      }
    }
  }

  // An error for the next poll(). Where another took this one's place, for all of them.
  void defer(Error error) {
    if (error.code() != Code::kFenced) {
      deferred_ = std::move(error);
      return;
    }
    broken_ = Error(Code::kFenced, "another process has joined group " + group_name_ + " as '" +
                                       kafka_property(client_->get(), "group.instance.id") +
                                       "', and has the partitions of this one: " + error.reason());
  }

  const KafkaClientFactory& factory_;
  const std::string topic_;
  const std::string group_name_;
  const std::vector<std::string> evidence_;
  const KafkaTimeouts timeouts_;
  RebalanceListener* listener_;          // null while this is destroyed
  std::shared_ptr<KafkaClient> client_;  // also held by the batches that are about
  QueuePtr queue_;

  std::map<std::int32_t, Position> positions_;  // of what is held
  Position* last_ = nullptr;                    // into positions_, of last_partition_
  std::int32_t last_partition_ = -1;
  PartitionListPtr dealt_;  // by the group, and not placed yet
  SteadyTime next_look_{};  // at these
  int looks_ = 0;           // so far
  std::shared_ptr<const KafkaGroupMetadata> group_;
  bool rebalanced_ = false;  // inside the last call of librdkafka
  bool paused_ = false;
  bool seek_due_ = false;
  bool closed_ = false;
  std::optional<Error> broken_;          // for good: only a person can set it right
  std::optional<Error> deferred_;        // for the next poll()
  std::optional<std::int32_t> doubted_;  // a partition that librdkafka calls out of range
  int false_alarms_ = 0;                 // of that kind, since the last record
  std::exception_ptr thrown_;
  std::vector<rd_kafka_message_t*> messages_;
};

}  // namespace

Result<std::unique_ptr<RecordSource>> open_kafka_source(const KafkaClientFactory& factory,
                                                        const std::string& topic,
                                                        const std::string& group,
                                                        const std::string& member,
                                                        RebalanceListener& listener,
                                                        const std::vector<std::string>& evidence) {
  auto source = std::make_unique<KafkaRecordSource>(factory, topic, group, listener, evidence);
  WEIR_TRY(source->start(member));
  return source;
}

}  // namespace weir::stream
