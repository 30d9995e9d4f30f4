// The number that stands for the text of a value: the one place that says so, for the cells of a
// data set and for the values of messages alike. What each kind becomes: record/inputs.h.
//
// Blanks (spaces, tabs) around the text do not count. A number is read as csv_rows.h has it. A text
// that is empty or one of the missing words is a missing value, of whatever kind.
//
// Owner: the reader of a data set or of messages. Threads: constant after construction. Errors: a
// RowFault; nothing is allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "format/row_fault.h"
#include "record/inputs.h"

namespace weir::format {

std::string_view without_blanks(std::string_view text);

// A decimal number, with blanks around it or a '+' before it. RowFault where it is none.
std::optional<RowFault> read_number(std::string_view text, double& value);

class CellEncoder {
 public:
  explicit CellEncoder(record::Inputs inputs);  // not plain
  CellEncoder(const CellEncoder&) = delete;
  CellEncoder& operator=(const CellEncoder&) = delete;

  const record::Inputs& inputs() const { return inputs_; }
  record::InputKind kind(std::size_t column) const { return inputs_.columns[column].kind; }
  bool may_be_missing(std::size_t column) const { return inputs_.columns[column].may_be_missing; }
  // Whether each number there is stands for itself.
  bool takes_any_number(std::size_t column) const {
    return kind(column) == record::InputKind::kNumber && !inputs_.columns[column].positive &&
           words_are_texts_;
  }

  std::optional<RowFault> encode(std::size_t column, std::string_view text, double& value) const;
  // As encode() of the number's own text; NaN is a value that is not there.
  std::optional<RowFault> encode_number(std::size_t column, double number, double& value) const;
  // Of a value that is not there.
  std::optional<RowFault> encode_missing(std::size_t column, double& value) const;

  // A text that encode() reads as this value. Of categories that are not known there is none.
  std::string decode(std::size_t column, double value) const;

 private:
  bool stands_for_nothing(std::string_view text) const;

  const record::Inputs inputs_;
  const bool words_are_texts_;  // none of the missing words is a number
  // By column; the keys are views into inputs_.
  std::vector<std::unordered_map<std::string_view, std::uint32_t>> places_;
};

}  // namespace weir::format
