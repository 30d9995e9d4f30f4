// A topic's history by librdkafka's plain consumer, without a group: one client, and a queue for
// each partition, so that one that is not read keeps none of the others waiting.
//
// What is fetched ahead is bounded for all partitions together, as the limits of librdkafka count
// by partition where each has a queue of its own. Past a limit librdkafka looks again after
// fetch.queue.backoff.ms, which is 1 ms in this room; a partition that was read to its end is
// fetched no more, or its empty answers would hold up the fetches of the others, for one request
// asks a broker for all of its partitions.
//
// Where a span ends is not where its last record is: the last offsets may be markers or aborted. So
// a span has been read when a record at or past its end comes, or when librdkafka says that there
// is nothing more: it says so at the last stable offset, which is never below the end.
#include <algorithm>
#include <utility>

#include "stream/history_start.h"
#include "stream/kafka_client_internal.h"
#include "stream/kafka_record_batch_internal.h"

namespace weir::stream {
namespace {

constexpr std::size_t kRecordsPerCallMax = 100'000;
constexpr int kPrefetchKilobytesMax = 65'536;  // all partitions together
constexpr int kPrefetchRecordsMax = 400'000;   // likewise
constexpr int kPartitionKilobytesMin = 256;
constexpr int kPartitionRecordsMin = 1'000;

KafkaProperties bounded_prefetch(int partitions) {
  const int kilobytes = std::max(kPrefetchKilobytesMax / partitions, kPartitionKilobytesMin);
  const int records = std::max(kPrefetchRecordsMax / partitions, kPartitionRecordsMin);
  // One answer may go past the limit by what it holds of a partition.
  const int answer_kilobytes = std::clamp(kilobytes / 4, kPartitionKilobytesMin, 1'024);
  return {
      {"queued.max.messages.kbytes", std::to_string(kilobytes)},
      {"queued.min.messages", std::to_string(records)},
      {"fetch.message.max.bytes", std::to_string(answer_kilobytes * 1'024)},
      {"fetch.wait.max.ms", "10"},
  };
}

class KafkaTopicHistory final : public TopicHistory {
 public:
  KafkaTopicHistory(std::string topic, std::shared_ptr<KafkaClient> client,
                    std::vector<PartitionSpan> spans)
      : topic_(std::move(topic)), client_(std::move(client)), spans_(std::move(spans)) {
    for (const PartitionSpan& span : spans_) {
      Reading& at = readings_.emplace_back();
      at.position = span.begin;
    }
  }

  ~KafkaTopicHistory() override {
    for (const PartitionSpan& span : spans_) stop(span.partition);
  }

  Status start() {
    handle_.reset(rd_kafka_topic_new(client_->get(), topic_.c_str(), nullptr));
    if (!handle_) return fail(client_->error(rd_kafka_last_error()));
    for (const PartitionSpan& span : spans_) {
      if (span.begin >= span.end) continue;
      QueuePtr queue(rd_kafka_queue_new(client_->get()));
      if (rd_kafka_consume_start_queue(handle_.get(), span.partition, span.begin, queue.get())) {
        return fail(client_->error(rd_kafka_last_error()));
      }
      reading(span.partition).queue = std::move(queue);
    }
    return {};
  }

  const std::vector<PartitionSpan>& spans() const override { return spans_; }

  Result<std::unique_ptr<RecordBatch>> next(std::int32_t partition, std::size_t records_max,
                                            Millis timeout) override {
    if (partition < 0 || static_cast<std::size_t>(partition) >= spans_.size()) {
      return fail(Code::kInvalidArgument,
                  "topic " + topic_ + " has no partition " + std::to_string(partition));
    }
    const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
    Reading& at = reading(partition);
    auto batch = std::make_unique<KafkaRecordBatch>(client_);
    const std::size_t wanted = std::clamp<std::size_t>(records_max, 1, kRecordsPerCallMax);
    while (!ended(partition)) {
      if (at.broken) return fail(*at.broken);
      rd_kafka_poll(client_->get(), 0);  // errors of the client as a whole
      Status read = take(partition, wanted, Millis(0), *batch);
      if (read && batch->records().empty() && !ended(partition)) {
        // librdkafka waits until the array is full, not for the first record: ask for one, then
        // for what came along with it.
        read = take(partition, 1, left_until(deadline), *batch);
        if (read) read = take(partition, wanted - batch->records().size(), Millis(0), *batch);
      }
      if (!batch->records().empty()) return batch;  // what is broken is told by the next call
      if (!read) return fail(read.error());
      if (!ended(partition) && left_until(deadline) == Millis(0)) return fail(late(partition));
    }
    stop(partition);
    return batch;
  }

 private:
  struct Reading {
    QueuePtr queue;             // while it is fetched
    std::int64_t position = 0;  // all below has been read, or is no record
    std::optional<Error> broken;
  };

  Reading& reading(std::int32_t partition) {
    return readings_[static_cast<std::size_t>(partition)];
  }

  bool ended(std::int32_t partition) {
    return reading(partition).position >= spans_[static_cast<std::size_t>(partition)].end;
  }

  void stop(std::int32_t partition) {
    Reading& at = reading(partition);
    if (!at.queue) return;
    rd_kafka_consume_stop(handle_.get(), partition);
    at.queue.reset();
  }

  Status take(std::int32_t partition, std::size_t count_max, Millis timeout,
              KafkaRecordBatch& batch) {
    if (count_max == 0) return {};
    messages_.resize(count_max);
    const ssize_t got = rd_kafka_consume_batch_queue(
        reading(partition).queue.get(), milliseconds(timeout), messages_.data(), messages_.size());
    if (got <= 0) return {};
    batch.reserve(static_cast<std::size_t>(got));
    Status status;
    for (ssize_t i = 0; i < got; ++i) {
      rd_kafka_message_t* message = messages_[static_cast<std::size_t>(i)];
      if (wanted(partition, *message)) {
        batch.add(message);
        continue;
      }
      if (message->err) {
        Status event = on_event(partition, *message);
        if (status) status = std::move(event);
      }
      rd_kafka_message_destroy(message);
    }
    return status;
  }

  // Whether it is a record of the span. One that is past the end shows that the span has been read.
  bool wanted(std::int32_t partition, const rd_kafka_message_t& message) {
    if (message.err) return false;
    const std::int64_t end = spans_[static_cast<std::size_t>(partition)].end;
    std::int64_t& position = reading(partition).position;
    if (message.offset < position) return false;
    position = std::min(message.offset + 1, end);
    return message.offset < end;
  }

  Status on_event(std::int32_t partition, const rd_kafka_message_t& message) {
    Reading& at = reading(partition);
    switch (message.err) {
      case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        at.position = std::max(at.position, message.offset);
        return {};
      case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        at.broken = history_deleted(topic_, partition, at.position);
        break;
      default: {
        const KafkaRight wanted = to_read(topic_);
        at.broken = client_->error(message.err, rd_kafka_message_errstr(&message), &wanted);
      }
    }
    Error error = *at.broken;
    // librdkafka goes on by itself after what passes; a deletion stays.
    if (error.retryable()) at.broken.reset();
    return fail(std::move(error));
  }

  Error late(std::int32_t partition) {
    if (auto trouble = client_->context().take_trouble(true)) return std::move(*trouble);
    return client_->error(RD_KAFKA_RESP_ERR__TIMED_OUT)
        .while_doing("reading topic " + topic_ + " partition " + std::to_string(partition) +
                     " at offset " + std::to_string(reading(partition).position));
  }

  const std::string topic_;
  const std::shared_ptr<KafkaClient> client_;  // also held by the batches that are about
  const std::vector<PartitionSpan> spans_;
  std::unique_ptr<rd_kafka_topic_t, TopicHandleDeleter> handle_;
  std::vector<Reading> readings_;  // by partition
  std::vector<rd_kafka_message_t*> messages_;
};

Result<std::vector<PartitionBounds>> bounds_of(const KafkaClient& client, const std::string& topic,
                                               int count, const HistoryStart& start,
                                               Millis timeout) {
  const auto look_up = [&](std::int64_t spec) {
    return kafka_list_offsets(client, to_read(topic), count, spec,
                              RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED, timeout);
  };
  // The ends come last: what was found before is not past them.
  const auto earliest = WEIR_TRY(look_up(RD_KAFKA_OFFSET_SPEC_EARLIEST));
  std::vector<std::int64_t> at_time(earliest.size(), -1);
  if (start.time_ms) at_time = WEIR_TRY(look_up(std::max<std::int64_t>(*start.time_ms, 0)));
  const auto ends = WEIR_TRY(look_up(RD_KAFKA_OFFSET_SPEC_LATEST));
  std::vector<PartitionBounds> bounds;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    bounds.push_back({earliest[i], ends[i], at_time[i] < 0 ? ends[i] : at_time[i]});
  }
  return bounds;
}

}  // namespace

Result<std::unique_ptr<TopicHistory>> open_kafka_history(const KafkaClientFactory& factory,
                                                         const std::string& topic,
                                                         const HistoryStart& start) {
  const auto open = [&]() -> Result<std::unique_ptr<TopicHistory>> {
    const Millis lookup = factory.timeouts().lookup;
    // The limits of the client that reads depend on how many partitions there are.
    const auto asking = WEIR_TRY(
        factory.consumer("", "history", std::make_shared<KafkaClientContext>("history " + topic)));
    const int count = WEIR_TRY(kafka_partition_count(*asking, to_read(topic), lookup));
    const auto bounds = WEIR_TRY(bounds_of(*asking, topic, count, start, lookup));
    auto spans = WEIR_TRY(history_spans(topic, start, bounds));
    std::shared_ptr<KafkaClient> client = WEIR_TRY(
        factory.consumer("", "history", std::make_shared<KafkaClientContext>("history " + topic),
                         bounded_prefetch(count)));
    auto history = std::make_unique<KafkaTopicHistory>(topic, std::move(client), std::move(spans));
    WEIR_TRY(history->start());
    return history;
  };
  return during(open(), "opening the history of " + topic);
}

}  // namespace weir::stream
