#include "record/inputs.h"

namespace weir::record {

std::string_view input_kind_name(InputKind kind) {
  switch (kind) {
    case InputKind::kNumber: return "number";
    case InputKind::kCategory: return "category";
    case InputKind::kDateTime: return "date-time";
  }
  return "unknown";
}

}  // namespace weir::record
