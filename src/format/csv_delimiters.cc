#include "format/csv_delimiters.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "format/byte_search.h"

namespace weir::format {
namespace {

// Writes the places of all bits and then up to seven that mean nothing: counting by eights is
// quicker than counting by ones, as the processor cannot foresee the count.
std::uint32_t* write_places(std::uint64_t bits, std::uint32_t base, std::uint32_t* out) {
  const int count = std::popcount(bits);
  for (int written = 0; written < count; written += 8) {
    for (int i = 0; i < 8; ++i) {
      out[written + i] = base + static_cast<std::uint32_t>(std::countr_zero(bits));
      bits &= bits - 1;
    }
  }
  return out + count;
}

}  // namespace

CsvDelimiters::CsvDelimiters(std::string_view bytes, std::size_t columns)
    : bytes_(bytes), columns_(columns), places_(columns + 2 * kSegmentBytes) {}

bool CsvDelimiters::find_more() {
  std::copy(places_.begin() + static_cast<std::ptrdiff_t>(begin_),
            places_.begin() + static_cast<std::ptrdiff_t>(end_), places_.begin());
  end_ -= begin_;
  begin_ = 0;
  while (end_ < columns_ && searched_ < bytes_.size()) find_in_segment();
  return end_ >= columns_;
}

// There is room: fewer than columns_ places wait, and a segment has at most kSegmentBytes.
void CsvDelimiters::find_in_segment() {
  std::uint32_t* out = places_.data() + end_;
  const std::size_t until = std::min(searched_ + kSegmentBytes, bytes_.size());
  while (searched_ < until) {
    const char* block = bytes_.data() + searched_;
    char last[kBlockBytes] = {};
    const std::size_t left = until - searched_;
    if (left < kBlockBytes) {
      std::memcpy(last, block, left);
      block = last;
    }
    out = write_places(find_either(block, ',', '\n'), static_cast<std::uint32_t>(searched_), out);
    searched_ += std::min(left, kBlockBytes);
  }
  end_ = static_cast<std::size_t>(out - places_.data());
}

void CsvDelimiters::skip_to(std::size_t offset) {
  while (true) {
    while (begin_ < end_ && places_[begin_] < offset) ++begin_;
    if (begin_ < end_ || searched_ >= bytes_.size()) return;
    begin_ = end_ = 0;
    // Segments that end before the offset need not be searched.
    while (searched_ + kSegmentBytes <= std::min(offset, bytes_.size())) searched_ += kSegmentBytes;
    find_in_segment();
  }
}

}  // namespace weir::format
