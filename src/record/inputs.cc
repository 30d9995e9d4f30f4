#include "record/inputs.h"

#include <cmath>

namespace weir::record {
namespace {

// In seconds since 1970: of the years 1 to 9999, as format/date_time.h reads them.
constexpr double kFirstMoment = -62'135'596'800;
constexpr double kLastMoment = 253'402'300'800;

}  // namespace

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
  if (input.kind == InputKind::kDateTime) return value >= kFirstMoment && value <= kLastMoment;
  return std::isfinite(value) && (!input.positive || value > 0);
}

}  // namespace weir::record
