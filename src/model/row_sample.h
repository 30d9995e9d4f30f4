// A random sample of bounded size of the rows that pass by: those with the lowest sample_priority.
//
// Which rows are kept depends on the seed and their record numbers alone, not on the order in which
// they come nor on how they are spread over parts. Every set of `rows_max` rows is equally likely.
//
// Owner: the trainer. Threads: one thread per object. Shapes: features + 1 columns; parts that are
// merged have equal columns, seed and bound. Memory: rows_max * (columns + 3) * 8 bytes at most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "record/row_block.h"

namespace weir::model {

inline constexpr std::size_t kSampleRowsMax = 10'000;

class RowSample {
 public:
  RowSample(std::size_t columns, std::uint64_t seed, std::size_t rows_max = kSampleRowsMax);

  // Offers the rows of the block whose indexes are given.
  void add(const record::RowBlock& block, std::span<const std::uint32_t> rows);
  void merge(const RowSample& other);

  std::size_t rows() const { return heap_.size(); }
  // What was kept, in the order of the record numbers.
  record::RowBlock to_block() const;

 private:
  struct Entry {
    std::uint64_t priority;
    std::uint64_t row_number;
    std::size_t slot;  // its values are values_[slot * columns_ ...]
    auto operator<=>(const Entry&) const = default;
  };

  bool wants(std::uint64_t priority, std::uint64_t row_number) const;
  double* place(std::uint64_t priority, std::uint64_t row_number);

  std::size_t columns_;
  std::uint64_t seed_;
  std::size_t rows_max_;
  std::vector<Entry> heap_;  // the highest priority, the next to go, at the front
  std::vector<double> values_;
};

}  // namespace weir::model
