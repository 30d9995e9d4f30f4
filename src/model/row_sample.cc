#include "model/row_sample.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "model/split.h"

namespace weir::model {

RowSample::RowSample(std::size_t columns, std::uint64_t seed, std::size_t rows_max)
    : columns_(columns), seed_(seed), rows_max_(rows_max) {}

bool RowSample::wants(std::uint64_t priority, std::uint64_t row_number) const {
  if (heap_.size() < rows_max_) return true;
  if (heap_.empty()) return false;
  const Entry& last = heap_.front();
  return std::pair(priority, row_number) < std::pair(last.priority, last.row_number);
}

// Makes room for a wanted row and returns where its values go.
double* RowSample::place(std::uint64_t priority, std::uint64_t row_number) {
  std::size_t slot = heap_.size();
  if (slot == rows_max_) {
    std::pop_heap(heap_.begin(), heap_.end());
    slot = heap_.back().slot;
    heap_.pop_back();
  } else {
    values_.resize((slot + 1) * columns_);
  }
  heap_.push_back({priority, row_number, slot});
  std::push_heap(heap_.begin(), heap_.end());
  return values_.data() + slot * columns_;
}

void RowSample::add(const record::RowBlock& block, std::span<const std::uint32_t> rows) {
  WEIR_CHECK(block.columns == columns_ && block.row_numbers.size() == block.rows);
  for (const std::uint32_t row : rows) {
    WEIR_CHECK(row < block.rows);
    const std::uint64_t number = block.row_numbers[row];
    const std::uint64_t priority = sample_priority(seed_, number);
    if (!wants(priority, number)) continue;
    double* const values = place(priority, number);
    for (std::size_t j = 0; j < columns_; ++j) values[j] = block.value(row, j);
  }
}

void RowSample::merge(const RowSample& other) {
  WEIR_CHECK(&other != this && other.columns_ == columns_ && other.seed_ == seed_ &&
             other.rows_max_ == rows_max_);
  for (const Entry& entry : other.heap_) {
    if (!wants(entry.priority, entry.row_number)) continue;
    std::copy_n(other.values_.data() + entry.slot * columns_, columns_,
                place(entry.priority, entry.row_number));
  }
}

record::RowBlock RowSample::to_block() const {
  std::vector<Entry> entries = heap_;
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.row_number, a.priority) < std::pair(b.row_number, b.priority);
  });
  record::RowBlock block;
  block.rows = entries.size();
  block.columns = columns_;
  block.values.resize(block.rows * columns_);
  block.row_numbers.reserve(block.rows);
  for (std::size_t row = 0; row < block.rows; ++row) {
    block.row_numbers.push_back(entries[row].row_number);
    for (std::size_t j = 0; j < columns_; ++j) {
      block.values[j * block.rows + row] = values_[entries[row].slot * columns_ + j];
    }
  }
  return block;
}

}  // namespace weir::model
