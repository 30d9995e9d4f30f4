#include "format/csv_delimiters.h"

#include <algorithm>

#include "format/csv_kernels.h"

namespace weir::format {
CsvDelimiters::CsvDelimiters(std::string_view bytes, std::size_t count_max)
    : bytes_(bytes), places_(count_max + 2 * kSegmentBytes) {}

bool CsvDelimiters::find_more(std::size_t count) {
  std::copy(places_.begin() + static_cast<std::ptrdiff_t>(begin_),
            places_.begin() + static_cast<std::ptrdiff_t>(end_), places_.begin());
  end_ -= begin_;
  begin_ = 0;
  while (end_ < count && searched_ < bytes_.size()) find_in_segment();
  return end_ >= count;
}

// There is room: fewer places wait than are to be seen at once, and a segment has at most
// kSegmentBytes.
void CsvDelimiters::find_in_segment() {
  const std::size_t count = std::min(kSegmentBytes, bytes_.size() - searched_);
  const std::uint32_t* const out =
      csv_kernels().find_delimiters(bytes_.data() + searched_, count,
                                    static_cast<std::uint32_t>(searched_), places_.data() + end_);
  searched_ += count;
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
