// Why a message gives no features: the reason that its dead letter tells.
//
// Threads: a plain value.
#pragma once

#include <string>
#include <string_view>

namespace weir::format {

enum class FeatureRefusalKind {
  kTombstone,  // no value
  kTooLong,    // more than message_bytes_max
  kNotJson,    // also bytes after the document
  kNotUtf8,
  kTooDeep,      // nested deeper than depth_max
  kNotAnObject,  // JSON of another shape
  kMissingFeature,
  kDuplicateFeature,
  kNotANumber,  // null, text, numbers in quotes, an object in a number's place
  kOutOfRange,  // 1e999, 1e-999: no double holds it
  kNotADateTime,
  kNotPositive,  // 0 or less, where the logarithm is taken
  kRowLabels,    // columns that disagree about the rows, a label twice, no rows
};
std::string_view feature_refusal_name(FeatureRefusalKind kind);  // "missing_feature": stable

struct FeatureRefusal {
  FeatureRefusalKind kind = FeatureRefusalKind::kNotJson;
  std::string text;  // names the feature or the byte; one line, safe to log
};

}  // namespace weir::format
