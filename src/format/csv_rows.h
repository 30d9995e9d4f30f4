// From chunks of a CSV data set to blocks of numbers, with every row that is not numbers refused
// and counted.
//
// A cell is a decimal number as std::from_chars reads it, to the last bit; spaces and tabs around
// it and a leading '+' are taken. Where the inputs say so it is a category, a date-time or missing,
// as cell_encoder.h has it. Dropped columns may hold anything. A record with another number of
// fields than the header, an empty cell, text, nan, inf, a number that no double can hold
// (1e999, 1e-999) or malformed quotes is refused. Blank records are skipped and counted apart, so
// that
//   records = rows + refused + blank.
//
// Owner: the caller. Threads: parse() is const and may run on any number of threads at once, each
// with its own outputs; RefusedRows merge to the same value in any order. Errors: only make() has
// any (kBadData); parse() takes whatever comes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "format/cell_encoder.h"
#include "format/csv_chunker.h"
#include "format/csv_kernels.h"
#include "format/row_fault.h"
#include "record/row_block.h"
#include "record/schema.h"

namespace weir::format {

// The rows that were refused: how many for which reason in which column, and the first few of them.
class RefusedRows {
 public:
  static constexpr std::size_t kExamplesMax = 20;
  struct Reason {
    RowFault fault = RowFault::kFieldCount;
    std::string column;  // a column's name; empty where the fault is the whole record's
    auto operator<=>(const Reason&) const = default;
  };
  struct Example {
    std::uint64_t record = 0;  // as in RowBlock::row_numbers
    std::uint64_t line = 0;    // physical, from 1
    std::size_t column = 0;    // from 1; 0 where the fault is the whole record's
    Reason reason;
    std::string cause;    // "3 fields, where the header has 14"
    std::string excerpt;  // of the cell or record: clipped, escaped, one line
    // "line 7, column 3 'indus': not a number: 'abc'"
    std::string text() const;
    bool operator==(const Example&) const = default;
  };

  std::uint64_t count() const { return count_; }
  std::uint64_t blank_records() const { return blank_records_; }
  const std::map<Reason, std::uint64_t>& reasons() const { return reasons_; }
  const std::vector<Example>& examples() const { return examples_; }  // by record; kExamplesMax

  void add_blank() { ++blank_records_; }
  void add(const Reason& reason);
  bool wants_example(std::uint64_t record) const;
  void add_example(Example example);
  void merge(const RefusedRows& other);
  bool operator==(const RefusedRows&) const = default;

 private:
  std::uint64_t count_ = 0;
  std::uint64_t blank_records_ = 0;
  std::map<Reason, std::uint64_t> reasons_;
  std::vector<Example> examples_;
};

// Where a row's record stands in its chunk, without its line end.
struct CsvRecordPlace {
  std::size_t offset = 0;
  std::size_t length = 0;
};

class CsvRowReader {
 public:
  // `header` as from parse_csv_header. Features keep the header's order. Refused, with the nearest
  // name there is: a target or a dropped column that is not in the header; also no feature left.
  // Each feature is a number that must be there.
  static Result<CsvRowReader> make(const std::vector<std::string>& header, std::string_view target,
                                   std::span<const std::string> dropped = {});

  // What the features are, in the schema's order, where they are more than that. Missing values are
  // NaN in the rows; the target is always a number.
  void set_inputs(record::Inputs inputs);

  const record::Schema& schema() const { return schema_; }

  // Replaces `rows` (its memory is reused) by the good rows of the chunk in their order and adds
  // the others to `refused`. `places`, if asked for, is replaced by the place of each good row.
  void parse(const CsvChunk& chunk, record::RowBlock& rows, RefusedRows& refused,
             std::vector<CsvRecordPlace>* places = nullptr) const;

 private:
  struct Walk;
  class Groups;
  static constexpr std::size_t kDropped = kNoSlot;

  CsvRowReader() = default;
  const char* read_plain_row(std::string_view chunk, const char* cell,
                             const std::uint32_t* delimiters, double* row,
                             std::size_t stride) const;
  bool read_unusual_cell(std::size_t slot, std::string_view cell, double& value) const;
  std::optional<RowFault> read_value(std::size_t slot, std::string_view cell, double& value) const;
  bool read_any_row(std::string_view record, Walk& walk, double* row, std::size_t stride) const;
  void refuse(Walk& walk, RowFault fault, std::size_t column, std::string cause,
              std::string_view excerpt) const;

  record::Schema schema_;
  std::vector<std::string> header_;
  std::vector<std::size_t> slots_;  // of each file column: its column in the block, or kDropped
  std::vector<std::uint8_t> is_number_;         // of each column of the block: a number, as it is
  std::shared_ptr<const CellEncoder> encoder_;  // absent where each feature is a number
};

inline std::string_view record_text(const CsvChunk& chunk, CsvRecordPlace place) {
  return std::string_view(chunk.bytes).substr(place.offset, place.length);
}

}  // namespace weir::format
