#include "format/feature_refusal.h"

namespace weir::format {

std::string_view feature_refusal_name(FeatureRefusalKind kind) {
  switch (kind) {
    case FeatureRefusalKind::kTombstone: return "tombstone";
    case FeatureRefusalKind::kTooLong: return "too_long";
    case FeatureRefusalKind::kNotJson: return "not_json";
    case FeatureRefusalKind::kNotUtf8: return "not_utf8";
    case FeatureRefusalKind::kTooDeep: return "too_deep";
    case FeatureRefusalKind::kNotAnObject: return "not_an_object";
    case FeatureRefusalKind::kMissingFeature: return "missing_feature";
    case FeatureRefusalKind::kDuplicateFeature: return "duplicate_feature";
    case FeatureRefusalKind::kNotANumber: return "not_a_number";
    case FeatureRefusalKind::kOutOfRange: return "out_of_range";
    case FeatureRefusalKind::kNotADateTime: return "not_a_date_time";
    case FeatureRefusalKind::kNotPositive: return "not_positive";
    case FeatureRefusalKind::kRowLabels: return "row_labels";
  }
  return "unknown";
}

}  // namespace weir::format
