// Every answer of librdkafka and of a broker as one of our codes. The one place that knows.
//
// Threads: pure functions.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "stream/kafka_right_internal.h"

namespace weir::stream {

struct KafkaErrorFlags {
  bool fatal = false;      // the client is spent
  bool retriable = false;  // the same call may be made again
  bool abortable = false;  // the transaction must be aborted
};

// nullopt for a code that the table does not know: kafka_error_test walks librdkafka's own list.
std::optional<Code> tabled_code(rd_kafka_resp_err_t error);

Code classify(rd_kafka_resp_err_t error, KafkaErrorFlags flags = {});

struct KafkaErrorDeleter {
  void operator()(rd_kafka_error_t* error) const { rd_kafka_error_destroy(error); }
};
using KafkaErrorPtr = std::unique_ptr<rd_kafka_error_t, KafkaErrorDeleter>;

KafkaErrorFlags flags_of(const rd_kafka_error_t& error);

// "Broker: Unknown topic or partition (UNKNOWN_TOPIC_OR_PART)". `detail`: librdkafka's own words.
Error kafka_error(rd_kafka_resp_err_t error, const char* detail = nullptr,
                  KafkaErrorFlags flags = {});
Error kafka_error(const rd_kafka_error_t& error);

// A fatal error's real cause: librdkafka answers every later call with the same _FATAL. What the
// brokers deny is told as the right that is missing: `wanted`, where the error is of its kind; else
// what a client does with its own group or transactional id.
Error kafka_error(rd_kafka_t* client, rd_kafka_resp_err_t error, const char* detail = nullptr,
                  const KafkaRight* wanted = nullptr);

// A property that the client was made with; empty where it has none.
std::string kafka_property(rd_kafka_t* client, const char* name);

// kPermissionDenied, with the rights that the user of this client lacks.
Error kafka_denial(rd_kafka_t* client, std::span<const KafkaRight> lacking);

}  // namespace weir::stream
