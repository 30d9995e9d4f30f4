// Reads a topic by librdkafka's plain consumer, which needs neither a group nor a right to
// one.
//
// Where the log ends is not where its last record is: the last
// offset may be the marker of a transaction, and an open transaction hides what comes after it. So
// read_to_end takes the end of the whole log, as a read_uncommitted reader sees it, and goes on
// until a record or an end-of-partition event shows that everything below has been passed.
#include <algorithm>
#include <utility>

#include "stream/kafka_client_internal.h"
#include "stream/start_offset.h"

namespace weir::stream {
namespace {

constexpr std::size_t kRecordsPerCall = 1000;

class KafkaLogReader final : public LogReader {
 public:
  KafkaLogReader(std::string topic, std::unique_ptr<KafkaClient> client,
                 std::vector<std::int64_t> positions)
      : topic_(std::move(topic)),
        client_(std::move(client)),
        queue_(rd_kafka_queue_new(client_->get())),
        positions_(std::move(positions)) {}

  ~KafkaLogReader() override {
    for (int partition = 0; partition < started_; ++partition) {
      rd_kafka_consume_stop(handle_.get(), partition);
    }
  }

  Status start() {
    handle_.reset(rd_kafka_topic_new(client_->get(), topic_.c_str(), nullptr));
    if (!handle_) return fail(client_->error(rd_kafka_last_error()));
    for (const std::int64_t position : positions_) {
      if (rd_kafka_consume_start_queue(handle_.get(), started_, position, queue_.get())) {
        return fail(client_->error(rd_kafka_last_error()));
      }
      ++started_;
    }
    return {};
  }

  Result<std::vector<LogEntry>> poll(Millis timeout) override {
    const Inside call("polling a log");
    const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
    do {
      WEIR_TRY(read(kept_.empty() ? left_until(deadline) : Millis(0)));
    } while (kept_.empty() && left_until(deadline) > Millis(0));
    if (kept_.empty()) {
      if (auto trouble = client_->context().take_trouble()) return fail(std::move(*trouble));
    }
    return std::exchange(kept_, {});
  }

  Result<std::vector<LogEntry>> read_to_end(Millis timeout) override {
    const Inside call("reading a log to its end");
    const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
    const std::vector<std::int64_t> ends =
        WEIR_TRY(during(kafka_log_ends(*client_, to_read(topic_), started_, timeout),
                        "looking for the end of " + topic_));
    for (std::size_t partition = 0; partition < ends.size();) {
      if (positions_[partition] >= ends[partition]) {
        ++partition;
        continue;
      }
      if (left_until(deadline) == Millis(0)) {
        return fail(Code::kTimeout, "the end of " + topic_ + " partition " +
                                        std::to_string(partition) + " is offset " +
                                        std::to_string(ends[partition]) +
                                        ", and an open transaction or a broker hides it from " +
                                        std::to_string(positions_[partition]) + " on");
      }
      WEIR_TRY(read(left_until(deadline)));
    }
    return std::exchange(kept_, {});
  }

 private:
  // What is there into kept_, or the first that comes.
  Status read(Millis timeout) {
    rd_kafka_message_t* messages[kRecordsPerCall];
    rd_kafka_poll(client_->get(), 0);  // errors of the client as a whole
    ssize_t count = rd_kafka_consume_batch_queue(queue_.get(), 0, messages, kRecordsPerCall);
    if (count <= 0 && timeout > Millis(0)) {
      count = rd_kafka_consume_batch_queue(queue_.get(), milliseconds(timeout), messages, 1);
    }
    Status status;
    for (ssize_t i = 0; i < count; ++i) {
      if (status) status = take(*messages[i]);
      rd_kafka_message_destroy(messages[i]);
    }
    return status;
  }

