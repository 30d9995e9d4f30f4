// The places of the commas and line feeds of a chunk, found some way ahead of who reads the cells
// between them: so the cells can be read independently of each other, and the processor works on
// several at once.
//
// Quotes are not looked at; who meets one takes the record another way and then skips to its end.
//
// Owner: a parse of one chunk, which must outlive it. Threads: one. Memory: four bytes for each
// delimiter of kSegmentBytes and of as many as are to be seen at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace weir::format {

class CsvDelimiters {
 public:
  // At most `count_max` delimiters are to be seen at once. Less than 4 GiB of bytes.
  CsvDelimiters(std::string_view bytes, std::size_t count_max);

  // The next `count` delimiters, or nullptr where fewer are left.
  const std::uint32_t* peek(std::size_t count) {
    if (end_ - begin_ < count && !find_more(count)) return nullptr;
    return places_.data() + begin_;
  }
  // Goes past so many that peek() gave.
  void take(std::size_t count) { begin_ += count; }
  // Goes past all that are before `offset`.
  void skip_to(std::size_t offset);

 private:
  static constexpr std::size_t kSegmentBytes = 4096;

  bool find_more(std::size_t count);
  void find_in_segment();

  const std::string_view bytes_;
  std::size_t searched_ = 0;  // bytes
  std::vector<std::uint32_t> places_;
  std::size_t begin_ = 0;  // of those in places_ not yet taken
  std::size_t end_ = 0;
};

}  // namespace weir::format
