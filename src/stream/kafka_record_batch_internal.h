// A batch that owns librdkafka's messages and shows them without a copy. It keeps the client alive
// that they came from.
#pragma once

#include <librdkafka/rdkafka.h>

#include <vector>

#include "stream/kafka_client_internal.h"
#include "stream/records.h"

namespace weir::stream {

class KafkaRecordBatch final : public RecordBatch {
 public:
  explicit KafkaRecordBatch(std::shared_ptr<const KafkaClient> client)
      : client_(std::move(client)) {}
  ~KafkaRecordBatch() override {
    for (rd_kafka_message_t* message : messages_) rd_kafka_message_destroy(message);
  }
  KafkaRecordBatch(const KafkaRecordBatch&) = delete;
  KafkaRecordBatch& operator=(const KafkaRecordBatch&) = delete;

  void reserve(std::size_t count) {
    messages_.reserve(count);
    records_.reserve(count);
  }

  void add(rd_kafka_message_t* message) {
    messages_.push_back(message);
    Record& record = records_.emplace_back();
    record.partition = message->partition;
    record.offset = message->offset;
    record.timestamp_ms = rd_kafka_message_timestamp(message, nullptr);
    if (message->key) record.key.emplace(static_cast<const char*>(message->key), message->key_len);
    if (message->payload) {
      record.value = {static_cast<const char*>(message->payload), message->len};
    }
  }

  void set_group(std::shared_ptr<const GroupMetadata> group) { group_ = std::move(group); }

  std::span<const Record> records() const override { return records_; }
  std::shared_ptr<const GroupMetadata> group() const override { return group_; }

  Headers headers(std::size_t index) const override {
    Headers copied;
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(messages_.at(index), &headers)) return copied;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &size); ++i) {
      copied.emplace_back(name, value ? std::string(static_cast<const char*>(value), size) : "");
    }
    return copied;
  }

  std::optional<std::string_view> header(std::size_t index,
                                         const std::string& name) const override {
    rd_kafka_headers_t* headers = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    if (rd_kafka_message_headers(messages_.at(index), &headers) ||
        rd_kafka_header_get_last(headers, name.c_str(), &value, &size)) {
      return std::nullopt;
    }
    return value ? std::string_view(static_cast<const char*>(value), size) : std::string_view();
  }

 private:
  const std::shared_ptr<const KafkaClient> client_;
  std::vector<rd_kafka_message_t*> messages_;
  std::vector<Record> records_;
  std::shared_ptr<const GroupMetadata> group_;
};

}  // namespace weir::stream
