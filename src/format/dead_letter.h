// The headers that tell why a record is in the dead letter topic, named and spelt as Kafka Connect
// does, so that tools that read its dead letters read ours.
//
// Threads: pure functions. Errors: none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "format/feature_refusal.h"

namespace weir::format {

// Where the refused record stands, and who refused it.
struct DeadLetterPlace {
  std::string_view topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::string_view pipeline;  // __connect.errors.connector.name
  std::string_view task;      // __connect.errors.task.id: the scorer's member name or number
};

using DeadLetterHeaders = std::vector<std::pair<std::string, std::string>>;

// A message that FeatureParser refused: stage VALUE_CONVERTER.
DeadLetterHeaders dead_letter_headers(const DeadLetterPlace& place, const FeatureRefusal& refusal);
// A row whose prediction is not finite: stage TRANSFORMATION.
DeadLetterHeaders dead_letter_headers_not_finite(const DeadLetterPlace& place);
// A message of so many rows, or with so long a key, that its prediction is larger than the broker
// takes: stage TRANSFORMATION.
DeadLetterHeaders dead_letter_headers_too_large(const DeadLetterPlace& place);

}  // namespace weir::format
