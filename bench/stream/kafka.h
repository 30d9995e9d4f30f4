// What the programs of this bench share: clients with weir's own settings, and errors that end the
// program, as a bench has nothing to go on with.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "stream/kafka_client_internal.h"

namespace weir::bench {

[[noreturn]] void die(std::string_view what);

template <typename T>
T must(Result<T>&& result) {
  if (!result) die(result.error().message());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}
void must(rd_kafka_error_t* error, std::string_view what);
void must(rd_kafka_resp_err_t error, std::string_view what);

stream::KafkaClientFactory client_factory(const std::string& brokers);

// Hands over each record of a topic, from its beginning to its end, as a read_committed reader that
// does nothing else would get them: by batches.
void read_topic(const std::string& brokers, const char* topic, const std::string& name,
                const std::function<void(const rd_kafka_message_t&)>& take);

// What is there, as much as there is room for in `messages`; where nothing is, one message that is
// waited for. The messages are the caller's to destroy.
std::span<rd_kafka_message_t* const> poll_batch(rd_kafka_queue_t* queue,
                                                std::vector<rd_kafka_message_t*>& messages,
                                                int timeout_ms);

// The topic's partitions, each from its beginning.
stream::PartitionListPtr all_partitions(rd_kafka_t* client, const char* topic);

// Hands a copy of a record to the client; waits where its queue is full.
void produce(rd_kafka_t* client, rd_kafka_topic_t* topic, std::string_view key,
             std::string_view value);

// FNV-like over words of eight bytes: quick, and good enough to see that nothing was lost, doubled
// or changed by mistake.
std::uint64_t mix(std::uint64_t hash, std::uint64_t word);
std::uint64_t mix(std::uint64_t hash, std::string_view bytes);

inline std::string_view key_of(const rd_kafka_message_t& message) {
  return {static_cast<const char*>(message.key), message.key ? message.key_len : 0};
}
inline std::string_view value_of(const rd_kafka_message_t& message) {
  return {static_cast<const char*>(message.payload), message.payload ? message.len : 0};
}

}  // namespace weir::bench
