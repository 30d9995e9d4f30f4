// Follows a topic by librdkafka's plain consumer: all partitions in one queue, so that librdkafka's
// limits on what is fetched ahead count for all of them together.
//
// Where librdkafka says that a partition is at its end, everything below is passed: behind the last
// record there may be markers and aborted transactions, and whoever waits for an end would wait for
// ever if they did not count.
#include <algorithm>
#include <utility>

#include "stream/kafka_client_internal.h"
#include "stream/kafka_record_batch_internal.h"
#include "stream/start_offset.h"
#include "stream/topic_tail.h"

namespace weir::stream {
namespace {

constexpr std::size_t kRecordsPerCallMax = 100'000;
constexpr Millis kLookForPartitionsEvery{5'000};
constexpr Millis kLookMax{1'000};

// A reader that keeps what it reads needs less ahead than a scorer.
KafkaProperties bounded_prefetch() {
  return {
      {"queued.max.messages.kbytes", "16384"},
      {"queued.min.messages", "50000"},
      {"fetch.message.max.bytes", "1048576"},
  };
}

class KafkaTopicTail final : public TopicTail {
 public:
  KafkaTopicTail(std::string topic, std::shared_ptr<KafkaClient> client, std::string id,
                 TailPlan plan, const std::vector<TailBounds>& bounds)
      : topic_(std::move(topic)),
        client_(std::move(client)),
        id_(std::move(id)),
        plan_(std::move(plan)),
        queue_(rd_kafka_queue_new(client_->get())) {
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      positions_.push_back({static_cast<std::int32_t>(i), plan_.begins[i], bounds[i].end});
    }
  }

  ~KafkaTopicTail() override {
    for (int partition = 0; partition < started_; ++partition) {
      rd_kafka_consume_stop(handle_.get(), partition);
    }
  }

  Status start() {
    handle_.reset(rd_kafka_topic_new(client_->get(), topic_.c_str(), nullptr));
    if (!handle_) return fail(client_->error(rd_kafka_last_error()));
    for (const std::int64_t begin : plan_.begins) {
      if (rd_kafka_consume_start_queue(handle_.get(), started_, begin, queue_.get())) {
        return fail(client_->error(rd_kafka_last_error()));
      }
      ++started_;
    }
    return {};
  }

  const std::string& topic_id() const override { return id_; }
  bool made_anew() const override { return plan_.made_anew; }
  const std::vector<TailJump>& jumps() const override { return plan_.jumps; }

  std::vector<PartitionPosition> positions() const override {
    std::vector<PartitionPosition> now = positions_;
    for (PartitionPosition& at : now) {
      // What the last fetch said; no request is made.
      std::int64_t low = 0;
      std::int64_t high = 0;
      if (!rd_kafka_get_watermark_offsets(client_->get(), topic_.c_str(), at.partition, &low,
                                          &high)) {
        at.end = std::max(at.end.value_or(0), high);
      }
    }
    return now;
  }

  Result<std::unique_ptr<RecordBatch>> poll(std::size_t records_max, Millis timeout) override {
    const Inside call("following a topic");
    if (broken_) return fail(*broken_);
    const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
    const std::size_t wanted = std::clamp<std::size_t>(records_max, 1, kRecordsPerCallMax);
    auto batch = std::make_unique<KafkaRecordBatch>(client_);
    rd_kafka_poll(client_->get(), 0);  // errors of the client as a whole
    WEIR_TRY(follow_new_partitions());
    Status read = take(wanted, Millis(0), *batch);
    while (read && batch->records().empty() && left_until(deadline) > Millis(0)) {
      // librdkafka waits until the array is full, not for the first record: ask for one, then for
      // what came along with it.
      read = take(1, left_until(deadline), *batch);
      if (read && !batch->records().empty()) read = take(wanted - 1, Millis(0), *batch);
    }
    if (!batch->records().empty()) return batch;  // what is broken is told by the next call
    if (!read) return fail(read.error());
    if (auto trouble = client_->context().take_trouble()) return fail(std::move(*trouble));
    return batch;
  }

 private:
  Status follow_new_partitions() {
    const SteadyTime now = std::chrono::steady_clock::now();
    if (now < next_look_) return {};
    next_look_ = now + kLookForPartitionsEvery;
    const auto count = kafka_partition_count(*client_, to_read(topic_), kLookMax);
    if (!count) return {};  // what ails the brokers is told by what is fetched
    for (; started_ < *count; ++started_) {
      if (rd_kafka_consume_start_queue(handle_.get(), started_, 0, queue_.get())) {
        return fail(client_->error(rd_kafka_last_error()));
      }
      positions_.push_back({started_, 0, 0});
    }
    return {};
  }

  Status take(std::size_t count_max, Millis timeout, KafkaRecordBatch& batch) {
    if (count_max == 0) return {};
    messages_.resize(count_max);
    const ssize_t got = rd_kafka_consume_batch_queue(queue_.get(), milliseconds(timeout),
                                                     messages_.data(), messages_.size());
    if (got <= 0) return {};
    batch.reserve(static_cast<std::size_t>(got));
    Status status;
    for (ssize_t i = 0; i < got; ++i) {
      rd_kafka_message_t* message = messages_[static_cast<std::size_t>(i)];
      if (wanted(*message)) {
        batch.add(message);
        continue;
      }
      if (message->err) {
        Status event = on_event(*message);
        if (status) status = std::move(event);
      }
      rd_kafka_message_destroy(message);
    }
    return status;
  }

  PartitionPosition* at(const rd_kafka_message_t& message) {
    // An error of the client as a whole names no partition of ours.
    const auto index = static_cast<std::size_t>(std::max(message.partition, 0));
    return message.partition < 0 || index >= positions_.size() ? nullptr : &positions_[index];
  }

  bool wanted(const rd_kafka_message_t& message) {
    PartitionPosition* position = at(message);
    if (message.err || !position || message.offset < position->next) return false;
    position->next = message.offset + 1;
    position->end = std::max(position->end.value_or(0), position->next);
    return true;
  }

  Status on_event(const rd_kafka_message_t& message) {
    PartitionPosition* position = at(message);
    switch (message.err) {
      case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        if (!position) return {};
        position->next = std::max(position->next, message.offset);
        position->end = position->next;
        return {};
      case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        broken_ = out_of_range(topic_, message.partition, position ? position->next : -1);
        return fail(*broken_);
      default: {
        const KafkaRight right = to_read(topic_);
        return fail(client_->error(message.err, rd_kafka_message_errstr(&message), &right));
      }
    }
  }

  const std::string topic_;
  const std::shared_ptr<KafkaClient> client_;  // also held by the batches that are about
  const std::string id_;
  const TailPlan plan_;
  const QueuePtr queue_;
  std::unique_ptr<rd_kafka_topic_t, TopicHandleDeleter> handle_;
  int started_ = 0;                           // partitions, from 0
  std::vector<PartitionPosition> positions_;  // by partition
  std::vector<rd_kafka_message_t*> messages_;
  SteadyTime next_look_ = std::chrono::steady_clock::now() + kLookForPartitionsEvery;
  std::optional<Error> broken_;  // the next offset is gone: only another tail can go on
};

Result<std::vector<TailBounds>> bounds_of(const KafkaClient& client, const std::string& topic,
                                          int count, const TailStart& start, Millis timeout) {
  const auto look_up = [&](std::int64_t spec) {
    return kafka_list_offsets(client, to_read(topic), count, spec,
                              RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED, timeout);
  };
  const auto earliest = WEIR_TRY(look_up(RD_KAFKA_OFFSET_SPEC_EARLIEST));
  std::vector<std::int64_t> at_time(earliest.size(), -1);
  if (start.else_from_ms)
    at_time = WEIR_TRY(look_up(std::max<std::int64_t>(*start.else_from_ms, 0)));
  // The ends come last: what was found before is not past them.
  const auto ends = WEIR_TRY(look_up(RD_KAFKA_OFFSET_SPEC_LATEST));
  std::vector<TailBounds> bounds;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    bounds.push_back({earliest[i], ends[i], at_time[i] < 0 ? ends[i] : at_time[i]});
  }
  return bounds;
}

}  // namespace

Result<std::unique_ptr<TopicTail>> open_kafka_tail(const KafkaClientFactory& factory,
                                                   const std::string& topic,
                                                   const TailStart& start) {
  const auto open = [&]() -> Result<std::unique_ptr<TopicTail>> {
    const Millis lookup = factory.timeouts().lookup;
    std::shared_ptr<KafkaClient> client = WEIR_TRY(factory.consumer(
        "", "tail", std::make_shared<KafkaClientContext>("tail of " + topic), bounded_prefetch()));
    const int count = WEIR_TRY(kafka_partition_count(*client, to_read(topic), lookup));
    std::string id = WEIR_TRY(kafka_topic_id(*client, topic, lookup));
    const auto bounds = WEIR_TRY(bounds_of(*client, topic, count, start, lookup));
    TailPlan plan = plan_tail(start, id, bounds);
    auto tail = std::make_unique<KafkaTopicTail>(topic, std::move(client), std::move(id),
                                                 std::move(plan), bounds);
    WEIR_TRY(tail->start());
    return tail;
  };
  return during(open(), "opening the tail of " + topic);
}

}  // namespace weir::stream
