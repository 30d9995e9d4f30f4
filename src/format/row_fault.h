// Why the text of a row, or of one value in it, cannot be taken.
//
// Threads: pure functions.
#pragma once

#include <string_view>

namespace weir::format {

enum class RowFault {
  kFieldCount,    // more or fewer fields than the header
  kEmptyCell,     // nothing, or what stands for nothing, where a value must be
  kNotANumber,    // text
  kNotFinite,     // nan, inf
  kOutOfRange,    // no double holds it
  kNotADateTime,  // nothing that parse_date_time() knows
  kNotPositive,   // 0 or less, where the logarithm is taken
  kQuoting,       // malformed quotes
};
std::string_view row_fault_name(RowFault fault);  // "empty_cell": stable, for JSON
std::string_view row_fault_text(RowFault fault);  // "an empty cell": for people

}  // namespace weir::format
