// The inner loops of reading a CSV data set, as this processor can run them best.
//
// Where there is AVX2, the cells of kRowsAtOnce rows are read side by side, one column after the
// other: the same column of four rows makes one vector, and its numbers are stored as one. They are
// the same bits that parse_short_cell gives, by the same steps. A test holds them to that. Where
// one of the four is something else, they are read one after the other.
//
// Threads: pure functions. Errors: none; what is not as plain as can be is left to the caller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace weir::format {

inline constexpr std::size_t kRowsAtOnce = 4;
inline constexpr std::size_t kNoSlot = static_cast<std::size_t>(-1);

// Rows that follow each other in a chunk, if they are what their delimiters suggest.
struct CsvRowGroup {
  std::string_view chunk;
  std::size_t begin;                // of the first row
  const std::uint32_t* delimiters;  // kRowsAtOnce * columns places; the first beyond byte 8
  const std::size_t* slots;         // of each column: its column in the block, or kNoSlot
  std::size_t columns;
  double* values;      // of the first row; kRowsAtOnce of each column are written
  std::size_t stride;  // from one column of the block to the next
};

struct CsvKernels {
  const char* name;
  // Writes the places of the commas and line feeds among `count` bytes, each plus `base`; returns
  // the end of those. Up to seven numbers behind it are overwritten with some that mean nothing.
  std::uint32_t* (*find_delimiters)(const char* bytes, std::size_t count, std::uint32_t base,
                                    std::uint32_t* out);
  // False where some row is not `columns` numbers without quotes, blanks and '+'; what is in
  // `values` then means nothing. Absent where rows are read one at a time.
  bool (*read_rows)(const CsvRowGroup& group);
};

// The fastest that this processor can run, and all that it can run.
const CsvKernels& csv_kernels();
std::vector<CsvKernels> all_csv_kernels();

}  // namespace weir::format
