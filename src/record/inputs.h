// What the features of a row are, and the number that stands for the text of each.
//
// A row is carried as doubles, one for each feature in the schema's order:
//   a number     itself
//   a category   its place in `categories`; their count, for any text that is not among them
//   a date-time  seconds since 1970-01-01T00:00:00Z
//   missing      NaN
// The same rules hold for a data set's cells and for messages: format/cell_encoder.h.
//
// Threads: a plain value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::record {

enum class InputKind { kNumber, kCategory, kDateTime };
std::string_view input_kind_name(InputKind kind);  // "number", "category", "date-time"

struct Input {
  InputKind kind = InputKind::kNumber;
  bool may_be_missing = false;          // else a row without it is refused
  bool positive = false;                // a number of 0 or less is refused: its logarithm is taken
  std::vector<std::string> categories;  // of a category: the texts that training knew

  bool operator==(const Input&) const = default;
};

struct Inputs {
  // One for each feature; none at all where each is a number that must be there.
  std::vector<Input> columns;
  // What stands for a missing value beside nothing: "NA".
  std::vector<std::string> missing_words;

  bool plain() const { return columns.empty(); }
  bool operator==(const Inputs&) const = default;
};

// Whether a row can have this number at the place of such an input.
bool may_be_value(const Input& input, double value);

}  // namespace weir::record
