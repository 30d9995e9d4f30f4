#include "format/dead_letter.h"

#include "base/text.h"

namespace weir::format {
namespace {

DeadLetterHeaders headers(const DeadLetterPlace& place, std::string_view stage,
                          std::string_view reader, std::string_view reason,
                          std::string_view message) {
  return {
      {"__connect.errors.topic", std::string(place.topic)},
      {"__connect.errors.partition", std::to_string(place.partition)},
      {"__connect.errors.offset", std::to_string(place.offset)},
      {"__connect.errors.connector.name", std::string(place.pipeline)},
      {"__connect.errors.task.id", std::string(place.task)},
      {"__connect.errors.stage", std::string(stage)},
      {"__connect.errors.class.name", std::string(reader)},
      {"__connect.errors.exception.class.name", "weir.refusal." + std::string(reason)},
      {"__connect.errors.exception.message", one_line(message)},
  };
}

}  // namespace

DeadLetterHeaders dead_letter_headers(const DeadLetterPlace& place, const FeatureRefusal& refusal) {
  return headers(place, "VALUE_CONVERTER", "weir.format.FeatureParser",
                 feature_refusal_name(refusal.kind), refusal.text);
}

DeadLetterHeaders dead_letter_headers_not_finite(const DeadLetterPlace& place) {
  return headers(place, "TRANSFORMATION", "weir.model.Model", "prediction_not_finite",
                 "the prediction is not a finite number");
}

DeadLetterHeaders dead_letter_headers_too_large(const DeadLetterPlace& place) {
  return headers(place, "TRANSFORMATION", "weir.score.BatchScorer", "prediction_too_large",
                 "the prediction with its key is larger than the broker takes");
}

}  // namespace weir::format
