#include "record/inputs.h"

#include <cmath>

namespace weir::record {

std::string_view input_kind_name(InputKind kind) {
  switch (kind) {
    case InputKind::kNumber: return "number";
    case InputKind::kCategory: return "category";
    case InputKind::kDateTime: return "date-time";
  }
  return "unknown";
}

bool may_be_value(const Input& input, double value) {
  if (std::isnan(value)) return input.may_be_missing;
  if (input.kind == InputKind::kCategory) {
    return value >= 0 && value <= static_cast<double>(input.categories.size()) &&
           value == std::floor(value);
  }
  return std::isfinite(value) && (!input.positive || value > 0);
}

}  // namespace weir::record