  Status take(const rd_kafka_message_t& message) {
    // An error of the client as a whole names no partition of ours.
    const auto partition = static_cast<std::size_t>(std::max(message.partition, 0));
    if (partition >= positions_.size()) return {};
    std::int64_t& position = positions_[partition];
    switch (message.err) {
      case RD_KAFKA_RESP_ERR_NO_ERROR: break;
      case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        position = std::max(position, message.offset);
        return {};
      case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        return fail(out_of_range(topic_, message.partition, position));
      default: {
        const KafkaRight wanted = to_read(topic_);
        return fail(client_->error(message.err, rd_kafka_message_errstr(&message), &wanted));
      }
    }
    if (message.offset < position) return {};
    LogEntry& entry = kept_.emplace_back();
    entry.partition = message.partition;
    entry.offset = message.offset;
    entry.timestamp_ms = rd_kafka_message_timestamp(&message, nullptr);
    if (message.key) entry.key.assign(static_cast<const char*>(message.key), message.key_len);
    if (message.payload) entry.value.assign(static_cast<const char*>(message.payload), message.len);
    position = message.offset + 1;
    return {};
  }

  const std::string topic_;
  const std::unique_ptr<KafkaClient> client_;
  const QueuePtr queue_;
  std::unique_ptr<rd_kafka_topic_t, TopicHandleDeleter> handle_;
  int started_ = 0;                      // partitions, from 0
  std::vector<std::int64_t> positions_;  // by partition: all below has been read, or is no record
  std::vector<LogEntry> kept_;           // read, and not handed out yet
};

Result<std::int64_t> start_position(const KafkaClient& client, const std::string& topic,
                                    std::int32_t partition, StartAt start, std::int64_t time_ms,
                                    Millis timeout) {
  std::int64_t low = 0;
  std::int64_t high = 0;  // under read_committed: the last stable offset
  if (const auto error = rd_kafka_query_watermark_offsets(client.get(), topic.c_str(), partition,
                                                          &low, &high, milliseconds(timeout))) {
    return fail(client.error(error, to_read(topic)));
  }
  if (start == StartAt::kEarliest) return low;
  if (start == StartAt::kEnd) return high;
  const PartitionListPtr times(rd_kafka_topic_partition_list_new(1));
  auto* at = rd_kafka_topic_partition_list_add(times.get(), topic.c_str(), partition);
  at->offset = time_ms;
  if (const auto error =
          rd_kafka_offsets_for_times(client.get(), times.get(), milliseconds(timeout))) {
    return fail(client.error(error, to_read(topic)));
  }
  if (at->err) return fail(client.error(at->err, to_read(topic)));
  return at->offset < 0 ? high : std::min(at->offset, high);
}

}  // namespace

Result<std::unique_ptr<LogReader>> open_kafka_log(const KafkaClientFactory& factory,
                                                  const std::string& topic, StartAt start,
                                                  std::int64_t time_ms) {
  auto client = WEIR_TRY(
      factory.consumer("", "reader", std::make_shared<KafkaClientContext>("log " + topic)));
  const Millis lookup = factory.timeouts().lookup;
  std::vector<std::int64_t> positions;
  const auto find_positions = [&]() -> Status {
    const SteadyTime deadline = std::chrono::steady_clock::now() + lookup;
    const int count = WEIR_TRY(kafka_partition_count(*client, to_read(topic), lookup));
    for (int partition = 0; partition < count; ++partition) {
      auto position = start_position(*client, topic, partition, start, time_ms, lookup);
      // A topic that was made just now may not have its leaders yet.
      while (!position && position.error().code() == Code::kUnavailable &&
             left_until(deadline) > Millis(0)) {
        rd_kafka_poll(client->get(), 50);
        position = start_position(*client, topic, partition, start, time_ms, lookup);
      }
      positions.push_back(WEIR_TRY(std::move(position)));
    }
    return {};
  };
  WEIR_TRY(during(find_positions(), "opening " + topic));
  auto reader = std::make_unique<KafkaLogReader>(topic, std::move(client), std::move(positions));
  WEIR_TRY(reader->start());
  return reader;
}

}  // namespace weir::stream
