// A block of parsed rows on its way from a data set to a model.
//
// Values are column-major, features first and the target last: value(row, column) is
// values[column * rows + row]. Every value is finite. Threads: a plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::record {

struct RowBlock {
  std::size_t rows = 0;
  std::size_t columns = 0;  // features + 1
  std::vector<double> values;
  // The number of each row in its data set: which split of the data set its record begins in, times
  // 2^32, and which record of that split it is, from 0; refused and blank records are counted too,
  // so that a number always names the same record. In a file of less than 64 MiB: 0 is the first
  // record after the header, 1 the next.
  std::vector<std::uint64_t> row_numbers;

  double value(std::size_t row, std::size_t column) const { return values[column * rows + row]; }
};

}  // namespace weir::record
