#include <algorithm>
#include <utility>

#include "base/text.h"
#include "format/csv_rows.h"

namespace weir::format {

std::string_view row_fault_name(RowFault fault) {
  switch (fault) {
    case RowFault::kFieldCount: return "field_count";
    case RowFault::kEmptyCell: return "empty_cell";
    case RowFault::kNotANumber: return "not_a_number";
    case RowFault::kNotFinite: return "not_finite";
    case RowFault::kOutOfRange: return "out_of_range";
    case RowFault::kNotADateTime: return "not_a_date_time";
    case RowFault::kNotPositive: return "not_positive";
    case RowFault::kQuoting: return "quoting";
  }
  return "unknown";
}

std::string_view row_fault_text(RowFault fault) {
  switch (fault) {
    case RowFault::kFieldCount: return "a wrong number of fields";
    case RowFault::kEmptyCell: return "an empty cell";
    case RowFault::kNotANumber: return "not a number";
    case RowFault::kNotFinite: return "not a finite number";
    case RowFault::kOutOfRange: return "a number that no double can hold";
    case RowFault::kNotADateTime: return "not a date-time";
    case RowFault::kNotPositive: return "not above 0, where the logarithm is taken";
    case RowFault::kQuoting: return "malformed quotes";
  }
  return "unknown";
}

std::string RefusedRows::Example::text() const {
  std::string out = "line " + std::to_string(line);
  if (column > 0) {
    out += ", column " + std::to_string(column);
    if (!reason.column.empty()) out += " '" + one_line(reason.column) + "'";
  }
  out += ": " + cause;
  if (!excerpt.empty()) out += ": '" + excerpt + "'";
  return out;
}

void RefusedRows::add(const Reason& reason) {
  ++count_;
  ++reasons_[reason];
}

bool RefusedRows::wants_example(std::uint64_t record) const {
  return examples_.size() < kExamplesMax || record < examples_.back().record;
}

void RefusedRows::add_example(Example example) {
  const auto after = std::upper_bound(
      examples_.begin(), examples_.end(), example.record,
      [](std::uint64_t record, const Example& other) { return record < other.record; });
  examples_.insert(after, std::move(example));
  if (examples_.size() > kExamplesMax) examples_.pop_back();
}

void RefusedRows::merge(const RefusedRows& other) {
  count_ += other.count_;
  blank_records_ += other.blank_records_;
  for (const auto& [reason, count] : other.reasons_) reasons_[reason] += count;
  for (const Example& example : other.examples_) {
    if (wants_example(example.record)) add_example(example);
  }
}

}  // namespace weir::format
