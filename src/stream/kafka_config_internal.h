// What a user may pass through to librdkafka, and what this room sets for itself.
//
// Threads: pure functions. Errors: kBadConfig, naming the property and the nearest known one.
#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "stream/kafka_broker.h"

namespace weir::stream {

struct ConfDeleter {
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};
using ConfPtr = std::unique_ptr<rd_kafka_conf_t, ConfDeleter>;

struct KafkaProperty {
  std::string name;
  bool consumer = false;
  bool producer = false;
  bool pointer = false;  // a callback or an object: has no text form
};

// All that this librdkafka knows, from its own table.
const std::vector<KafkaProperty>& known_properties();

// Why a property is not passed through; empty where it is.
std::string_view refusal(std::string_view property);

// Whether brokers take this name for a group.instance.id.
bool is_instance_name(std::string_view name);

// How long a transaction may last, and the records in it may be on their way: the latter is less,
// or librdkafka takes neither. Where the user sets one of the two, the other one follows it.
KafkaProperties transaction_bounds(const KafkaProperties& user, std::chrono::milliseconds longest);

Status check_properties(const KafkaProperties& properties);

// A configuration of `defaults`, then the user's properties of that kind of client, then `owned`.
Result<ConfPtr> make_conf(rd_kafka_type_t type, const KafkaProperties& defaults,
                          const KafkaProperties& user, const KafkaProperties& owned);

}  // namespace weir::stream
